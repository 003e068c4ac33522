/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop only says when to look: at once when inotify tells of a change, and every
 * few seconds, because network file systems tell nothing.  The store is opened for each
 * bundle, so that a sync or a gc has its turn in between.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/macro.h"
#include "reservoir/bundle/drop.h"
#include "reservoir/command/bundle_command.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/store/arrivals.h"

#define COMPONENT "watch"
#define SOON_MS 50 /* after a change, as several come at once */
#define RESCAN_MS 3000
#define NOTE_S 30 /* after which what lies there is noted though nothing changed */
#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE)

struct watch {
	const struct settings *settings;
	const char *dir;
	char receipts[4096];
	struct loop *loop;
	struct loop_source *soon;
	struct drop *drop;
	struct drop_result result;
	char told[ERROR_TEXT_MAX];
	struct bundle_context *context; /* while a bundle is tried */
	struct arrivals noted;
};

/* The signals are the loop's, which waits: so they are asked for. */
static bool is_to_stop(_unused_ void *ctx)
{
	sigset_t pending;

	return sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

static int finish(void *ctx, const struct generation_repository *repository,
		  struct digest *ret_served, struct error *err)
{
	struct watch *watch = ctx;

	return bundle_finish(watch->context, repository, ret_served, err);
}

static int import_one(void *ctx, const char *name, struct import_report *ret, struct error *err)
{
	_cleanup_bundle_context_ struct bundle_context context = { 0 };
	struct watch *watch = ctx;
	struct import import = { .dir = watch->dir,
				 .chunk_dir = watch->dir,
				 .name = name,
				 .receipts = watch->receipts,
				 .now = (int64_t)time(NULL),
				 .finish = finish,
				 .stop = is_to_stop,
				 .ctx = watch };
	int r = bundle_context_open(watch->settings, STORE_WRITE, &context, err);

	if (r < 0)
		return r;
	import.store = context.store;
	import.catalogue = context.catalogue;
	import.config = &context.config.bundles;
	watch->context = &context;
	r = import_bundle(&import, ret, err);
	watch->context = NULL;
	return r;
}

static void tell(_unused_ void *ctx, bool is_warning, const char *text)
{
	if (is_warning)
		log_warning(COMPONENT, "%s", text);
	else
		log_info(COMPONENT, "%s", text);
}

/* When it has changed, and now and then, so that it is seen that somebody watches. */
static void note(struct watch *watch)
{
	_cleanup_(store_closep) struct store *store = NULL;
	const struct drop_result *result = &watch->result;
	struct arrivals now = { .looked = (int64_t)time(NULL),
				.waiting = result->files,
				.foreign = result->foreign,
				.rejected = result->in_rejected };
	struct error err = { 0 };
	int r;

	if (now.waiting == watch->noted.waiting && now.foreign == watch->noted.foreign &&
	    now.rejected == watch->noted.rejected && now.looked >= watch->noted.looked &&
	    now.looked - watch->noted.looked < NOTE_S)
		return;
	watch->noted = now;
	r = store_open(watch->settings->store, STORE_READ, &store, &err);
	if (r == 0)
		r = arrivals_set(store, &now, &err);
	if (r < 0)
		log_debug(COMPONENT, "%s", err.msg);
}

static void scan(void *ctx)
{
	struct watch *watch = ctx;
	struct error err = { 0 };
	int r = drop_scan(watch->drop, clock_ms(), &watch->result, &err);

	if (r < 0 && r != -EINTR && error_is_news(watch->told, err.msg))
		log_error(COMPONENT, "%s", err.msg);
	if (r == 0) {
		watch->told[0] = '\0';
		note(watch);
	}
}

static void on_change(void *ctx, _unused_ const char *name, _unused_ uint32_t mask)
{
	struct watch *watch = ctx;

	(void)loop_timer_set(watch->soon, SOON_MS, 0);
}

static void on_signal(void *ctx, _unused_ int signo)
{
	struct watch *watch = ctx;

	loop_stop(watch->loop);
}

static int run_loop(struct watch *watch, struct error *err)
{
	static const int signals[] = { SIGINT, SIGTERM, 0 };
	_cleanup_(loop_freep) struct loop *loop = NULL;
	_cleanup_(loop_source_freep) struct loop_source *soon = NULL;
	_cleanup_(loop_source_freep) struct loop_source *timer = NULL;
	_cleanup_(loop_source_freep) struct loop_source *stop = NULL;
	_cleanup_(loop_source_freep) struct loop_source *changes = NULL;
	struct error note = { 0 };
	int r = loop_new(&loop, err);

	r = r < 0 ? r : loop_add_signals(loop, signals, on_signal, watch, &stop, err);
	r = r < 0 ? r : loop_add_timer(loop, scan, watch, &soon, err);
	r = r < 0 ? r : loop_add_timer(loop, scan, watch, &timer, err);
	if (r < 0)
		return r;
	watch->loop = loop;
	watch->soon = soon;
	/* Without inotify it only takes a few seconds more. */
	if (loop_add_watch(loop, watch->dir, EVENTS, on_change, watch, &changes, &note) < 0)
		log_warning(COMPONENT, "%s; changes are seen every %d ms", note.msg, RESCAN_MS);
	r = loop_timer_set(timer, 1, RESCAN_MS);
	if (r < 0)
		return error_set(err, -r, "a timer: %s", strerror(-r));
	log_info(COMPONENT, "watching %s", watch->dir);
	return loop_run(loop, err);
}

static int find_directory(const struct settings *settings, struct reservoir_config *config,
			  const char **ret, struct error *err)
{
	int r = settings_load_config(settings, config, err);

	if (r < 0)
		return r;
	*ret = settings->n_words > 0 ? settings->words[0] : config->bundles.drop.text;
	if (!(*ret)[0])
		return error_set(err, EINVAL,
				 "which directory? name it, or set 'bundles.drop' in the "
				 "configuration");
	return 0;
}

int watch_run(const struct settings *settings, struct error *err)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	_cleanup_(drop_freep) struct drop *drop = NULL;
	struct watch watch = { .settings = settings };
	struct drop_options options = { .settle_ms = settings->once ? 0 : DROP_SETTLE_MS,
					.import = import_one,
					.tell = tell,
					.ctx = &watch };
	int r = find_directory(settings, &config, &watch.dir, err);

	if (r < 0)
		return r;
	options.dir = watch.dir;
	if (snprintf(watch.receipts, sizeof(watch.receipts), "%s/receipts", watch.dir) >=
	    (int)sizeof(watch.receipts))
		return error_set(err, ENAMETOOLONG, "the drop directory has too long a name");
	r = drop_new(&options, &drop, err);
	if (r < 0)
		return r;
	watch.drop = drop;
	if (!settings->once)
		return run_loop(&watch, err);
	r = drop_scan(drop, clock_ms(), &watch.result, err);
	if (r < 0)
		return r;
	note(&watch);
	return watch.result.rejected + watch.result.failed > 0 ? COMMAND_INCOMPLETE : COMMAND_DONE;
}
