/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a package that clients do not get, whatever indexes say: recalled, damaged or
 * lost.
 *
 * Source: reservoir/store/revoked.h, reservoir/store/scrub.h
 */
#pragma once

#include "reservoir/ecosystem.h"
#include "reservoir/store/generation.h"

/**
 * withheld_describe() - Append each file of a package that is withheld, and what brings it
 *   back.
 * @store: store
 * @current: what is published
 * @repository: repository of @current
 * @served: its manifest
 * @ecosystem: its ecosystem
 * @what: package, as the ecosystem's package() spells it
 * @out: appended to; nothing where all is given out
 *
 * Of what was recalled, also files that only earlier generations have: a sync leaves them out.
 */
void withheld_describe(struct store *store, const struct generation *current,
		       const struct generation_repository *repository,
		       const struct manifest *served, const struct ecosystem *ecosystem,
		       const char *what, struct strbuf *out);
