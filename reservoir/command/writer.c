/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGTERM --> end what runs --> give the lease back --> end.  The lease is renewed
 * until nothing writes any more.
 */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "api/kubernetes/kube_client.h"
#include "api/kubernetes/kube_lease.h"
#include "base/backoff.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/macro.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/config/config.h"
#include "reservoir/store/scrub.h"
#include "reservoir/store/store.h"
#include "reservoir/writer/jobs.h"
#include "reservoir/writer/lease.h"

#define COMPONENT "writer"
#define PROGRAM "/proc/self/exe"
#define WATCH_AGAIN_MS 5000 /* after it has ended, which it should not */
#define RETRY_MS 300000	    /* of what failed: it may have waited for watch, or for room */
#define GC_FIRST_MS 300000  /* what is to be fetched or applied comes first */
#define VERIFY_FIRST_MS 600000
#define DEFER_MS 180000		   /* of a sync: watch tries once a minute to write */
#define END_GRACE_MS 20000	   /* below the 30 seconds that Kubernetes gives a pod */
#define COMPLETE_SUFFIX ".minisig" /* the last file of a bundle that is written */

struct writer {
	const struct settings *settings;
	struct reservoir_config config;
	struct kube_config kube;
	char identity[KUBE_LEASE_HOLDER_SIZE];
	struct loop *loop;
	struct loop_source *signals;
	struct loop_source *drop;
	struct jobs *jobs;
	struct kube_client *client;
	struct lease *lease;
	int64_t verified; /* when all was last read, seconds since 1970 */
	bool ending;
};

static void stop_loop(void *ctx)
{
	struct writer *writer = ctx;

	loop_stop(writer->loop);
}

static void on_stopped(void *ctx)
{
	struct writer *writer = ctx;

	if (writer->lease)
		lease_release(writer->lease, stop_loop);
	else
		loop_stop(writer->loop);
}

static void end(struct writer *writer)
{
	/* Who is told twice does not wait. */
	uint32_t grace_ms = writer->ending ? 0 : END_GRACE_MS;

	writer->ending = true;
	jobs_stop(writer->jobs, grace_ms, on_stopped, writer);
}

static void on_signal(void *ctx, int signo)
{
	struct writer *writer = ctx;

	if (signo == SIGCHLD)
		jobs_reap(writer->jobs);
	else
		end(writer);
}

/* --- the lease --- */

static void on_change(void *ctx, bool leading)
{
	struct writer *writer = ctx;

	if (leading) {
		log_info(COMPONENT, "this is the writer now, as '%s'", writer->identity);
		if (!writer->ending)
			jobs_start(writer->jobs);
		return;
	}
	log_warning(COMPONENT, "this is the writer no more: the lease '%s' was lost",
		    writer->settings->lease);
	jobs_stop(writer->jobs, writer->settings->lease_duration_ms / 8,
		  writer->ending ? on_stopped : NULL, writer);
}

static void on_problem(_unused_ void *ctx, const char *text)
{
	log_warning(COMPONENT, "%s", text);
}

static int choose_identity(struct writer *writer, struct error *err)
{
	char host[NI_MAXHOST] = "";
	int n;

	if (writer->settings->identity) {
		n = snprintf(writer->identity, sizeof(writer->identity), "%s",
			     writer->settings->identity);
	} else {
		/* A container that was started anew is another writer in the same pod. */
		if (gethostname(host, sizeof(host) - 1) < 0)
			return error_set(err, errno, "get the name of this machine: %m");
		n = snprintf(writer->identity, sizeof(writer->identity), "%.200s_%08x%08x", host,
			     random_u32(), random_u32());
	}
	if (n < 0 || (size_t)n >= sizeof(writer->identity))
		return error_set(err, EINVAL, "--identity is longer than %d bytes",
				 KUBE_LEASE_HOLDER_SIZE - 1);
	return 0;
}

static int take_part(struct writer *writer, struct error *err)
{
	const struct settings *settings = writer->settings;
	int r;

	r = kube_config_load(settings->kubeconfig, &writer->kube, err);
	if (r >= 0)
		r = choose_identity(writer, err);
	if (r >= 0)
		r = kube_client_new(writer->loop, &writer->kube, "silica-reservoir/" SILICA_VERSION,
				    &writer->client, err);
	if (r < 0)
		return r;
	return lease_new(
		&(struct lease_setup) {
			.loop = writer->loop,
			.client = writer->client,
			.namespace_ = settings->namespace_ ? settings->namespace_
							   : writer->kube.namespace_,
			.name = settings->lease,
			.identity = writer->identity,
			.duration_s = settings->lease_duration_ms / 1000,
			.changed = on_change,
			.problem = on_problem,
			.ctx = writer,
		},
		&writer->lease, err);
}

/* --- what is to be done --- */

static struct job make_job(const struct settings *settings, const char *name)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };
	static const char *const formats[] = { "text", "json" };

	return (struct job) {
		.name = name,
		.argv = { name, "--store", settings->store, "--log-level",
			  levels[settings->log_level], "--log-format",
			  formats[settings->log_format], settings->config ? "--config" : NULL,
			  settings->config, NULL },
	};
}

/* What was carried in by hand does not wait for a sync that may take days. */
static void on_drop(void *ctx, const char *name, _unused_ uint32_t mask)
{
	struct writer *writer = ctx;
	size_t len = strlen(name), suffix = strlen(COMPLETE_SUFFIX);

	if (len > suffix && strcmp(name + len - suffix, COMPLETE_SUFFIX) == 0)
		jobs_defer(writer->jobs, "sync", DEFER_MS);
}

static int add_watch(struct writer *writer, const char *drop, struct error *err)
{
	struct job job = make_job(writer->settings, "watch");
	struct error note = { 0 };
	int r;

	job.interval_ms = WATCH_AGAIN_MS;
	job.stays = true;
	r = jobs_add(writer->jobs, &job, err);
	if (r >= 0 && loop_add_watch(writer->loop, drop, IN_CLOSE_WRITE | IN_MOVED_TO, on_drop,
				     writer, &writer->drop, &note) < 0)
		log_warning(COMPONENT, "%s; a sync is not interrupted for what arrives", note.msg);
	return r;
}

/* What is left of the interval since the last one that came to its end. */
static uint32_t until_verify(int64_t last, uint32_t interval_ms)
{
	int64_t age_ms = ((int64_t)time(NULL) - last) * 1000;

	if (age_ms < 0 || age_ms >= (int64_t)interval_ms)
		return VERIFY_FIRST_MS;
	return MAX((uint32_t)(interval_ms - age_ms), (uint32_t)VERIFY_FIRST_MS);
}

static int add_job(struct writer *writer, struct job job, uint32_t first_ms, uint32_t interval_ms,
		   struct error *err)
{
	job.first_ms = first_ms;
	job.interval_ms = interval_ms;
	job.retry_ms = RETRY_MS;
	return interval_ms > 0 ? jobs_add(writer->jobs, &job, err) : 0;
}

static int add_verify(struct writer *writer, struct error *err)
{
	struct job job = make_job(writer->settings, "verify");
	uint32_t interval_ms = writer->config.verify.interval_ms;
	size_t n = 0;

	while (job.argv[n])
		n++;
	job.argv[n] = "--jobs=1";
	job.idle = true;
	return add_job(writer, job, until_verify(writer->verified, interval_ms), interval_ms, err);
}

static int add_jobs(struct writer *writer, struct error *err)
{
	const struct reservoir_config *config = &writer->config;
	int r = jobs_new(writer->loop, PROGRAM, &writer->jobs, err);

	if (config->sync.interval_ms == 0 && !config->bundles.drop.text[0])
		log_info(COMPONENT, "the configuration has neither 'sync.interval' nor "
				    "'bundles.drop': this only looks after the store");
	if (r >= 0 && config->bundles.drop.text[0])
		r = add_watch(writer, config->bundles.drop.text, err);
	if (r >= 0)
		r = add_job(writer, make_job(writer->settings, "sync"), 0, config->sync.interval_ms,
			    err);
	if (r >= 0)
		r = add_job(writer, make_job(writer->settings, "gc"),
			    MIN((uint32_t)GC_FIRST_MS, config->keep.interval_ms),
			    config->keep.interval_ms, err);
	return r < 0 ? r : add_verify(writer, err);
}

static int start(struct writer *writer, struct error *err)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGCHLD, 0 };
	int r = loop_new(&writer->loop, err);

	if (r >= 0)
		r = loop_add_signals(writer->loop, signals, on_signal, writer, &writer->signals,
				     err);
	if (r >= 0)
		r = add_jobs(writer, err);
	if (r < 0)
		return r;
	if (writer->settings->lease)
		return take_part(writer, err);
	jobs_start(writer->jobs);
	return 0;
}

static void writer_done(struct writer *writer)
{
	lease_free(writer->lease);
	kube_client_free(writer->client);
	jobs_free(writer->jobs);
	loop_source_free(writer->drop);
	loop_source_free(writer->signals);
	loop_free(writer->loop);
	kube_config_done(&writer->kube);
	reservoir_config_done(&writer->config);
}

/* A wrong directory is told now, and not by every child. */
static int look_at_store(struct writer *writer, struct error *err)
{
	_cleanup_(store_closep) struct store *store = NULL;
	int r = store_open(writer->settings->store, STORE_READ, &store, err);

	if (r == 0)
		writer->verified = scrub_last(store);
	return r;
}

int writer_run(const struct settings *settings, struct error *err)
{
	struct writer writer = { .settings = settings };
	int r = settings_load_config(settings, &writer.config, err);

	if (r >= 0)
		r = look_at_store(&writer, err);
	if (r >= 0)
		r = start(&writer, err);
	if (r >= 0)
		r = loop_run(writer.loop, err);
	writer_done(&writer);
	return r < 0 ? r : COMMAND_DONE;
}
