/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubernetes/kube_list.h"

#include "api/kubernetes/json.h"

int kube_list_each(const struct json_t *list, kube_list_fn fn, void *ctx)
{
	const json_t *items = json_object_get(list, "items");
	size_t n = json_array_size(items);

	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(items, i);
		int r = json_is_object(item) ? fn(ctx, item) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

const char *kube_list_continue(const struct json_t *list)
{
	const char *token =
		json_string_value(json_object_get(json_object_get(list, "metadata"), "continue"));

	return token && token[0] ? token : NULL;
}
