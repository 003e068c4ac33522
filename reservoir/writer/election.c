/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/writer/election.h"

#include <string.h>

#include "base/parse.h"

#define SECOND_MS 1000

static bool is_same(const struct kube_lease *a, const struct kube_lease *b)
{
	return strcmp(a->holder, b->holder) == 0 && a->duration_s == b->duration_s &&
	       a->acquired_us == b->acquired_us && a->renewed_us == b->renewed_us &&
	       a->transitions == b->transitions;
}

static bool is_ours(const struct election *election)
{
	return strcmp(election->seen.holder, election->identity) == 0;
}

uint32_t election_retry_ms(const struct election *election)
{
	return election->duration_s * SECOND_MS / 15 * 2;
}

uint64_t election_deadline_ms(const struct election *election)
{
	return election->renewed_ms + (uint64_t)election->duration_s * SECOND_MS / 3 * 2;
}

void election_saw(struct election *election, const struct kube_lease *lease, uint64_t now_ms)
{
	if (!lease) {
		election->is_there = false;
		return;
	}
	if (!election->is_there || !is_same(&election->seen, lease)) {
		election->seen = *lease;
		election->seen_ms = now_ms;
	}
	election->is_there = true;
	if (election->leading && !is_ours(election))
		election->leading = false;
}

/* Whether somebody else may be writing. */
static bool is_held(const struct election *election, uint64_t now_ms)
{
	uint64_t duration_ms = (uint64_t)election->seen.duration_s * SECOND_MS;

	return election->seen.holder[0] && !election->leading &&
	       now_ms < election->seen_ms + duration_ms;
}

enum election_wish election_wish(const struct election *election, uint64_t now_ms, int64_t wall_us,
				 struct kube_lease *ret)
{
	struct kube_lease wanted = {
		.duration_s = election->duration_s,
		.acquired_us = wall_us,
		.renewed_us = wall_us,
	};

	if (election->is_there && is_held(election, now_ms))
		return ELECTION_WAIT;
	(void)str_copy(wanted.holder, sizeof(wanted.holder), election->identity);
	if (election->is_there && is_ours(election)) {
		wanted.acquired_us = election->seen.acquired_us;
		wanted.transitions = election->seen.transitions;
	} else if (election->is_there) {
		wanted.transitions = election->seen.transitions + 1;
	}
	*ret = wanted;
	return election->is_there ? ELECTION_UPDATE : ELECTION_CREATE;
}

void election_wrote(struct election *election, const struct kube_lease *lease, uint64_t sent_ms)
{
	election->is_there = true;
	election->seen = *lease;
	election->seen_ms = sent_ms;
	election->renewed_ms = sent_ms;
	election->leading = true;
}

bool election_check(struct election *election, uint64_t now_ms)
{
	if (!election->leading || now_ms < election_deadline_ms(election))
		return false;
	election->leading = false;
	return true;
}

bool election_release(struct election *election, int64_t wall_us, struct kube_lease *ret)
{
	if (!election->leading)
		return false;
	election->leading = false;
	*ret = (struct kube_lease) {
		.duration_s = 1, /* the server demands one */
		.acquired_us = wall_us,
		.renewed_us = wall_us,
		.transitions = election->seen.transitions,
	};
	return true;
}
