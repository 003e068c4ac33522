/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the picture of a node goes: the API server, a file of NFD's, standard output.
 *
 * Source: none outside the project
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/loop.h"
#include "node-labeller/notices.h"
#include "node-labeller/options.h"
#include "node-labeller/picture.h"
#include "node-labeller/telemetry.h"

struct kube_client;
struct publisher_class;

/* The first member of every publisher. */
struct publisher {
	const struct publisher_class *class;
};

struct publisher_setup {
	struct loop *loop;
	const struct options *options; /* borrowed */
	const char *node_name;	       /* borrowed; "" when not known */
	bool once;		       /* it ends when it has settled: nothing is watched */
	struct kube_client *client;    /* borrowed; NULL makes one, where one is needed */
	struct telemetry *telemetry;   /* borrowed; NULL counts nothing */
	/* Called when the picture is where it belongs (0), and when an attempt has failed:
	 * -EAGAIN when nobody has answered as he should, -ENOENT when there is no such node,
	 * -EACCES when it was refused, or another negative errno.  It is tried again in any
	 * case.  Not from within publish(). */
	void (*settled)(void *ctx, int r, const struct error *err);
	void *ctx;
};

struct publisher_class {
	/* Makes a publisher; fails with -EINVAL or -errno when it can never work. */
	int (*open)(const struct publisher_setup *setup, struct publisher **ret, struct error *err);

	/* Takes the contents of @picture over and begins to publish them. */
	void (*publish)(struct publisher *publisher, struct picture *picture);

	/* Makes sure that what was published is still there. */
	void (*refresh)(struct publisher *publisher);

	/* Tells what has happened on the node; NULL where there is nobody to tell. */
	void (*note)(struct publisher *publisher, const struct notice *notice);
	void (*note_changes)(struct publisher *publisher, const struct snapshot *before,
			     const struct snapshot *after);

	void (*close)(struct publisher *publisher);
};

/**
 * publisher_open() - Make the publisher that the command line names.
 * @setup: copied
 * @ret: the publisher, to be released with publisher_close()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  the API server's place or the node's name is not known, or not usable
 *   -ENOMEM  no memory
 *   -errno   of reading the kubeconfig
 */
int publisher_open(const struct publisher_setup *setup, struct publisher **ret, struct error *err);

/**
 * publisher_close() - Stop to publish; what is published stays.
 * @publisher: publisher or NULL
 */
void publisher_close(struct publisher *publisher);

/* The rows. */
extern const struct publisher_class api_publisher;
extern const struct publisher_class nfd_publisher;
extern const struct publisher_class stdout_publisher;
