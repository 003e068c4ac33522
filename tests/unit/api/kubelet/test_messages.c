/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/kubelet/deviceplugin.pb-c.h"
#include "api/kubelet/messages.h"
#include "api/kubelet/pluginregistration.pb-c.h"
#include "tests/test.h"

/* A wire field of length-delimited type, as in protobuf's encoding guide. */
#define FIELD(number) ((uint8_t)((number) << 3 | 2))

static struct kubelet_device from_table(const void *ctx, size_t i)
{
	return ((const struct kubelet_device *)ctx)[i];
}

static void device_list_has_exact_words_and_topology(_unused_ void **state)
{
	static const struct kubelet_device devices[] = {
		{ "npu-a", true, 0 },
		{ "npu-b", false, 1 },
		{ "npu-c", true, -1 },
		{ "npu-d", true, 1023 },
	};
	struct rpc_message message;
	V1beta1__ListAndWatchResponse *list;

	assert_int_equal(
		kubelet_encode_device_list(ARRAY_SIZE(devices), from_table, devices, &message), 0);
	list = v1beta1__list_and_watch_response__unpack(NULL, message.len, message.data);
	assert_non_null(list);
	assert_int_equal(list->n_devices, ARRAY_SIZE(devices));
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		const V1beta1__Device *device = list->devices[i];

		assert_string_equal(device->id, devices[i].id);
		assert_string_equal(device->health, devices[i].healthy ? "Healthy" : "Unhealthy");
		if (devices[i].numa_node < 0) {
			assert_null(device->topology);
			continue;
		}
		assert_int_equal(device->topology->n_nodes, 1);
		assert_int_equal(device->topology->nodes[0]->id, devices[i].numa_node);
	}
	v1beta1__list_and_watch_response__free_unpacked(list, NULL);
	rpc_message_done(&message);
}

static void empty_device_list_is_an_empty_message(_unused_ void **state)
{
	struct rpc_message message;

	assert_int_equal(kubelet_encode_device_list(0, from_table, NULL, &message), 0);
	assert_int_equal(message.len, 0);
	rpc_message_done(&message);
}

static void device_list_size_is_the_encoded_one_when_all_are_unhealthy(_unused_ void **state)
{
	static const struct {
		size_t id_len;
		int numa_node;
	} cases[] = { { 1, -1 }, { 36, 0 }, { 44, 1 }, { 63, 200 }, { 130, 1023 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char id[160] = { 0 };
		struct kubelet_device devices[3];
		struct rpc_message message;

		memset(id, 'x', cases[i].id_len);
		for (size_t j = 0; j < ARRAY_SIZE(devices); j++)
			devices[j] = (struct kubelet_device) { id, false, cases[i].numa_node };
		assert_int_equal(kubelet_encode_device_list(3, from_table, devices, &message), 0);
		assert_int_equal(kubelet_device_list_size_max(3, from_table, devices), message.len);
		rpc_message_done(&message);
		/* Healthy is the shorter word, and the size is that of the longer. */
		devices[0].healthy = true;
		assert_int_equal(kubelet_encode_device_list(3, from_table, devices, &message), 0);
		assert_true(kubelet_device_list_size_max(3, from_table, devices) > message.len);
		rpc_message_done(&message);
	}
}

static void options_and_registration(_unused_ void **state)
{
	V1beta1__DevicePluginOptions *options;
	V1beta1__RegisterRequest *request;
	struct rpc_message message;

	assert_int_equal(kubelet_encode_options(&message), 0);
	options = v1beta1__device_plugin_options__unpack(NULL, message.len, message.data);
	assert_true(options->get_preferred_allocation_available);
	assert_false(options->pre_start_required);
	v1beta1__device_plugin_options__free_unpacked(options, NULL);
	rpc_message_done(&message);

	assert_int_equal(kubelet_encode_register("s.sock", "furiosa.ai/npu", &message), 0);
	request = v1beta1__register_request__unpack(NULL, message.len, message.data);
	assert_string_equal(request->version, "v1beta1");
	assert_string_equal(request->endpoint, "s.sock");
	assert_string_equal(request->resource_name, "furiosa.ai/npu");
	assert_true(request->options->get_preferred_allocation_available);
	v1beta1__register_request__free_unpacked(request, NULL);
	rpc_message_done(&message);
}

static void plugin_info_names_the_asked_socket(_unused_ void **state)
{
	Pluginregistration__PluginInfo *info;
	struct rpc_message message;

	assert_int_equal(kubelet_encode_plugin_info("furiosa.ai/npu", &message), 0);
	info = pluginregistration__plugin_info__unpack(NULL, message.len, message.data);
	assert_string_equal(info->type, "DevicePlugin");
	assert_string_equal(info->name, "furiosa.ai/npu");
	assert_string_equal(info->endpoint, "");
	assert_int_equal(info->n_supported_versions, 1);
	assert_string_equal(info->supported_versions[0], "v1beta1");
	pluginregistration__plugin_info__free_unpacked(info, NULL);
	rpc_message_done(&message);
}

static void registration_status(_unused_ void **state)
{
	static const uint8_t refused[] = { 2 << 3 | 2, 3, 'w', 'h', 'y' };
	static const uint8_t accepted[] = { 1 << 3, 1 };
	static const uint8_t garbage[] = { 0xff, 0xff, 0xff };
	struct error err = { 0 };
	bool registered = true;
	char text[3];

	assert_int_equal(kubelet_decode_registration_status(refused, sizeof(refused), &registered,
							    text, sizeof(text), &err),
			 0);
	assert_false(registered);
	assert_string_equal(text, "wh"); /* cut to the buffer */
	assert_int_equal(kubelet_decode_registration_status(accepted, sizeof(accepted), &registered,
							    text, sizeof(text), &err),
			 0);
	assert_true(registered);
	assert_string_equal(text, "");
	assert_int_equal(kubelet_decode_registration_status(garbage, sizeof(garbage), &registered,
							    text, sizeof(text), &err),
			 -EINVAL);
	assert_string_equal(err.msg, "3 bytes are no RegistrationStatus");
}

static void allocate_request_lists_containers_and_ids(_unused_ void **state)
{
	static const uint8_t two[] = {
		FIELD(1), 6, FIELD(1), 1, 'a', FIELD(1), 1, 'b', /* two IDs */
		FIELD(1), 0,					 /* none */
	};
	struct kubelet_allocate_request request;
	struct error err = { 0 };

	assert_int_equal(kubelet_decode_allocate(two, sizeof(two), &request, &err), 0);
	assert_int_equal(request.n, 2);
	assert_int_equal(request.containers[0].n, 2);
	assert_string_equal(request.containers[0].ids[0], "a");
	assert_string_equal(request.containers[0].ids[1], "b");
	assert_int_equal(request.containers[1].n, 0);
	kubelet_allocate_request_done(&request);

	assert_int_equal(kubelet_decode_allocate(NULL, 0, &request, &err), 0);
	assert_int_equal(request.n, 0);
	kubelet_allocate_request_done(&request);
}

static void malformed_requests_are_refused(_unused_ void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "\x0a", 1 },			   /* a length is missing */
		{ "\x0a\x05\x0a", 3 },		   /* shorter than it says */
		{ "\xff\xff\xff\xff\xff\xff", 6 }, /* no tag */
		{ "\x0a\x02\x0a\x7f", 4 },	   /* inner length past the end */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const uint8_t *data = (const uint8_t *)cases[i].bytes;
		struct kubelet_preferred_request preferred;
		struct kubelet_allocate_request request;
		struct error err = { 0 };

		assert_int_equal(kubelet_decode_allocate(data, cases[i].len, &request, &err),
				 -EINVAL);
		assert_non_null(strstr(err.msg, "AllocateRequest"));
		assert_int_equal(kubelet_decode_preferred(data, cases[i].len, &preferred, &err),
				 -EINVAL);
	}
}

/* Millions of empty strings are few bytes on the wire and much memory. */
static void requests_have_a_memory_budget(_unused_ void **state)
{
	const size_t n_ids = 4 * 1024 * 1024;
	size_t inner = n_ids * 2;
	uint8_t *data = malloc(inner + 8);
	struct kubelet_allocate_request request;
	struct error err = { 0 };
	size_t at = 0;

	data[at++] = FIELD(1);
	for (size_t left = inner; left > 0; left >>= 7)
		data[at++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
	for (size_t i = 0; i < n_ids; i++) {
		data[at++] = FIELD(1);
		data[at++] = 0;
	}
	assert_int_equal(kubelet_decode_allocate(data, at, &request, &err), -E2BIG);
	assert_non_null(strstr(err.msg, "64 MiB"));
	free(data);
}

static void containers_have_a_maximum(_unused_ void **state)
{
	uint8_t data[2 * (KUBELET_CONTAINERS_MAX + 1)];
	struct kubelet_preferred_request preferred;
	struct kubelet_allocate_request request;
	struct error err = { 0 };

	for (size_t i = 0; i < sizeof(data); i += 2) {
		data[i] = FIELD(1);
		data[i + 1] = 0;
	}
	assert_int_equal(kubelet_decode_allocate(data, sizeof(data), &request, &err), -E2BIG);
	assert_int_equal(kubelet_decode_preferred(data, sizeof(data), &preferred, &err), -E2BIG);
	assert_int_equal(kubelet_decode_allocate(data, sizeof(data) - 2, &request, &err), 0);
	assert_int_equal(request.n, KUBELET_CONTAINERS_MAX);
	kubelet_allocate_request_done(&request);
}

static void pre_start_request_is_one_container(_unused_ void **state)
{
	static const uint8_t one[] = { FIELD(1), 1, 'a' };
	struct kubelet_allocate_request request;
	struct error err = { 0 };

	assert_int_equal(kubelet_decode_pre_start(one, sizeof(one), &request, &err), 0);
	assert_int_equal(request.n, 1);
	assert_int_equal(request.containers[0].n, 1);
	assert_string_equal(request.containers[0].ids[0], "a");
	kubelet_allocate_request_done(&request);
	assert_int_equal(kubelet_decode_pre_start(one, 1, &request, &err), -EINVAL);
}

static void preferred_request_lists_ids_and_size(_unused_ void **state)
{
	static const uint8_t data[] = { FIELD(1), 11,	    FIELD(1), 1,   'a',	   FIELD(1), 1,
					'b',	  FIELD(2), 1,	      'a', 3 << 3, 2 };
	static const uint8_t negative[] = { FIELD(1), 11,   3 << 3, 0xff, 0xff, 0xff, 0xff,
					    0xff,     0xff, 0xff,   0xff, 0xff, 0x01 };
	struct kubelet_preferred_request request;
	struct error err = { 0 };

	assert_int_equal(kubelet_decode_preferred(data, sizeof(data), &request, &err), 0);
	assert_int_equal(request.n, 1);
	assert_int_equal(request.containers[0].available.n, 2);
	assert_string_equal(request.containers[0].available.ids[1], "b");
	assert_int_equal(request.containers[0].must_include.n, 1);
	assert_int_equal(request.containers[0].size, 2);
	kubelet_preferred_request_done(&request);

	assert_int_equal(kubelet_decode_preferred(negative, sizeof(negative), &request, &err),
			 -EINVAL);
	assert_string_equal(err.msg, "allocation_size is -1, it cannot be negative");
}

static void preferred_answer_lists_ids_of_each_container(_unused_ void **state)
{
	char *ids[] = { (char[]) { "a" }, (char[]) { "b" } };
	const struct kubelet_ids answers[] = { { ids, 2 }, { NULL, 0 } };
	V1beta1__PreferredAllocationResponse *response;
	struct rpc_message message;

	assert_int_equal(kubelet_encode_preferred(answers, 2, &message), 0);
	response = v1beta1__preferred_allocation_response__unpack(NULL, message.len, message.data);
	assert_int_equal(response->n_container_responses, 2);
	assert_int_equal(response->container_responses[0]->n_deviceids, 2);
	assert_string_equal(response->container_responses[0]->deviceids[1], "b");
	assert_int_equal(response->container_responses[1]->n_deviceids, 0);
	v1beta1__preferred_allocation_response__free_unpacked(response, NULL);
	rpc_message_done(&message);
}

static void allocations_carry_device_files(_unused_ void **state)
{
	struct kubelet_device_spec specs[] = { { "/dev/rngd/npu0mgmt", "rw" },
					       { "/dev/rngd/npu0pe0", "rw" } };
	const struct kubelet_allocation allocations[] = { { .devices = specs, .n_devices = 2 },
							  { 0 } };
	V1beta1__AllocateResponse *response;
	struct rpc_message message;

	assert_int_equal(kubelet_encode_allocations(allocations, 2, &message), 0);
	response = v1beta1__allocate_response__unpack(NULL, message.len, message.data);
	assert_int_equal(response->n_container_responses, 2);
	assert_int_equal(response->container_responses[0]->n_devices, 2);
	for (size_t i = 0; i < 2; i++) {
		const V1beta1__DeviceSpec *spec = response->container_responses[0]->devices[i];

		assert_string_equal(spec->host_path, specs[i].path);
		assert_string_equal(spec->container_path, specs[i].path);
		assert_string_equal(spec->permissions, "rw");
	}
	assert_int_equal(response->container_responses[1]->n_devices, 0);
	v1beta1__allocate_response__free_unpacked(response, NULL);
	rpc_message_done(&message);
}

static void allocations_carry_all_parts(_unused_ void **state)
{
	struct kubelet_pair envs[] = { { "A", "1" }, { "B", "" } };
	struct kubelet_pair annotations[] = { { "a.b/c", "d" } };
	struct kubelet_mount mounts[] = { { "/in", "/out", true }, { "/in2", "/out2", false } };
	const char *names[] = { "a.b/c=d", "a.b/c=e" };
	const struct kubelet_allocation allocations[] = { {
		.envs = envs,
		.n_envs = 2,
		.mounts = mounts,
		.n_mounts = 2,
		.annotations = annotations,
		.n_annotations = 1,
		.cdi_devices = names,
		.n_cdi_devices = 2,
	} };
	const V1beta1__ContainerAllocateResponse *container;
	V1beta1__AllocateResponse *response;
	struct rpc_message message;

	assert_int_equal(kubelet_encode_allocations(allocations, 1, &message), 0);
	response = v1beta1__allocate_response__unpack(NULL, message.len, message.data);
	assert_int_equal(response->n_container_responses, 1);
	container = response->container_responses[0];
	assert_int_equal(container->n_devices, 0);
	assert_int_equal(container->n_envs, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(container->envs[i]->key, envs[i].key);
		assert_string_equal(container->envs[i]->value, envs[i].value);
		assert_string_equal(container->mounts[i]->container_path, mounts[i].container_path);
		assert_string_equal(container->mounts[i]->host_path, mounts[i].host_path);
		assert_int_equal(container->mounts[i]->read_only, mounts[i].read_only);
		assert_string_equal(container->cdi_devices[i]->name, names[i]);
	}
	assert_int_equal(container->n_mounts, 2);
	assert_int_equal(container->n_annotations, 1);
	assert_string_equal(container->annotations[0]->key, "a.b/c");
	assert_string_equal(container->annotations[0]->value, "d");
	assert_int_equal(container->n_cdi_devices, 2);
	v1beta1__allocate_response__free_unpacked(response, NULL);
	rpc_message_done(&message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_list_has_exact_words_and_topology),
		cmocka_unit_test(empty_device_list_is_an_empty_message),
		cmocka_unit_test(device_list_size_is_the_encoded_one_when_all_are_unhealthy),
		cmocka_unit_test(options_and_registration),
		cmocka_unit_test(plugin_info_names_the_asked_socket),
		cmocka_unit_test(registration_status),
		cmocka_unit_test(allocate_request_lists_containers_and_ids),
		cmocka_unit_test(malformed_requests_are_refused),
		cmocka_unit_test(requests_have_a_memory_budget),
		cmocka_unit_test(containers_have_a_maximum),
		cmocka_unit_test(pre_start_request_is_one_container),
		cmocka_unit_test(preferred_request_lists_ids_and_size),
		cmocka_unit_test(preferred_answer_lists_ids_of_each_container),
		cmocka_unit_test(allocations_carry_device_files),
		cmocka_unit_test(allocations_carry_all_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
