/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of several replicas writes, decided by a Lease.  No I/O, no clock.
 *
 * Clocks of machines differ, so the times in a lease are for people: a replica counts
 * from the moment at which it saw the lease change, by its own clock.  Whoever holds
 * it stops writing when it could not renew for two thirds of the duration; everybody
 * else waits for all of it.  A renewal counts from before it was sent, as the others
 * may have seen it since then.
 *
 * Source: kubernetes/client-go, tools/leaderelection/leaderelection.go: the rules are
 *	the same, so that any other client of the lease can be trusted and trusts us
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/kubernetes/kube_lease.h"

enum election_wish {
	ELECTION_WAIT,	 /* somebody else holds it: look again later */
	ELECTION_CREATE, /* there is none */
	ELECTION_UPDATE, /* it is free, has run out, or is ours to renew */
	_ELECTION_WISH_MAX,
};

struct election {
	const char *identity; /* that no other replica has */
	uint32_t duration_s;

	bool is_there;		/* a lease was seen; then: */
	struct kube_lease seen; /* as seen last */
	uint64_t seen_ms;	/* when it became so */
	bool leading;
	uint64_t renewed_ms; /* when the renewal that counts was sent */
};

/**
 * election_retry_ms() - How long to wait between two looks, and two renewals.
 * @election: election
 *
 * Return: milliseconds: two seconds of fifteen.
 */
uint32_t election_retry_ms(const struct election *election);

/**
 * election_deadline_ms() - Until when whoever leads may write.
 * @election: election that is led
 *
 * Return: time of the clock that the others are told by.
 */
uint64_t election_deadline_ms(const struct election *election);

/**
 * election_saw() - Take in what the server has.
 * @election: election
 * @lease: lease, or NULL when there is none
 * @now_ms: monotonic time
 *
 * Who leads and sees another holder leads no more.
 */
void election_saw(struct election *election, const struct kube_lease *lease, uint64_t now_ms);

/**
 * election_wish() - What to do about what was seen.
 * @election: election
 * @now_ms: monotonic time
 * @wall_us: time of the day, microseconds since 1970, for the lease
 * @ret: spec to write, unless it is ELECTION_WAIT
 *
 * Return: wish.
 */
enum election_wish election_wish(const struct election *election, uint64_t now_ms, int64_t wall_us,
				 struct kube_lease *ret);

/**
 * election_wrote() - Take in that the server has accepted a lease of ours.
 * @election: election; leads from now on
 * @lease: as it was sent
 * @sent_ms: monotonic time from before it was sent
 */
void election_wrote(struct election *election, const struct kube_lease *lease, uint64_t sent_ms);

/**
 * election_check() - Stop leading when it was not renewed for too long.
 * @election: election
 * @now_ms: monotonic time
 *
 * Return: true if it has led until now, and leads no more.
 */
bool election_check(struct election *election, uint64_t now_ms);

/**
 * election_release() - Give the lease back, so that nobody has to wait for it.
 * @election: election; leads no more
 * @wall_us: time of the day, microseconds since 1970
 * @ret: spec to write
 *
 * Return: true if it has led, and there is something to write.
 */
bool election_release(struct election *election, int64_t wall_us, struct kube_lease *ret);
