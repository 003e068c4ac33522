/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubernetes/kube_lease.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/kubernetes/json.h"
#include "base/parse.h"

#define SECOND_US 1000000
#define MICRO_TIME_SIZE (JSON_TIME_SIZE + sizeof(".000000"))

/* Kubernetes' MicroTime has six digits of a second, always. */
static int print_micro_time(int64_t time_us, char *buf)
{
	char seconds[JSON_TIME_SIZE];
	int r = json_time(time_us / SECOND_US, seconds);

	if (r < 0 || time_us < 0)
		return -EINVAL;
	seconds[strlen(seconds) - 1] = '\0'; /* its Z */
	(void)snprintf(buf, MICRO_TIME_SIZE, "%s.%06" PRId64 "Z", seconds, time_us % SECOND_US);
	return 0;
}

static int64_t parse_micro_time(const char *text)
{
	int64_t seconds = json_parse_time(text);
	const char *dot = seconds != 0 ? strchr(text, '.') : NULL;
	int64_t fraction_us = 0;

	if (dot)
		for (int64_t unit = SECOND_US / 10; *++dot != 'Z' && unit > 0; unit /= 10)
			fraction_us += (*dot - '0') * unit;
	return seconds * SECOND_US + fraction_us;
}

static int read_count(const json_t *spec, const char *key, uint32_t *ret, struct error *err)
{
	json_int_t value = json_integer_value(json_object_get(spec, key));

	if (value < 0 || value > INT32_MAX)
		return error_set(err, EBADMSG, "the lease has '%s' out of range", key);
	*ret = (uint32_t)value;
	return 0;
}

int kube_lease_read(const struct json_t *object, struct kube_lease *ret, struct error *err)
{
	const json_t *spec = JSON_FIND(object, "spec");
	const char *holder = json_text(json_object_get(spec, "holderIdentity"));
	struct kube_lease lease = { 0 };
	int r;

	if (holder && str_copy(lease.holder, sizeof(lease.holder), holder) < 0)
		return error_set(err, EBADMSG, "the lease has a holder with more than %d bytes",
				 KUBE_LEASE_HOLDER_SIZE - 1);
	r = read_count(spec, "leaseDurationSeconds", &lease.duration_s, err);
	if (r == 0)
		r = read_count(spec, "leaseTransitions", &lease.transitions, err);
	if (r < 0)
		return r;
	lease.acquired_us = parse_micro_time(json_text(json_object_get(spec, "acquireTime")));
	lease.renewed_us = parse_micro_time(json_text(json_object_get(spec, "renewTime")));
	*ret = lease;
	return 0;
}

static json_t *make_spec(const struct kube_lease *lease)
{
	char acquired[MICRO_TIME_SIZE], renewed[MICRO_TIME_SIZE];

	if (print_micro_time(lease->acquired_us, acquired) < 0 ||
	    print_micro_time(lease->renewed_us, renewed) < 0)
		return NULL;
	return json_pack("{s:s, s:I, s:s, s:s, s:I}", "holderIdentity", lease->holder,
			 "leaseDurationSeconds", (json_int_t)lease->duration_s, "acquireTime",
			 acquired, "renewTime", renewed, "leaseTransitions",
			 (json_int_t)lease->transitions);
}

int kube_lease_create(const char *namespace_, const char *name, const struct kube_lease *lease,
		      char **ret, struct error *err)
{
	json_t *spec = make_spec(lease);

	if (!spec)
		return error_set(err, EINVAL, "a lease: a text is not UTF-8, or a time is wrong");
	return json_take(json_pack("{s:s, s:s, s:{s:s, s:s}, s:o}", "apiVersion",
				   "coordination.k8s.io/v1", "kind", "Lease", "metadata", "name",
				   name, "namespace", namespace_, "spec", spec),
			 "a lease", ret, err);
}

int kube_lease_update(const struct json_t *object, const struct kube_lease *lease, char **ret,
		      struct error *err)
{
	json_t *spec, *changed;

	if (!kube_object_resource_version(object))
		return error_set(err, EBADMSG, "the lease has no resource version");
	spec = make_spec(lease);
	if (!spec)
		return error_set(err, EINVAL, "a lease: a text is not UTF-8, or a time is wrong");
	changed = json_copy((json_t *)(uintptr_t)object);
	if (!changed || json_object_set_new(changed, "spec", spec) < 0) {
		if (!changed)
			json_decref(spec);
		json_decref(changed);
		return error_set(err, ENOMEM, "no memory for a lease");
	}
	return json_take(changed, "a lease", ret, err);
}
