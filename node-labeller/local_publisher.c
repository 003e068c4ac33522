/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/local_publisher.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"

struct local_publisher {
	struct publisher base;
	struct publisher_setup setup;
	local_write_fn write;
	struct loop_source *soon; /* nothing settles from within publish() */
	struct picture picture;
	bool written;
	bool same; /* what is to be written is there: it has only to be said */
};

static void on_soon(void *ctx)
{
	struct local_publisher *publisher = ctx;
	struct error err = { 0 };
	int r;

	if (publisher->same) {
		publisher->setup.settled(publisher->setup.ctx, 0, &err);
		return;
	}
	r = publisher->write(&publisher->setup, &publisher->picture, &err);
	publisher->written = r == 0;
	telemetry_published(publisher->setup.telemetry, TELEMETRY_LABELS, r == 0);
	publisher->setup.settled(publisher->setup.ctx, r, &err);
}

int local_publisher_open(const struct publisher_setup *setup, const struct publisher_class *class,
			 local_write_fn write, struct publisher **ret, struct error *err)
{
	struct local_publisher *publisher = calloc(1, sizeof(*publisher));
	int r;

	if (!publisher)
		return error_set(err, ENOMEM, "no memory for the labels");
	publisher->base.class = class;
	publisher->setup = *setup;
	publisher->write = write;
	picture_empty(&publisher->picture);
	r = loop_add_timer(setup->loop, on_soon, publisher, &publisher->soon, err);
	if (r < 0) {
		local_publisher_close(&publisher->base);
		return r;
	}
	*ret = &publisher->base;
	return 0;
}

void local_publisher_publish(struct publisher *base, struct picture *picture)
{
	struct local_publisher *publisher = (struct local_publisher *)base;

	publisher->same = publisher->written &&
			  label_set_equal(&publisher->picture.labels, &picture->labels) &&
			  label_set_equal(&publisher->picture.annotations, &picture->annotations);
	picture_move(&publisher->picture, picture);
	(void)loop_timer_set(publisher->soon, 0, 0);
}

void local_publisher_refresh(struct publisher *base)
{
	struct local_publisher *publisher = (struct local_publisher *)base;

	publisher->same = false;
	(void)loop_timer_set(publisher->soon, 0, 0);
}

void local_publisher_close(struct publisher *base)
{
	struct local_publisher *publisher = (struct local_publisher *)base;

	loop_source_free(publisher->soon);
	picture_done(&publisher->picture);
	free(publisher);
}
