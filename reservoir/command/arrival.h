/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By which bundle a package came to a site: found in the generations that are kept.
 *
 * Source: reservoir/store/generation.h
 */
#pragma once

#include "reservoir/ecosystem.h"
#include "reservoir/store/generation.h"

/**
 * arrival_describe() - Append by which bundle a package came, and when.
 * @store: store
 * @current: what is published
 * @repository: repository of @current that bundles bring
 * @ecosystem: its ecosystem
 * @what: package, as in "requests"
 * @out: appended to; nothing of what was not brought by a bundle
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int arrival_describe(struct store *store, const struct generation *current,
		     const struct generation_repository *repository,
		     const struct ecosystem *ecosystem, const char *what, struct strbuf *out,
		     struct error *err);
