/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <string.h>

#include "reservoir/writer/election.h"

#define WALL_US INT64_C(1767323045000000)

static struct election make(void)
{
	return (struct election) { .identity = "me", .duration_s = 15 };
}

static const struct kube_lease theirs = {
	.holder = "they",
	.duration_s = 15,
	.acquired_us = 1,
	.renewed_us = 2,
	.transitions = 4,
};

/* Leads since @sent_ms. */
static struct election make_leader(uint64_t sent_ms)
{
	struct election election = make();
	struct kube_lease lease;

	assert_int_equal(election_wish(&election, sent_ms, WALL_US, &lease), ELECTION_CREATE);
	election_wrote(&election, &lease, sent_ms);
	return election;
}

static void creates_what_is_not_there(void **state)
{
	struct election election = make();
	struct kube_lease lease;

	(void)state;
	election_saw(&election, NULL, 5);
	assert_int_equal(election_wish(&election, 5, WALL_US, &lease), ELECTION_CREATE);
	assert_string_equal(lease.holder, "me");
	assert_int_equal(lease.duration_s, 15);
	assert_int_equal(lease.acquired_us, WALL_US);
	assert_int_equal(lease.transitions, 0);
	assert_false(election.leading);
	election_wrote(&election, &lease, 5);
	assert_true(election.leading);
}

static void waits_by_its_own_clock(void **state)
{
	struct election election = make();
	struct kube_lease lease = theirs;

	(void)state;
	/* Its times are long ago, or in the future: what counts is when it was seen. */
	election_saw(&election, &lease, 100000);
	assert_int_equal(election_wish(&election, 100000, WALL_US, &lease), ELECTION_WAIT);
	assert_int_equal(election_wish(&election, 114999, WALL_US, &lease), ELECTION_WAIT);
	lease.renewed_us = INT64_MAX;
	election_saw(&election, &lease, 114999);
	assert_int_equal(election_wish(&election, 115000, WALL_US, &lease), ELECTION_WAIT);
	assert_int_equal(election_wish(&election, 129998, WALL_US, &lease), ELECTION_WAIT);
	/* Seen again without a change it does not live longer. */
	election_saw(&election, &election.seen, 129998);
	assert_int_equal(election_wish(&election, 129999, WALL_US, &lease), ELECTION_UPDATE);
	assert_int_equal(lease.transitions, 5);
	assert_string_equal(lease.holder, "me");
}

static void believes_the_duration_of_the_holder(void **state)
{
	struct election election = make();
	struct kube_lease lease = theirs;

	(void)state;
	lease.duration_s = 60;
	election_saw(&election, &lease, 0);
	assert_int_equal(election_wish(&election, 59999, WALL_US, &lease), ELECTION_WAIT);
	assert_int_equal(election_wish(&election, 60000, WALL_US, &lease), ELECTION_UPDATE);
}

static void takes_what_was_released(void **state)
{
	struct election election = make();
	struct kube_lease lease = theirs;

	(void)state;
	lease.holder[0] = '\0';
	election_saw(&election, &lease, 0);
	assert_int_equal(election_wish(&election, 0, WALL_US, &lease), ELECTION_UPDATE);
	assert_int_equal(lease.transitions, 5);
}

static void renews(void **state)
{
	struct election election = make_leader(1000);
	struct kube_lease lease;

	(void)state;
	assert_int_equal(election_deadline_ms(&election), 11000);
	assert_int_equal(election_retry_ms(&election), 2000);
	assert_int_equal(election_wish(&election, 3000, WALL_US + 2, &lease), ELECTION_UPDATE);
	assert_int_equal(lease.acquired_us, WALL_US);
	assert_int_equal(lease.renewed_us, WALL_US + 2);
	assert_int_equal(lease.transitions, 0);
	election_wrote(&election, &lease, 3000);
	assert_int_equal(election_deadline_ms(&election), 13000);
}

static void stops_before_others_begin(void **state)
{
	struct election election = make_leader(1000);

	(void)state;
	assert_false(election_check(&election, 10999));
	assert_true(election.leading);
	assert_true(election_check(&election, 11000));
	assert_false(election.leading);
	assert_false(election_check(&election, 11001));
}

static void stops_when_it_sees_another(void **state)
{
	struct election election = make_leader(1000);
	struct kube_lease lease;

	(void)state;
	election_saw(&election, &theirs, 2000);
	assert_false(election.leading);
	assert_int_equal(election_wish(&election, 2000, WALL_US, &lease), ELECTION_WAIT);
}

/* Somebody else, or an earlier process, with the same name. */
static void does_not_lead_by_its_name_alone(void **state)
{
	struct election election = make();
	struct kube_lease lease = theirs;

	(void)state;
	memcpy(lease.holder, "me", sizeof("me"));
	election_saw(&election, &lease, 0);
	assert_false(election.leading);
	assert_int_equal(election_wish(&election, 0, WALL_US, &lease), ELECTION_WAIT);
	assert_int_equal(election_wish(&election, 15000, WALL_US, &lease), ELECTION_UPDATE);
}

static void releases(void **state)
{
	struct election election = make_leader(1000), other = make();
	struct kube_lease lease;

	(void)state;
	assert_true(election_release(&election, WALL_US + 1, &lease));
	assert_false(election.leading);
	assert_string_equal(lease.holder, "");
	assert_int_equal(lease.duration_s, 1);
	assert_false(election_release(&election, WALL_US + 1, &lease));
	election_saw(&other, &lease, 0);
	assert_int_equal(election_wish(&other, 0, WALL_US, &lease), ELECTION_UPDATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creates_what_is_not_there),
		cmocka_unit_test(waits_by_its_own_clock),
		cmocka_unit_test(believes_the_duration_of_the_holder),
		cmocka_unit_test(takes_what_was_released),
		cmocka_unit_test(renews),
		cmocka_unit_test(stops_before_others_begin),
		cmocka_unit_test(stops_when_it_sees_another),
		cmocka_unit_test(does_not_lead_by_its_name_alone),
		cmocka_unit_test(releases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
