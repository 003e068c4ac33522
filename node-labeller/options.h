/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of silica-node-labeller.
 *
 * Source: POSIX.1-2017, XBD 12, with the long options of GNU
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "base/strbuf.h"

/* Where the labels go. */
enum options_output {
	OPTIONS_OUTPUT_API,
	OPTIONS_OUTPUT_NFD,
	OPTIONS_OUTPUT_STDOUT,
	_OPTIONS_OUTPUT_MAX,
};

struct options {
	const char *config; /* NULL: the built-in defaults */
	const char *host_root;
	const char *node_name;	 /* NULL: from the environment */
	const char *node_labels; /* file, or NULL */
	const char *kubeconfig;	 /* NULL: from the pod */
	enum options_output output;
	const char *nfd_dir;
	uint32_t interval_ms;	    /* after which everything is checked again */
	const char *listen_metrics; /* address, or NULL for nowhere */
	enum log_level log_level;
	enum log_format log_format;
	bool once;
	bool cleanup;
	bool all_nodes; /* only with @cleanup */
	bool help;
	bool version;
};

/**
 * options_parse() - Read a command line.
 * @argc: number of words, the program's name among them
 * @argv: words; the options borrow them
 * @ret: the options, with defaults for what is not given
 * @err: set on failure; names the word and what is expected
 *
 * Return: 0, or -EINVAL.
 */
int options_parse(int argc, char *const *argv, struct options *ret, struct error *err);

/**
 * options_usage() - Write the text of --help.
 * @out: appended to
 */
void options_usage(struct strbuf *out);
