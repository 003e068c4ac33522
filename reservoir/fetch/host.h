/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much a host is asked at once: less when it says that it is too much, or says
 * nothing, and more again as it answers.  Free of clocks and of network.
 *
 * Source: additive increase and multiplicative decrease as in RFC 5681, section 3.1
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HOST_CUT_MS 1000	  /* failures within this time are one: they were sent together */
#define HOST_PAUSE_MAX_MS 300000u /* a longer Retry-After is kept so long, and asked again */

#define HOST_GIVE_UP 8		 /* pauses in a row that did not help: the rest is not tried */
#define HOST_PAUSE_PARTS 100u	 /* of the patience: the first pause, which doubles */
#define HOST_PAUSES_MAX_PARTS 6u /* of the patience: the longest pause */

struct host_load {
	uint32_t ceiling; /* what the configuration allows */
	uint32_t limit;	  /* what is allowed now, 1 to @ceiling */
	uint32_t active;
	uint32_t answers;	  /* since @limit last changed */
	uint32_t patience_ms;	  /* how long an answer is waited for */
	uint32_t unreached;	  /* pauses in a row since the last answer */
	uint64_t cut_ms;	  /* when @limit was last cut */
	uint64_t paused_until_ms; /* nothing is sent before */
};

/**
 * host_load_init() - Begin with a host.
 * @load: state
 * @ceiling: transfers allowed at once, at least 1
 * @patience_ms: how long an answer is waited for
 */
void host_load_init(struct host_load *load, uint32_t ceiling, uint32_t patience_ms);

/**
 * host_load_may_start() - Whether one more transfer may start.
 * @load: state
 * @now_ms: monotonic time
 *
 * Return: true if so.
 */
bool host_load_may_start(const struct host_load *load, uint64_t now_ms);

/**
 * host_load_answered() - A transfer has gone well.
 * @load: state
 */
void host_load_answered(struct host_load *load);

/**
 * host_load_refused() - A host said that it is too much, or nothing in time.
 * @load: state
 * @now_ms: monotonic time
 * @wait_ms: what it asks to wait for, 0 if nothing
 */
void host_load_refused(struct host_load *load, uint64_t now_ms, uint64_t wait_ms);

/**
 * host_load_unreached() - A transfer has ended without any answer.
 * @load: state
 * @now_ms: monotonic time
 *
 * The host is left in peace for a while, longer each time; those that were sent
 * together count as one.
 */
void host_load_unreached(struct host_load *load, uint64_t now_ms);

/**
 * host_load_is_dead() - Whether asking the host further is in vain.
 * @load: state
 *
 * Return: true if so.
 */
bool host_load_is_dead(const struct host_load *load);
