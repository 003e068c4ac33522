/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of a kubelet, as bytes from anybody.  The first byte says which.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/kubelet/messages.h"
#include "base/macro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void allocate(const uint8_t *data, size_t len)
{
	struct kubelet_allocate_request request;

	if (kubelet_decode_allocate(data, len, &request, NULL) < 0)
		return;
	for (size_t i = 0; i < request.n; i++)
		for (size_t j = 0; j < request.containers[i].n; j++)
			if (!request.containers[i].ids[j])
				__builtin_trap();
	kubelet_allocate_request_done(&request);
}

static void pre_start(const uint8_t *data, size_t len)
{
	struct kubelet_allocate_request request;

	if (kubelet_decode_pre_start(data, len, &request, NULL) < 0)
		return;
	if (request.n != 1)
		__builtin_trap();
	kubelet_allocate_request_done(&request);
}

static void preferred(const uint8_t *data, size_t len)
{
	struct kubelet_preferred_request request;

	if (kubelet_decode_preferred(data, len, &request, NULL) < 0)
		return;
	if (request.n > KUBELET_CONTAINERS_MAX)
		__builtin_trap();
	kubelet_preferred_request_done(&request);
}

static void status(const uint8_t *data, size_t len)
{
	struct error err = { 0 };
	bool registered;
	char text[16];

	(void)kubelet_decode_registration_status(data, len, &registered, text, sizeof(text), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const decoders[])(const uint8_t *data, size_t len) = {
		allocate,
		pre_start,
		preferred,
		status,
	};

	if (size > 0)
		decoders[data[0] % ARRAY_SIZE(decoders)](data + 1, size - 1);
	return 0;
}
