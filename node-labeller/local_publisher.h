/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the publishers share that write labels where nobody answers.
 *
 * Source: none outside the project
 */
#pragma once

#include "base/error.h"
#include "node-labeller/publisher.h"

/**
 * typedef local_write_fn - Writes a picture.
 * @setup: set-up of the publisher
 * @picture: what to write
 * @err: set on failure
 *
 * Return: 0, or a negative errno; it is tried again after the interval.
 */
typedef int (*local_write_fn)(const struct publisher_setup *setup, const struct picture *picture,
			      struct error *err);

/**
 * local_publisher_open() - Make a publisher.
 * @setup: copied
 * @class: its row
 * @write: writes
 * @ret: the publisher
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, or -errno of the event loop.
 */
int local_publisher_open(const struct publisher_setup *setup, const struct publisher_class *class,
			 local_write_fn write, struct publisher **ret, struct error *err);

/**
 * local_publisher_publish() - Write, if the labels are others than the last ones.
 * @base: made by local_publisher_open()
 * @picture: taken over
 */
void local_publisher_publish(struct publisher *base, struct picture *picture);

/**
 * local_publisher_refresh() - Write again.
 * @base: made by local_publisher_open()
 */
void local_publisher_refresh(struct publisher *base);

/**
 * local_publisher_close() - Release a publisher.
 * @base: made by local_publisher_open()
 */
void local_publisher_close(struct publisher *base);
