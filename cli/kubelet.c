/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/kubelet.h"

#include <errno.h>

#include "api/kubelet/podresources_client.h"
#include "base/macro.h"

enum kubelet_state kubelet_state_of(int r)
{
	static const struct {
		int r;
		enum kubelet_state state;
	} rows[] = {
		{ 0, KUBELET_ANSWERED },	   { -ENOENT, KUBELET_ABSENT },
		{ -ECONNREFUSED, KUBELET_ABSENT }, { -EACCES, KUBELET_REFUSED },
		{ -ETIMEDOUT, KUBELET_SILENT },	   { -ENOSYS, KUBELET_UNSUPPORTED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].r == r)
			return rows[i].state;
	return KUBELET_FAILED;
}

const char *kubelet_state_name(enum kubelet_state state)
{
	static const char *const names[_KUBELET_STATE_MAX] = {
		[KUBELET_ANSWERED] = "answered",       [KUBELET_ABSENT] = "absent",
		[KUBELET_REFUSED] = "refused",	       [KUBELET_SILENT] = "silent",
		[KUBELET_UNSUPPORTED] = "unsupported", [KUBELET_FAILED] = "failed",
	};

	return names[state];
}

int kubelet_ask(const struct settings *settings, struct kubelet *ret, struct error *err)
{
	_cleanup_(rpc_freep) struct rpc *rpc = NULL;
	struct kubelet kubelet = { 0 };
	int r = rpc_new(&rpc, err);

	if (r < 0)
		return r;
	r = podresources_list(rpc, settings->kubelet_dir, settings->timeout_ms, &kubelet.list.table,
			      &kubelet.list.error);
	kubelet.list.state = kubelet_state_of(r);
	/* One that may not be asked, or hangs, is not asked again. */
	if (r == 0)
		r = podresources_allocatable(rpc, settings->kubelet_dir, settings->timeout_ms,
					     &kubelet.allocatable.table,
					     &kubelet.allocatable.error);
	else
		kubelet.allocatable.error = kubelet.list.error;
	kubelet.allocatable.state = kubelet_state_of(r);
	*ret = kubelet;
	return 0;
}

void kubelet_done(struct kubelet *kubelet)
{
	podresources_done(&kubelet->list.table);
	podresources_done(&kubelet->allocatable.table);
	*kubelet = (struct kubelet) { 0 };
}
