/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answers of PodResources, as bytes from anybody.  The first byte says which.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "api/kubelet/podresources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		__builtin_trap();
}

/* Whatever is listed can be found, and the first of equal rows is what is found. */
static void check_table(const struct podresources *table)
{
	expect(table->n <= PODRESOURCES_HOLDINGS_MAX);
	for (size_t i = 0; i < table->n; i++) {
		const struct podresources_holding *row = &table->holdings[i];
		const struct podresources_holding *found =
			podresources_find(table, row->resource, row->device_id);

		expect(found && found <= row);
		expect(strcmp(found->resource, row->resource) == 0);
		expect(strcmp(found->device_id, row->device_id) == 0);
		expect(strlen(row->pod_namespace) <= PODRESOURCES_NAMESPACE_MAX);
		expect(strlen(row->pod_name) <= PODRESOURCES_POD_MAX);
		expect(strlen(row->container) <= PODRESOURCES_CONTAINER_MAX);
	}
}

static size_t count_conflicts(const struct podresources *table)
{
	struct podresources_conflict conflict;
	size_t count = 0;
	size_t at = 0;

	while (podresources_next_conflict(table, &at, &conflict)) {
		expect(conflict.first < conflict.other);
		expect(strcmp(conflict.first->device_id, conflict.other->device_id) == 0);
		count++;
	}
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct podresources table;
	bool is_list;
	int r;

	if (size == 0)
		return 0;
	is_list = data[0] % 2 == 0;
	if (is_list)
		r = podresources_decode_list(data + 1, size - 1, &table, NULL);
	else
		r = podresources_decode_allocatable(data + 1, size - 1, &table, NULL);
	if (r < 0)
		return 0;
	check_table(&table);
	expect(count_conflicts(&table) == 0 || is_list);
	podresources_done(&table);
	return 0;
}
