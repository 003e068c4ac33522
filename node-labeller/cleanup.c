/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	look: list the nodes, a part at a time --> names of those that are marked
 *	clean each of them, one after the other, as its own labeller would
 *	look again after a pause, until a look finds none
 */
#include "node-labeller/cleanup.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "api/kubernetes/kube_client.h"
#include "api/kubernetes/kube_list.h"
#include "api/kubernetes/kube_object.h"
#include "api/kubernetes/kube_path.h"
#include "base/backoff.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/macro.h"
#include "node-labeller/picture.h"
#include "node-labeller/plan.h"
#include "node-labeller/publisher.h"

#define COMPONENT "cleanup"
#define USER_AGENT "silica-node-labeller/" SILICA_VERSION
#define PART 50		/* nodes of one part of the list: some megabytes */
#define NODES_MAX 65536 /* above what Kubernetes is made for by a factor of ten */
#define PAUSE_MS 3000	/* between two looks: a pod that was told to end has ended */
#define RETRY_MIN_MS 500
#define RETRY_MAX_MS 15000
#define LOOKS_MAX 20 /* a minute; whoever puts labels back then is no remainder */

struct cleanup {
	const struct options *options;
	struct loop *loop;
	struct loop_source *next_timer; /* goes on, from outside of callbacks */
	struct kube_client *client;	/* one for all nodes: a connection is kept */
	struct backoff retry;
	struct kube_call *call;
	struct publisher *publisher; /* of the node that is being cleaned, or NULL */
	char **names;		     /* owned; nodes that are marked */
	size_t n_names;
	size_t next; /* to be cleaned */
	unsigned int n_looks;
	bool looked; /* the list is whole */
	char *token; /* of the next part of the list, or NULL */
	int result;
	struct error *err;
};

static void forget_names(struct cleanup *cleanup)
{
	for (size_t i = 0; i < cleanup->n_names; i++)
		free(cleanup->names[i]);
	free(cleanup->names);
	cleanup->names = NULL;
	cleanup->n_names = 0;
	cleanup->next = 0;
}

static void end(struct cleanup *cleanup, int r)
{
	cleanup->result = r;
	loop_stop(cleanup->loop);
}

static void go_on(struct cleanup *cleanup, uint32_t delay_ms)
{
	(void)loop_timer_set(cleanup->next_timer, delay_ms, 0);
}

/* --- looking --- */

static int take_name(struct cleanup *cleanup, const char *name)
{
	char **names;

	if (cleanup->n_names == NODES_MAX)
		return -E2BIG;
	names = reallocarray(cleanup->names, cleanup->n_names + 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	cleanup->names = names;
	names[cleanup->n_names] = strdup(name);
	if (!names[cleanup->n_names])
		return -ENOMEM;
	cleanup->n_names++;
	return 0;
}

static int look_at(void *ctx, const struct json_t *node)
{
	const char *name = kube_object_name(node);

	return name && plan_is_marked(node) ? take_name(ctx, name) : 0;
}

static int take_part(struct cleanup *cleanup, const struct kube_answer *answer)
{
	_cleanup_(kube_object_freep) struct json_t *list = NULL;
	const char *token;
	int r = kube_object_parse(answer->body, answer->len, &list, cleanup->err);

	if (r == 0)
		r = kube_list_each(list, look_at, cleanup);
	if (r < 0)
		return error_set(cleanup->err, -r, "cannot read the list of nodes");
	token = kube_list_continue(list);
	free(cleanup->token);
	cleanup->token = token ? strdup(token) : NULL;
	if (token && !cleanup->token)
		return error_set(cleanup->err, ENOMEM, "no memory for the list of nodes");
	cleanup->looked = !token;
	return 0;
}

static void on_part(void *ctx, const struct kube_answer *answer)
{
	struct cleanup *cleanup = ctx;
	_cleanup_(kube_call_freep) _unused_ struct kube_call *call = TAKE_PTR(cleanup->call);
	int r;

	if (kube_answer_outcome(answer) == KUBE_RETRY) {
		log_warning(COMPONENT, "cannot list the nodes: %s; will try again",
			    answer->err.msg);
		go_on(cleanup,
		      MAX(answer->retry_after_ms, backoff_next_ms(&cleanup->retry, random_u32())));
		return;
	}
	if (kube_answer_outcome(answer) != KUBE_OK) {
		end(cleanup,
		    error_set(cleanup->err, EIO, "cannot list the nodes: %s", answer->err.msg));
		return;
	}
	r = take_part(cleanup, answer);
	if (r < 0)
		end(cleanup, r);
	else
		go_on(cleanup, 0);
}

static int look(struct cleanup *cleanup)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT(KUBE_PATH_MAX);
	struct kube_request request = { .method = "GET" };
	int r = kube_path_nodes(PART, cleanup->token, &path, cleanup->err);

	if (r < 0)
		return r;
	request.path = strbuf_str(&path);
	return kube_call_start(cleanup->client, &request, on_part, cleanup, &cleanup->call,
			       cleanup->err);
}

/* --- cleaning --- */

/*
 * What fails for now the publisher tries again; who runs the clean-up says for how long.
 * The publisher is still at work in here, so it is released later.
 */
static void on_settled(void *ctx, int r, const struct error *err)
{
	struct cleanup *cleanup = ctx;
	const char *name = cleanup->names[cleanup->next];

	if (r == -EAGAIN)
		return;
	/* A node that has gone meanwhile is as clean as can be. */
	if (r < 0 && r != -ENOENT) {
		end(cleanup, error_set(cleanup->err, EIO, "node '%s': %s", name, err->msg));
		return;
	}
	log_info(COMPONENT, "node '%s' is clean", name);
	cleanup->next++;
	go_on(cleanup, 0);
}

static int clean(struct cleanup *cleanup)
{
	const struct publisher_setup setup = { .loop = cleanup->loop,
					       .options = cleanup->options,
					       .node_name = cleanup->names[cleanup->next],
					       .once = true,
					       .client = cleanup->client,
					       .settled = on_settled,
					       .ctx = cleanup };
	_cleanup_picture_ struct picture nothing;
	int r = publisher_open(&setup, &cleanup->publisher, cleanup->err);

	picture_empty(&nothing);
	if (r == 0)
		cleanup->publisher->class->publish(cleanup->publisher, &nothing);
	return r;
}

/* All that were found are clean: the next look tells whether they stay so. */
static int look_again(struct cleanup *cleanup)
{
	if (cleanup->n_looks++ == LOOKS_MAX)
		return error_set(
			cleanup->err, EBUSY,
			"something puts labels back on %zu nodes, node '%s' among them: is "
			"a labeller still running?",
			cleanup->n_names, cleanup->names[0]);
	forget_names(cleanup);
	cleanup->looked = false;
	go_on(cleanup, PAUSE_MS);
	return 0;
}

static void on_next(void *ctx)
{
	struct cleanup *cleanup = ctx;
	int r = 0;

	publisher_close(cleanup->publisher);
	cleanup->publisher = NULL;
	if (!cleanup->looked)
		r = look(cleanup);
	else if (cleanup->next < cleanup->n_names)
		r = clean(cleanup);
	else if (cleanup->n_names > 0)
		r = look_again(cleanup);
	else
		end(cleanup, 0);
	if (r < 0)
		end(cleanup, r);
}

static void cleanup_done(struct cleanup *cleanup)
{
	publisher_close(cleanup->publisher);
	kube_call_free(cleanup->call);
	kube_client_free(cleanup->client);
	loop_source_free(cleanup->next_timer);
	loop_free(cleanup->loop);
	forget_names(cleanup);
	free(cleanup->token);
}

static int prepare(struct cleanup *cleanup, struct error *err)
{
	_cleanup_kube_config_ struct kube_config config = { 0 };
	int r = kube_config_load(cleanup->options->kubeconfig, &config, err);

	if (r < 0 && cleanup->options->kubeconfig)
		return error_wrap(err, r, "--kubeconfig");
	if (r == 0)
		r = loop_new(&cleanup->loop, err);
	if (r == 0)
		r = loop_add_timer(cleanup->loop, on_next, cleanup, &cleanup->next_timer, err);
	if (r == 0)
		r = kube_client_new(cleanup->loop, &config, USER_AGENT, &cleanup->client, err);
	return r;
}

int cleanup_all_nodes(const struct options *options, struct error *err)
{
	_cleanup_(cleanup_done) struct cleanup cleanup = {
		.options = options, .retry = { RETRY_MIN_MS, RETRY_MAX_MS, 0 }, .err = err
	};
	int r = prepare(&cleanup, err);

	if (r < 0)
		return r;
	go_on(&cleanup, 0);
	r = loop_run(cleanup.loop, err);
	return r < 0 ? r : cleanup.result;
}
