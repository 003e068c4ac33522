/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a package is in a repository, or is not.
 *
 * Source: reservoir/ecosystem.h
 */
#pragma once

#include "reservoir/ecosystem.h"

/**
 * apt_explain() - Write why a package is in a repository.
 * @store: store
 * @repository: repository
 * @manifest: manifest that is served
 * @what: name of a package
 * @out: appended to
 * @err: set on failure
 *
 * Return: 0, or
 *   -EBADMSG  an index or a note is damaged
 *   negative errno of the system
 */
int apt_explain(struct store *store, const struct repository *repository,
		const struct manifest *manifest, const char *what, struct strbuf *out,
		struct error *err);
