/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/preference.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "api/kubelet/messages.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "base/strindex.h"
#include "inventory/preferred.h"

#define _cleanup_preferred_request_ _cleanup_(kubelet_preferred_request_done)
#define _cleanup_candidates_ _cleanup_(candidates_done)

/* The different IDs of one container's request, ready to be chosen from. */
struct candidates {
	char **ids;
	struct candidate *rows;
	size_t n;
};

/* How IDs that were seen before are recognised: known ones by a bit for their
 * unit, the few that are not known by an index of all IDs. */
struct seen {
	const struct unit_set *set;
	uint8_t *bits;
	struct strindex index;
};

static void candidates_done(struct candidates *candidates)
{
	free(candidates->ids);
	free(candidates->rows);
}

static const char *id_of_row(const void *table, uint32_t row)
{
	return ((char *const *)table)[row];
}

/* Whether row @i of @all is the first with its ID.  Returns -ENOMEM on failure. */
static int is_first(struct seen *seen, char *const *all, size_t n_all, size_t i,
		    const struct unit *unit)
{
	if (unit) {
		size_t number = (size_t)(unit - seen->set->units);
		uint8_t bit = (uint8_t)(1U << (number % 8));
		bool first = !(seen->bits[number / 8] & bit);

		seen->bits[number / 8] |= bit;
		return first;
	}
	if (!seen->index.slots) {
		int r = strindex_init(&seen->index, all, n_all, id_of_row);

		if (r < 0)
			return r;
	}
	return strindex_find(&seen->index, all[i]) == (int64_t)i;
}

static int merge_ids(struct seen *seen, char *const *all, size_t n_all, size_t n_must,
		     struct candidates *candidates)
{
	for (size_t i = 0; i < n_all; i++) {
		const struct unit *unit = unit_set_find(seen->set, all[i]);
		int r = is_first(seen, all, n_all, i, unit);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		candidates->ids[candidates->n] = all[i];
		candidates->rows[candidates->n++] = (struct candidate) { unit, i < n_must };
	}
	return 0;
}

/* Merges the two lists of a request; the kubelet sends the IDs that must be
 * included in both. */
static int collect(const struct unit_set *set, const struct kubelet_preference *request,
		   struct candidates *candidates)
{
	size_t n_must = request->must_include.n;
	size_t n_all = n_must + request->available.n;
	_cleanup_free_ uint8_t *bits = calloc(set->n_units / 8 + 1, 1);
	_cleanup_free_ char **all = calloc(n_all + 1, sizeof(*all));
	struct seen seen = { .set = set, .bits = bits };
	int r;

	candidates->ids = calloc(n_all + 1, sizeof(*candidates->ids));
	candidates->rows = calloc(n_all + 1, sizeof(*candidates->rows));
	if (!bits || !all || !candidates->ids || !candidates->rows)
		return -ENOMEM;
	for (size_t i = 0; i < n_must; i++)
		all[i] = request->must_include.ids[i];
	for (size_t i = 0; i < request->available.n; i++)
		all[n_must + i] = request->available.ids[i];
	r = merge_ids(&seen, all, n_all, n_must, candidates);
	strindex_done(&seen.index);
	return r;
}

/* Chooses for one container; the list of IDs is the caller's to free. */
static int answer_container(const struct unit_set *set, enum preferred_policy policy,
			    const struct kubelet_preference *request, struct kubelet_ids *ret)
{
	_cleanup_candidates_ struct candidates candidates = { 0 };
	_cleanup_free_ size_t *chosen = NULL;
	char **ids;
	int n;

	n = collect(set, request, &candidates);
	if (n < 0)
		return n;
	chosen = calloc(MIN(request->size, candidates.n) + 1, sizeof(*chosen));
	if (!chosen)
		return -ENOMEM;
	n = preferred_choose(set, policy, candidates.rows, candidates.n, request->size, chosen);
	if (n < 0)
		return n;
	ids = calloc((size_t)n + 1, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	for (int i = 0; i < n; i++)
		ids[i] = candidates.ids[chosen[i]];
	*ret = (struct kubelet_ids) { ids, (size_t)n };
	return 0;
}

int preference_answer(const struct unit_set *set, enum preferred_policy policy,
		      const uint8_t *request, size_t len, struct rpc_message *ret_reply,
		      struct error *err)
{
	_cleanup_preferred_request_ struct kubelet_preferred_request decoded = { 0 };
	_cleanup_free_ struct kubelet_ids *answers = NULL;
	int r;

	r = kubelet_decode_preferred(request, len, &decoded, err);
	if (r < 0)
		return r;
	answers = calloc(decoded.n + 1, sizeof(*answers));
	if (!answers)
		return error_set(err, ENOMEM, "no memory for %zu containers", decoded.n);
	for (size_t i = 0; i < decoded.n && r == 0; i++)
		r = answer_container(set, policy, &decoded.containers[i], &answers[i]);
	if (r == 0)
		r = kubelet_encode_preferred(answers, decoded.n, ret_reply);
	for (size_t i = 0; i < decoded.n; i++)
		free((void *)(uintptr_t)answers[i].ids);
	return r < 0 ? error_set(err, -r, "no memory to choose devices") : 0;
}
