/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/lifecycle.h"

#include "api/kubelet/kubelet.h"

/* The first retry comes soon: a kubelet that has just created its socket may not
 * listen yet.  The longest is short enough that nobody has to help. */
#define RETRY_MIN_MS 200
#define RETRY_MAX_MS 10000

/* A call that has not come back by its deadline never will. */
#define CALL_GUARD_MS (KUBELET_REGISTER_TIMEOUT_MS + 5000)
/* After Register the kubelet opens the stream at once. */
#define STREAM_WAIT_MS 5000
/* A stream that has lived this long ends a run of failures. */
#define SETTLE_MS 10000

struct lifecycle lifecycle_init(enum lifecycle_path path)
{
	return (struct lifecycle) { .path = path,
				    .backoff = { .min_ms = RETRY_MIN_MS, .max_ms = RETRY_MAX_MS } };
}

static struct lifecycle_step set_timer(uint32_t delay_ms)
{
	return (struct lifecycle_step) { LIFECYCLE_NOTHING, LIFECYCLE_TIMER_SET, delay_ms };
}

static struct lifecycle_step retry_later(struct lifecycle *lifecycle, uint32_t random)
{
	return set_timer(backoff_next_ms(&lifecycle->backoff, random));
}

/* What stands between the present state and an open stream. */
static struct lifecycle_step proceed(struct lifecycle *lifecycle)
{
	const struct lifecycle_step wait = { LIFECYCLE_NOTHING, LIFECYCLE_TIMER_STOP, 0 };

	if (!lifecycle->kubelet || lifecycle->watched)
		return wait;
	if (!lifecycle->bound)
		return (struct lifecycle_step) { LIFECYCLE_BIND, LIFECYCLE_TIMER_STOP, 0 };
	if (lifecycle->path == LIFECYCLE_WATCHER || lifecycle->calling)
		return wait;
	lifecycle->calling = true;
	return (struct lifecycle_step) { LIFECYCLE_REGISTER, LIFECYCLE_TIMER_SET, CALL_GUARD_MS };
}

static struct lifecycle_step kubelet_came(struct lifecycle *lifecycle)
{
	lifecycle->kubelet = true;
	/* What was agreed with the kubelet of before is void, and so is a call to
	 * it.  Sockets of watched plugins it leaves alone. */
	if (lifecycle->path == LIFECYCLE_CLASSIC) {
		lifecycle->bound = false;
		lifecycle->calling = false;
		lifecycle->watched = false;
	}
	backoff_reset(&lifecycle->backoff);
	return proceed(lifecycle);
}

static struct lifecycle_step stream_closed(struct lifecycle *lifecycle, uint32_t random)
{
	lifecycle->watched = false;
	/* A kubelet that watches the directory only notices a new socket. */
	if (lifecycle->path == LIFECYCLE_WATCHER)
		lifecycle->bound = false;
	return retry_later(lifecycle, random);
}

static struct lifecycle_step timer_fired(struct lifecycle *lifecycle)
{
	lifecycle->calling = false;
	if (lifecycle->watched)
		backoff_reset(&lifecycle->backoff);
	return proceed(lifecycle);
}

/* Whether an event is about something that was given up meanwhile: a call, or a
 * stream of a socket that is to be replaced. */
static bool is_late(const struct lifecycle *lifecycle, enum lifecycle_event event)
{
	switch (event) {
	case LIFECYCLE_ACCEPTED:
	case LIFECYCLE_REFUSED:
		return !lifecycle->calling;
	case LIFECYCLE_STREAM_OPENED:
	case LIFECYCLE_STREAM_CLOSED:
		return !lifecycle->bound;
	default:
		return false;
	}
}

struct lifecycle_step lifecycle_step(struct lifecycle *lifecycle, enum lifecycle_event event,
				     uint32_t random)
{
	const struct lifecycle_step keep = { LIFECYCLE_NOTHING, LIFECYCLE_TIMER_KEEP, 0 };

	if (is_late(lifecycle, event))
		return keep;
	switch (event) {
	case LIFECYCLE_KUBELET_CAME:
		return kubelet_came(lifecycle);
	case LIFECYCLE_KUBELET_GONE:
		lifecycle->kubelet = false;
		return (struct lifecycle_step) { LIFECYCLE_NOTHING, LIFECYCLE_TIMER_STOP, 0 };
	case LIFECYCLE_SOCKET_GONE:
		lifecycle->bound = false;
		lifecycle->calling = false;
		lifecycle->watched = false;
		return retry_later(lifecycle, random);
	case LIFECYCLE_BOUND:
		lifecycle->bound = true;
		return proceed(lifecycle);
	case LIFECYCLE_ACCEPTED:
		lifecycle->calling = false;
		return set_timer(lifecycle->watched ? SETTLE_MS : STREAM_WAIT_MS);
	case LIFECYCLE_BIND_FAILED:
	case LIFECYCLE_REFUSED:
		lifecycle->calling = false;
		return retry_later(lifecycle, random);
	case LIFECYCLE_STREAM_OPENED:
		lifecycle->watched = true;
		return set_timer(SETTLE_MS);
	case LIFECYCLE_STREAM_CLOSED:
		return stream_closed(lifecycle, random);
	case LIFECYCLE_TIMER:
		return timer_fired(lifecycle);
	case _LIFECYCLE_EVENT_MAX:
		break;
	}
	return keep;
}
