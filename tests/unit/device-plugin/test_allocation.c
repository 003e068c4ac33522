/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/kubelet/deviceplugin.pb-c.h"
#include "base/strbuf.h"
#include "device-plugin/allocation.h"
#include "tests/test.h"
#include "tests/unit/device-plugin/request.h"

static struct allocation allocation_with(const struct request_fixture *fixture,
					 const struct unit_set *units, struct claims *claims)
{
	return (struct allocation) { &fixture->tree->host, units, &fixture->terms, claims };
}

static struct allocation allocation_of(const struct request_fixture *fixture,
				       const struct unit_set *units)
{
	return allocation_with(fixture, units, fixture->claims);
}

static unsigned int n_claimed;

static void on_claimed(_unused_ void *ctx)
{
	n_claimed++;
}

/* Makes that nobody holds anything: the kubelet does not list it, for long enough. */
static void release_all(const struct request_fixture *fixture)
{
	(void)claims_confirm(fixture->claims, NULL, 0, 1);
	(void)claims_confirm(fixture->claims, NULL, 0, 3600 * 1000);
}

/* Answers a request and writes the files of the answer as a text: with spaces
 * between them, and '|' between containers. */
static int allocate(const struct request_fixture *fixture, const struct unit_set *units,
		    const char *text, struct strbuf *ret_files, struct error *err)
{
	const struct allocation allocation = allocation_of(fixture, units);
	struct rpc_message request = request_allocate(text);
	_cleanup_rpc_message_ struct rpc_message reply = { 0 };
	V1beta1__AllocateResponse *response;
	int r;

	r = allocation_allocate(&allocation, request.data, request.len, &reply, err);
	rpc_message_done(&request);
	if (r < 0)
		return r;
	response = v1beta1__allocate_response__unpack(NULL, reply.len, reply.data);
	for (size_t i = 0; i < response->n_container_responses; i++) {
		const V1beta1__ContainerAllocateResponse *container =
			response->container_responses[i];

		assert_int_equal(container->n_envs + container->n_mounts + container->n_annotations,
				 0);
		strbuf_puts(ret_files, i > 0 ? "|" : "");
		for (size_t j = 0; j < container->n_devices; j++)
			strbuf_printf(ret_files, "%s%s", j > 0 ? " " : "",
				      container->devices[j]->host_path + strlen("/dev/"));
	}
	v1beta1__allocate_response__free_unpacked(response, NULL);
	return 0;
}

static void containers_get_the_files_of_their_units(void **state)
{
	static const struct {
		bool pairs;
		const char *request;
		const char *files;
	} cases[] = {
		{ false, "A", "a a0 a1 a2 a3 a0-1 a2-3" },
		{ false, "B A", "a a0 a1 a2 a3 a0-1 a2-3 b b0 b1 b2 b3 b0-1 b2-3" },
		{ false, "C C C", "c c0 c1 c2 c3 c0-1 c2-3" },
		{ false, "A|A", "a a0 a1 a2 a3 a0-1 a2-3|a a0 a1 a2 a3 a0-1 a2-3" },
		{ true, "A_cores_0-1", "a a0 a1 a0-1" },
		{ true, "A_cores_2-3", "a a2 a3 a2-3" },
		{ true, "A_cores_2-3 A_cores_0-1", "a a0 a1 a2 a3 a0-1 a2-3" },
		{ true, "B_cores_0-1 A_cores_2-3", "a a2 a3 a2-3 b b0 b1 b0-1" },
	};
	const struct request_fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf files = STRBUF_INIT(4096);

		release_all(fixture);
		assert_int_equal(allocate(fixture, cases[i].pairs ? fixture->pairs : fixture->whole,
					  cases[i].request, &files, NULL),
				 0);
		assert_string_equal(strbuf_str(&files), cases[i].files);
	}
}

static void unusable_requests_are_refused(void **state)
{
	static const struct {
		const char *request;
		int code;
		const char *text;
	} cases[] = {
		{ "", -EINVAL, "the request names no container" },
		{ "|", -EINVAL, "a container of the request names no device of fake.io/card" },
		{ "A|", -EINVAL, "a container of the request names no device of fake.io/card" },
		{ "D", -EINVAL, "fake.io/card has no device 'D'" },
		{ "A D", -EINVAL, "fake.io/card has no device 'D'" },
		{ "A_cores_0-1", -EINVAL, "fake.io/card has no device 'A_cores_0-1'" },
	};
	const struct request_fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf files = STRBUF_INIT(4096);
		struct error err = { 0 };

		assert_int_equal(allocate(fixture, fixture->whole, cases[i].request, &files, &err),
				 cases[i].code);
		assert_string_equal(err.msg, cases[i].text);
	}
}

static void garbage_is_refused(void **state)
{
	static const uint8_t garbage[] = { 0x0a, 0x05, 0x0a };
	const struct request_fixture *fixture = *state;
	const struct allocation allocation = allocation_of(fixture, fixture->whole);
	struct rpc_message reply = { 0 };

	assert_int_equal(allocation_allocate(&allocation, garbage, sizeof(garbage), &reply, NULL),
			 -EINVAL);
	assert_int_equal(allocation_pre_start(&allocation, garbage, sizeof(garbage), &reply, NULL),
			 -EINVAL);
	assert_null(reply.data);
}

static void units_are_checked_at_the_moment_of_allocate(void **state)
{
	const struct request_fixture *fixture = *state;
	_cleanup_strbuf_ struct strbuf files = STRBUF_INIT(4096);
	struct error err = { 0 };

	tree_remove(fixture->tree, "dev/a.works");
	assert_int_equal(allocate(fixture, fixture->whole, "A", &files, &err), -EIO);
	assert_string_equal(err.msg, "device 'A' of fake.io/card is unhealthy: it does not work");
	tree_puts(fixture->tree, "dev/a.works", "");
	assert_int_equal(allocate(fixture, fixture->whole, "A", &files, &err), 0);

	tree_remove(fixture->tree, "dev/a2");
	assert_int_equal(allocate(fixture, fixture->whole, "A", &files, &err), -EIO);
	assert_non_null(strstr(err.msg, "/dev/a2"));
	/* A partition without that core does not mind. */
	release_all(fixture);
	assert_int_equal(allocate(fixture, fixture->pairs, "A_cores_0-1", &files, &err), 0);
	assert_int_equal(allocate(fixture, fixture->pairs, "A_cores_2-3", &files, &err), -EIO);
	/* A regular file in its place is no device. */
	tree_puts(fixture->tree, "dev/a2", "");
	assert_int_equal(allocate(fixture, fixture->whole, "A", &files, &err), -EIO);
}

static void listed_as_unhealthy_is_refused(void **state)
{
	const struct request_fixture *fixture = *state;
	struct device_state states[3];
	struct snapshot *snapshot;
	struct unit_set *units;
	struct error err = { 0 };
	struct strbuf files = STRBUF_INIT(4096);

	memcpy(states, fixture->snapshot->devices, sizeof(states));
	states[1].healthy = false;
	(void)snprintf(states[1].reason, sizeof(states[1].reason), "too hot");
	snapshot = snapshot_new(2, states, 3);
	units = request_units(snapshot, &request_whole);
	assert_int_equal(allocate(fixture, units, "A B", &files, &err), -EIO);
	assert_string_equal(err.msg, "device 'B' of fake.io/card is unhealthy: too hot");
	assert_int_equal(allocate(fixture, units, "A C", &files, &err), 0);
	strbuf_done(&files);
	unit_set_unref(units);
	snapshot_unref(snapshot);
}

static int allocate_one(const struct allocation *allocation, const char *id, struct error *err)
{
	struct rpc_message request = request_allocate(id);
	_cleanup_rpc_message_ struct rpc_message reply = { 0 };
	int r = allocation_allocate(allocation, request.data, request.len, &reply, err);

	rpc_message_done(&request);
	return r;
}

/* Whether or not units overlap now: the next configuration may make them. */
static void what_was_given_is_not_given_as_something_else(void **state)
{
	const struct request_fixture *fixture = *state;
	_cleanup_(claims_freep) struct claims *claims = claims_new(on_claimed, NULL);
	const struct allocation whole = allocation_with(fixture, fixture->whole, claims);
	const struct allocation pairs = allocation_with(fixture, fixture->pairs, claims);
	struct error err = { 0 };

	claims_track(claims, true);
	n_claimed = 0;
	assert_int_equal(allocate_one(&whole, "A", &err), 0);
	assert_int_equal(n_claimed, 1);
	assert_int_equal(allocate_one(&pairs, "A_cores_2-3", &err), -EBUSY);
	assert_non_null(strstr(err.msg, "'A_cores_2-3'"));
	assert_non_null(strstr(err.msg, "overlaps 'A' of fake.io/card, held by"));
	assert_int_equal(allocate_one(&whole, "A", &err), 0);
	assert_int_equal(allocate_one(&pairs, "B_cores_2-3", &err), 0);
	assert_int_equal(allocate_one(&pairs, "B_cores_0-1", &err), 0);
	assert_int_equal(allocate_one(&whole, "B", &err), -EBUSY);
	assert_int_equal(n_claimed, 4);
	/* The kubelet lists nobody: after a while all is free again. */
	assert_int_equal(claims_confirm(claims, NULL, 0, 1), 1);
	assert_int_equal(claims_confirm(claims, NULL, 0, 3600 * 1000), 1);
	assert_int_equal(allocate_one(&whole, "B", &err), 0);
}

static void pre_start_checks_the_same(void **state)
{
	static const struct {
		const char *request;
		int code;
	} cases[] = { { "A", 0 }, { "A B", 0 }, { "D", -EINVAL }, { "", -EINVAL }, { "C", -EIO } };
	const struct request_fixture *fixture = *state;
	const struct allocation allocation = allocation_of(fixture, fixture->whole);

	tree_remove(fixture->tree, "dev/c.works");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rpc_message request = request_pre_start(cases[i].request);
		struct rpc_message reply = { 0 };

		assert_int_equal(
			allocation_pre_start(&allocation, request.data, request.len, &reply, NULL),
			cases[i].code);
		assert_int_equal(reply.len, 0);
		rpc_message_done(&request);
	}
}

/* More shares of a device do not give a container more. */
static void one_share_is_enough(void **state)
{
	static const struct unit_rule shares = { .resource = "fake.io/card",
						 .kind = UNIT_WHOLE,
						 .shares = 4 };
	static const struct {
		const char *request;
		int code;
		bool one_share;
	} cases[] = {
		{ "A::0", 0, true },
		{ "A::0 A::0", 0, true },
		{ "A::0|B::1", 0, true },
		{ "A::0 A::1", -EINVAL, true },
		{ "A::0 B::0", -EINVAL, true },
		{ "A::0 A::1 B::3", 0, false },
	};
	struct request_fixture *fixture = *state;
	_cleanup_(unit_set_unrefp) struct unit_set *units =
		request_units(fixture->snapshot, &shares);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf files = STRBUF_INIT(4096);
		struct error err = { 0 };

		fixture->terms.one_share = cases[i].one_share;
		assert_int_equal(allocate(fixture, units, cases[i].request, &files, &err),
				 cases[i].code);
		assert_string_equal(err.msg,
				    cases[i].code == 0
					    ? ""
					    : "a container asks for 2 of fake.io/card, and may "
					      "have one: more shares do not give it more "
					      "(failRequestsGreaterThanOne)");
	}
}

/* Units of several resources may overlap; the kubelet does not know that. */
static void what_overlaps_is_handed_out_once(void **state)
{
	const struct request_fixture *fixture = *state;
	_cleanup_strbuf_ struct strbuf files = STRBUF_INIT(4096);
	const struct allocation pairs = allocation_of(fixture, fixture->pairs);
	struct rpc_message request = request_pre_start("A_cores_0-1");
	struct rpc_message reply = { 0 };
	struct error err = { 0 };

	claims_track(fixture->claims, true);
	assert_int_equal(allocate(fixture, fixture->whole, "A", &files, NULL), 0);
	assert_int_equal(fixture->n_claimed, 1);
	assert_int_equal(allocate(fixture, fixture->pairs, "A_cores_0-1", &files, &err), -EBUSY);
	assert_string_equal(err.msg, "device 'A_cores_0-1' of fake.io/pair overlaps 'A' of "
				     "fake.io/card, held by a pod that is being started");
	assert_int_equal(allocate(fixture, fixture->pairs, "B_cores_0-1", &files, NULL), 0);
	assert_int_equal(allocate(fixture, fixture->whole, "B", &files, NULL), -EBUSY);
	assert_int_equal(allocate(fixture, fixture->whole, "A", &files, NULL), 0);
	assert_int_equal(fixture->n_claimed, 3);
	/* What has been allocated is started, whoever holds what. */
	assert_int_equal(allocation_pre_start(&pairs, request.data, request.len, &reply, NULL), 0);
	rpc_message_done(&request);
}

/* A unit that is not healthy is not claimed. */
static void what_is_refused_is_not_claimed(void **state)
{
	const struct request_fixture *fixture = *state;
	_cleanup_strbuf_ struct strbuf files = STRBUF_INIT(4096);

	claims_track(fixture->claims, true);
	tree_remove(fixture->tree, "dev/a.works");
	assert_int_equal(allocate(fixture, fixture->whole, "A", &files, NULL), -EIO);
	assert_int_equal(fixture->n_claimed, 0);
	assert_int_equal(allocate(fixture, fixture->pairs, "B_cores_0-1", &files, NULL), 0);
	assert_int_equal(fixture->n_claimed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(containers_get_the_files_of_their_units,
						request_setup, request_teardown),
		cmocka_unit_test_setup_teardown(unusable_requests_are_refused, request_setup,
						request_teardown),
		cmocka_unit_test_setup_teardown(garbage_is_refused, request_setup,
						request_teardown),
		cmocka_unit_test_setup_teardown(units_are_checked_at_the_moment_of_allocate,
						request_setup, request_teardown),
		cmocka_unit_test_setup_teardown(listed_as_unhealthy_is_refused, request_setup,
						request_teardown),
		cmocka_unit_test_setup_teardown(what_was_given_is_not_given_as_something_else,
						request_setup, request_teardown),
		cmocka_unit_test_setup_teardown(pre_start_checks_the_same, request_setup,
						request_teardown),
		cmocka_unit_test_setup_teardown(one_share_is_enough, request_setup,
						request_teardown),
		cmocka_unit_test_setup_teardown(what_overlaps_is_handed_out_once, request_setup,
						request_teardown),
		cmocka_unit_test_setup_teardown(what_is_refused_is_not_claimed, request_setup,
						request_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
