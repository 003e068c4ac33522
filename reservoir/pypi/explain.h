/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a project is in a repository, or is not.
 *
 * Source: reservoir/ecosystem.h
 */
#pragma once

#include "reservoir/ecosystem.h"

/**
 * pypi_explain() - Append why a project is in a repository, or is not.
 * @store: store
 * @repository: repository
 * @manifest: what is published of it
 * @what: name of a project, in any spelling
 * @out: appended to
 * @err: set on failure
 *
 * Return: 0, also for a project that is not there and for what is no name, or negative errno.
 */
int pypi_explain(struct store *store, const struct repository *repository,
		 const struct manifest *manifest, const char *what, struct strbuf *out,
		 struct error *err);
