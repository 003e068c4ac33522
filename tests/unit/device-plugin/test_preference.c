/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/kubelet/deviceplugin.pb-c.h"
#include "base/strbuf.h"
#include "device-plugin/preference.h"
#include "tests/test.h"
#include "tests/unit/device-plugin/request.h"

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The sorted IDs of the answer, with spaces between them. */
static void prefer(const struct request_fixture *fixture, const char *available,
		   const char *must_include, int size, struct strbuf *ret_ids)
{
	struct rpc_message request = request_preferred(available, must_include, size);
	struct rpc_message reply = { 0 };
	V1beta1__ContainerPreferredAllocationResponse *container;
	V1beta1__PreferredAllocationResponse *response;

	assert_int_equal(preference_answer(fixture->pairs, PREFERRED_ALIGNED, request.data,
					   request.len, &reply, NULL),
			 0);
	response = v1beta1__preferred_allocation_response__unpack(NULL, reply.len, reply.data);
	assert_int_equal(response->n_container_responses, 1);
	container = response->container_responses[0];
	if (container->n_deviceids > 0)
		qsort(container->deviceids, container->n_deviceids, sizeof(char *), compare_ids);
	for (size_t i = 0; i < container->n_deviceids; i++)
		strbuf_printf(ret_ids, "%s%s", i > 0 ? " " : "", container->deviceids[i]);
	v1beta1__preferred_allocation_response__free_unpacked(response, NULL);
	rpc_message_done(&request);
	rpc_message_done(&reply);
}

#define A0 "A_cores_0-1"
#define A2 "A_cores_2-3"
#define B0 "B_cores_0-1"
#define B2 "B_cores_2-3"
#define C0 "C_cores_0-1"

static void answers_have_the_asked_size(void **state)
{
	static const struct {
		const char *name;
		const char *available;
		const char *must_include;
		int size;
		const char *chosen;
	} cases[] = {
		{ "a started card is finished", A0 " " A2 " " B2, "", 1, B2 },
		{ "two of one card", A0 " " B0 " " B2, "", 2, B0 " " B2 },
		{ "the card of the included one", A0 " " A2 " " B2 " " C0, A2, 2, A0 " " A2 },
		{ "included ones stand in both lists", A0 " " A2, A0 " " A2, 2, A0 " " A2 },
		{ "an ID twice is one", A0 " " A0 " " A0 " " B0, "", 2, A0 " " B0 },
		{ "unknown ones only when needed", "X " A0, "", 1, A0 },
		{ "unknown ones when needed", "X " A0, "", 2, A0 " X" },
		{ "an unknown ID twice is one", "X X X " A0, "X X", 2, A0 " X" },
		{ "unknown ones that must be included", A0 " " A2, "X", 2, A0 " X" },
		{ "fewer than asked for", A0, "", 3, A0 },
		{ "none at all", "", "", 2, "" },
		{ "none wanted", A0 " " A2, "", 0, "" },
	};
	const struct request_fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf ids = STRBUF_INIT(4096);

		prefer(fixture, cases[i].available, cases[i].must_include, cases[i].size, &ids);
		if (strcmp(strbuf_str(&ids), cases[i].chosen) != 0)
			fail_msg("%s: chosen '%s'", cases[i].name, strbuf_str(&ids));
	}
}

static void the_policy_is_that_of_the_resource(void **state)
{
	static const char *const chosen[_PREFERRED_POLICY_MAX] = {
		[PREFERRED_ALIGNED] = B2,
		[PREFERRED_PACKED] = B2,
		[PREFERRED_DISTRIBUTED] = A0,
	};
	const struct request_fixture *fixture = *state;

	for (enum preferred_policy policy = 0; policy < _PREFERRED_POLICY_MAX; policy++) {
		struct rpc_message request = request_preferred(A0 " " A2 " " B2, "", 1);
		struct rpc_message reply = { 0 };
		V1beta1__PreferredAllocationResponse *response;

		assert_int_equal(preference_answer(fixture->pairs, policy, request.data,
						   request.len, &reply, NULL),
				 0);
		response =
			v1beta1__preferred_allocation_response__unpack(NULL, reply.len, reply.data);
		assert_int_equal(response->container_responses[0]->n_deviceids, 1);
		assert_string_equal(response->container_responses[0]->deviceids[0], chosen[policy]);
		v1beta1__preferred_allocation_response__free_unpacked(response, NULL);
		rpc_message_done(&request);
		rpc_message_done(&reply);
	}
}

static void garbage_is_refused(void **state)
{
	static const uint8_t garbage[] = { 0x0a, 0x05, 0x0a };
	const struct request_fixture *fixture = *state;
	struct rpc_message reply = { 0 };
	struct error err = { 0 };

	assert_int_equal(preference_answer(fixture->pairs, PREFERRED_ALIGNED, garbage,
					   sizeof(garbage), &reply, &err),
			 -EINVAL);
	assert_string_equal(err.msg, "3 bytes are no PreferredAllocationRequest");
}

static void negative_size_is_refused(void **state)
{
	const struct request_fixture *fixture = *state;
	struct rpc_message request = request_preferred(A0, "", -1);
	struct rpc_message reply = { 0 };

	assert_int_equal(preference_answer(fixture->pairs, PREFERRED_ALIGNED, request.data,
					   request.len, &reply, NULL),
			 -EINVAL);
	rpc_message_done(&request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_have_the_asked_size, request_setup,
						request_teardown),
		cmocka_unit_test_setup_teardown(the_policy_is_that_of_the_resource, request_setup,
						request_teardown),
		cmocka_unit_test_setup_teardown(garbage_is_refused, request_setup,
						request_teardown),
		cmocka_unit_test_setup_teardown(negative_size_is_refused, request_setup,
						request_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
