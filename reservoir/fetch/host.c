/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/fetch/host.h"

#include "base/macro.h"

void host_load_init(struct host_load *load, uint32_t ceiling, uint32_t patience_ms)
{
	*load = (struct host_load) {
		.ceiling = MAX(ceiling, 1u),
		.limit = MAX(ceiling, 1u),
		.patience_ms = patience_ms,
	};
}

bool host_load_may_start(const struct host_load *load, uint64_t now_ms)
{
	return load->active < load->limit && now_ms >= load->paused_until_ms;
}

void host_load_answered(struct host_load *load)
{
	load->unreached = 0;
	if (load->limit == load->ceiling || ++load->answers < load->limit)
		return;
	load->limit++;
	load->answers = 0;
}

void host_load_refused(struct host_load *load, uint64_t now_ms, uint64_t wait_ms)
{
	uint64_t until = now_ms + MIN(wait_ms, (uint64_t)HOST_PAUSE_MAX_MS);

	if (wait_ms > 0)
		load->paused_until_ms = MAX(load->paused_until_ms, until);
	load->answers = 0;
	if (load->cut_ms > 0 && now_ms - load->cut_ms < HOST_CUT_MS)
		return;
	load->cut_ms = now_ms;
	load->limit = MAX(load->limit / 2, 1u);
}

void host_load_unreached(struct host_load *load, uint64_t now_ms)
{
	uint64_t pause = (uint64_t)load->patience_ms / HOST_PAUSE_PARTS + 1;

	if (now_ms < load->paused_until_ms || load->unreached >= HOST_GIVE_UP)
		return;
	pause <<= load->unreached++;
	pause = MIN(pause, (uint64_t)load->patience_ms / HOST_PAUSES_MAX_PARTS + 1);
	host_load_refused(load, now_ms, pause);
}

bool host_load_is_dead(const struct host_load *load)
{
	return load->unreached >= HOST_GIVE_UP;
}
