/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptions that Silica brings along: drivers/declared/<name>.yaml, part of
 * the program.  They rest on what third parties tell, so each is off unless it is
 * asked for.
 *
 * Source: the head of each file names the card, its `evidence` what it rests on
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct declared_builtin {
	const char *name;	   /* as in "graphcore" */
	const char *text;	   /* YAML, NUL-terminated */
	bool needs_pci_vendor;	   /* it has none: whoever uses it has to say which */
	uint16_t wrong_pci_vendor; /* one that must not be named, or 0 */
};

/**
 * declared_builtins() - All descriptions, by name.
 * @ret_n: number of descriptions
 *
 * Return: array of @ret_n rows; static.
 */
const struct declared_builtin *declared_builtins(size_t *ret_n);

/**
 * declared_builtin() - Look a description up.
 * @name: its name
 *
 * Return: the row, or NULL if there is none of that name.
 */
const struct declared_builtin *declared_builtin(const char *name);
