/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "api/kubernetes/kube_lease.h"
#include "api/kubernetes/kube_path.h"
#include "base/cleanup.h"

#define SPEC(spec) "{\"metadata\":{\"resourceVersion\":\"7\"},\"spec\":" spec "}"
#define LONG64 "0123456789012345678901234567890123456789012345678901234567890123"

static int read_text(const char *text, struct kube_lease *ret)
{
	_cleanup_(kube_object_freep) struct json_t *object = NULL;

	assert_int_equal(kube_object_parse(text, strlen(text), &object, NULL), 0);
	return kube_lease_read(object, ret, NULL);
}

static void reads(void **state)
{
	struct kube_lease lease;

	(void)state;
	assert_int_equal(read_text(SPEC("{\"holderIdentity\":\"pod-1\",\"leaseDurationSeconds\":15,"
					"\"acquireTime\":\"2026-01-02T03:04:05.000120Z\","
					"\"renewTime\":\"2026-01-02T03:04:06Z\","
					"\"leaseTransitions\":3}"),
				   &lease),
			 0);
	assert_string_equal(lease.holder, "pod-1");
	assert_int_equal(lease.duration_s, 15);
	assert_int_equal(lease.acquired_us, INT64_C(1767323045000120));
	assert_int_equal(lease.renewed_us, INT64_C(1767323046000000));
	assert_int_equal(lease.transitions, 3);
}

static void reads_what_is_missing(void **state)
{
	static const char *const cases[] = { SPEC("{}"), "{}", SPEC("{\"holderIdentity\":null}"),
					     SPEC("{\"renewTime\":\"soon\"}"), SPEC("7") };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kube_lease lease;

		assert_int_equal(read_text(cases[i], &lease), 0);
		assert_string_equal(lease.holder, "");
		assert_int_equal(lease.duration_s, 0);
		assert_int_equal(lease.renewed_us, 0);
	}
}

static void refuses(void **state)
{
	static const char *const cases[] = {
		SPEC("{\"leaseDurationSeconds\":-1}"),
		SPEC("{\"leaseTransitions\":2147483648}"),
		SPEC("{\"holderIdentity\":\"" LONG64 LONG64 LONG64 LONG64 "\"}"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kube_lease lease;

		assert_int_equal(read_text(cases[i], &lease), -EBADMSG);
	}
}

static const struct kube_lease lease = {
	.holder = "pod-1",
	.duration_s = 15,
	.acquired_us = INT64_C(1767323045000120),
	.renewed_us = INT64_C(1767323046000000),
	.transitions = 3,
};

#define LEASE_SPEC                                                                                 \
	"\"spec\":{\"acquireTime\":\"2026-01-02T03:04:05.000120Z\",\"holderIdentity\":\"pod-1\","  \
	"\"leaseDurationSeconds\":15,\"leaseTransitions\":3,\"renewTime\":\"2026-01-02T03:04:06.0" \
	"00000Z\"}}"

static void creates(void **state)
{
	_cleanup_free_ char *body = NULL;

	(void)state;
	assert_int_equal(kube_lease_create("ns", "l", &lease, &body, NULL), 0);
	assert_string_equal(body, "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\","
				  "\"metadata\":{\"name\":\"l\",\"namespace\":\"ns\"}," LEASE_SPEC);
}

static void updates_and_keeps_the_rest(void **state)
{
	static const char text[] = "{\"metadata\":{\"labels\":{\"a\":\"b\"},"
				   "\"resourceVersion\":\"7\"},\"spec\":{\"x\":1}}";
	_cleanup_(kube_object_freep) struct json_t *object = NULL;
	_cleanup_free_ char *body = NULL;
	struct kube_lease again;

	(void)state;
	assert_int_equal(kube_object_parse(text, strlen(text), &object, NULL), 0);
	assert_int_equal(kube_lease_update(object, &lease, &body, NULL), 0);
	assert_string_equal(body, "{\"metadata\":{\"labels\":{\"a\":\"b\"},"
				  "\"resourceVersion\":\"7\"}," LEASE_SPEC);
	assert_int_equal(kube_lease_read(object, &again, NULL), 0);
	assert_string_equal(again.holder, "");
	assert_int_equal(read_text(body, &again), 0);
	assert_memory_equal(&again.acquired_us, &lease.acquired_us, sizeof(lease.acquired_us));
}

static void refuses_to_write(void **state)
{
	_cleanup_(kube_object_freep) struct json_t *object = NULL;
	struct kube_lease wrong = lease;
	char *body = NULL;

	(void)state;
	assert_int_equal(kube_object_parse("{}", 2, &object, NULL), 0);
	assert_int_equal(kube_lease_update(object, &lease, &body, NULL), -EBADMSG);
	wrong.renewed_us = -1;
	assert_int_equal(kube_lease_create("ns", "l", &wrong, &body, NULL), -EINVAL);
	wrong = lease;
	wrong.holder[0] = '\xff';
	assert_int_equal(kube_lease_create("ns", "l", &wrong, &body, NULL), -EINVAL);
	assert_null(body);
}

static void makes_paths(void **state)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT(KUBE_PATH_MAX);

	(void)state;
	assert_int_equal(kube_path_lease("ns", NULL, &path, NULL), 0);
	assert_string_equal(strbuf_str(&path), "/apis/coordination.k8s.io/v1/namespaces/ns/leases");
	assert_int_equal(kube_path_lease("ns", "l.1", &path, NULL), 0);
	assert_string_equal(strbuf_str(&path),
			    "/apis/coordination.k8s.io/v1/namespaces/ns/leases/l.1");
	assert_int_equal(kube_path_lease("../x", "l", &path, NULL), -EINVAL);
	assert_int_equal(kube_path_lease("ns", "a/b", &path, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(reads_what_is_missing),
		cmocka_unit_test(refuses),
		cmocka_unit_test(creates),
		cmocka_unit_test(updates_and_keeps_the_rest),
		cmocka_unit_test(refuses_to_write),
		cmocka_unit_test(makes_paths),
	};

	return cmocka_run_group_tests_name("api/kubernetes/kube_lease", tests, NULL, NULL);
}
