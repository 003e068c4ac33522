/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/lifecycle.h"
#include "tests/test.h"

#define STEPS_MAX 16

/* An event and what it must lead to. */
struct step {
	enum lifecycle_event event;
	enum lifecycle_action action;
	enum lifecycle_timer timer;
};

struct story {
	const char *name;
	enum lifecycle_path path;
	struct step steps[STEPS_MAX];
	size_t n;
};

#define STEPS(...) \
	.steps = { __VA_ARGS__ }, .n = sizeof((struct step[]) { __VA_ARGS__ }) / sizeof(struct step)

/* Short names, so that a story can be read line by line. */
#define CAME LIFECYCLE_KUBELET_CAME
#define GONE LIFECYCLE_KUBELET_GONE
#define UNLINKED LIFECYCLE_SOCKET_GONE
#define BOUND LIFECYCLE_BOUND
#define UNBOUND LIFECYCLE_BIND_FAILED
#define ACCEPTED LIFECYCLE_ACCEPTED
#define REFUSED LIFECYCLE_REFUSED
#define OPENED LIFECYCLE_STREAM_OPENED
#define CLOSED LIFECYCLE_STREAM_CLOSED
#define TIMER LIFECYCLE_TIMER
#define NOTHING LIFECYCLE_NOTHING
#define BIND LIFECYCLE_BIND
#define REGISTER LIFECYCLE_REGISTER
#define KEEP LIFECYCLE_TIMER_KEEP
#define SET LIFECYCLE_TIMER_SET
#define STOP LIFECYCLE_TIMER_STOP

static const struct story stories[] = {
	{ .name = "serve before register, and register when the kubelet is there",
	  .path = LIFECYCLE_CLASSIC,
	  STEPS({ CAME, BIND, STOP }, { BOUND, REGISTER, SET }, { OPENED, NOTHING, SET },
		{ ACCEPTED, NOTHING, SET }, { TIMER, NOTHING, STOP }) },
	{ .name = "without a kubelet nothing is bound",
	  .path = LIFECYCLE_CLASSIC,
	  STEPS({ GONE, NOTHING, STOP }, { TIMER, NOTHING, STOP }) },
	{ .name = "a refused registration is tried again on the same socket",
	  .path = LIFECYCLE_CLASSIC,
	  STEPS({ CAME, BIND, STOP }, { BOUND, REGISTER, SET }, { REFUSED, NOTHING, SET },
		{ TIMER, REGISTER, SET }) },
	{ .name = "a socket that cannot be bound is tried again",
	  .path = LIFECYCLE_CLASSIC,
	  STEPS({ CAME, BIND, STOP }, { UNBOUND, NOTHING, SET }, { TIMER, BIND, STOP }) },
	{ .name = "a stream that never comes makes it register again",
	  .path = LIFECYCLE_CLASSIC,
	  STEPS({ CAME, BIND, STOP }, { BOUND, REGISTER, SET }, { ACCEPTED, NOTHING, SET },
		{ TIMER, REGISTER, SET }) },
	{ .name = "a cancelled stream makes it register again on the same socket",
	  .path = LIFECYCLE_CLASSIC,
	  STEPS({ CAME, BIND, STOP }, { BOUND, REGISTER, SET }, { ACCEPTED, NOTHING, SET },
		{ OPENED, NOTHING, SET }, { CLOSED, NOTHING, SET }, { TIMER, REGISTER, SET }) },
	{ .name = "a restarted kubelet gets a new socket at once",
	  .path = LIFECYCLE_CLASSIC,
	  STEPS({ CAME, BIND, STOP }, { BOUND, REGISTER, SET }, { OPENED, NOTHING, SET },
		{ CLOSED, NOTHING, SET }, { UNLINKED, NOTHING, SET }, { GONE, NOTHING, STOP },
		{ CAME, BIND, STOP }, { BOUND, REGISTER, SET }) },
	{ .name = "a call to the kubelet of before does not hold up the next",
	  .path = LIFECYCLE_CLASSIC,
	  STEPS({ CAME, BIND, STOP }, { BOUND, REGISTER, SET }, { CAME, BIND, STOP },
		{ BOUND, REGISTER, SET }) },
	{ .name = "an unlinked socket is bound again after a moment",
	  .path = LIFECYCLE_CLASSIC,
	  STEPS({ CAME, BIND, STOP }, { BOUND, REGISTER, SET }, { OPENED, NOTHING, SET },
		{ UNLINKED, NOTHING, SET }, { TIMER, BIND, STOP }) },
	{ .name = "the answer to a call that was given up changes nothing",
	  .path = LIFECYCLE_CLASSIC,
	  STEPS({ CAME, BIND, STOP }, { BOUND, REGISTER, SET }, { UNLINKED, NOTHING, SET },
		{ ACCEPTED, NOTHING, KEEP }, { REFUSED, NOTHING, KEEP }, { OPENED, NOTHING, KEEP },
		{ CLOSED, NOTHING, KEEP }, { TIMER, BIND, STOP }) },
	{ .name = "a call that never returns is given up",
	  .path = LIFECYCLE_CLASSIC,
	  STEPS({ CAME, BIND, STOP }, { BOUND, REGISTER, SET }, { TIMER, REGISTER, SET }) },
	{ .name = "a watched plugin only serves",
	  .path = LIFECYCLE_WATCHER,
	  STEPS({ CAME, BIND, STOP }, { BOUND, NOTHING, STOP }, { OPENED, NOTHING, SET },
		{ TIMER, NOTHING, STOP }) },
	{ .name = "a watched plugin makes a new socket when its stream ends",
	  .path = LIFECYCLE_WATCHER,
	  STEPS({ CAME, BIND, STOP }, { BOUND, NOTHING, STOP }, { OPENED, NOTHING, SET },
		{ CLOSED, NOTHING, SET }, { TIMER, BIND, STOP }, { BOUND, NOTHING, STOP }) },
	{ .name = "a watched plugin that is found again keeps its socket",
	  .path = LIFECYCLE_WATCHER,
	  STEPS({ CAME, BIND, STOP }, { BOUND, NOTHING, STOP }, { CAME, NOTHING, STOP }) },
};

static void stories_end_as_told(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(stories); i++) {
		struct lifecycle lifecycle = lifecycle_init(stories[i].path);

		for (size_t j = 0; j < stories[i].n; j++) {
			const struct step *expected = &stories[i].steps[j];
			struct lifecycle_step step = lifecycle_step(&lifecycle, expected->event, 0);

			if (step.action != expected->action || step.timer != expected->timer)
				fail_msg("%s: step %zu: action %d, timer %d", stories[i].name, j,
					 (int)step.action, (int)step.timer);
		}
	}
}

static void retries_grow_apart_and_have_a_maximum(_unused_ void **state)
{
	struct lifecycle lifecycle = lifecycle_init(LIFECYCLE_CLASSIC);
	uint32_t before = 0;

	(void)lifecycle_step(&lifecycle, LIFECYCLE_KUBELET_CAME, 0);
	for (int i = 0; i < 12; i++) {
		struct lifecycle_step step = lifecycle_step(&lifecycle, LIFECYCLE_BIND_FAILED, 0);

		assert_true(step.delay_ms >= before);
		assert_in_range(step.delay_ms, 100, 10000);
		before = step.delay_ms;
	}
	assert_in_range(before, 5000, 10000);
	/* A new kubelet begins with short delays. */
	(void)lifecycle_step(&lifecycle, LIFECYCLE_KUBELET_CAME, 0);
	assert_in_range(lifecycle_step(&lifecycle, LIFECYCLE_BIND_FAILED, 0).delay_ms, 100, 200);
}

/* A kubelet that opens streams and drops them at once is not hammered. */
static void short_streams_do_not_reset_the_delay(_unused_ void **state)
{
	struct lifecycle lifecycle = lifecycle_init(LIFECYCLE_CLASSIC);
	uint32_t delay = 0;

	(void)lifecycle_step(&lifecycle, LIFECYCLE_KUBELET_CAME, 0);
	(void)lifecycle_step(&lifecycle, LIFECYCLE_BOUND, 0);
	for (int i = 0; i < 8; i++) {
		(void)lifecycle_step(&lifecycle, LIFECYCLE_STREAM_OPENED, 0);
		delay = lifecycle_step(&lifecycle, LIFECYCLE_STREAM_CLOSED, 0).delay_ms;
		(void)lifecycle_step(&lifecycle, LIFECYCLE_TIMER, 0);
	}
	assert_true(delay >= 5000);
	/* One that has lived until the timer does. */
	(void)lifecycle_step(&lifecycle, LIFECYCLE_STREAM_OPENED, 0);
	(void)lifecycle_step(&lifecycle, LIFECYCLE_TIMER, 0);
	delay = lifecycle_step(&lifecycle, LIFECYCLE_STREAM_CLOSED, 0).delay_ms;
	assert_in_range(delay, 100, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stories_end_as_told),
		cmocka_unit_test(retries_grow_apart_and_have_a_maximum),
		cmocka_unit_test(short_streams_do_not_reset_the_delay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
