/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at the store every second and whenever `current` is renamed: inotify is
 * quicker, and the look is for file systems of other machines, which do not tell.
 *
 * SIGHUP reads the configuration again.  SIGTERM and SIGINT: /readyz says no, after
 * serve.drain no more connections are taken, and when those there are done or
 * LAST_MS has gone by, it ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/macro.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/serve/server.h"
#include "reservoir/store/mapping.h"

#define TICK_MS 1000u
#define ENDING_TICK_MS 100u
#define LAST_MS 30000u /* what an answer may take once it is to end */

struct serving {
	const struct settings *settings;
	struct loop *loop;
	struct server *server;
	struct loop_source *timer;
	bool ends;
	uint64_t close_ms; /* when connections are refused */
	uint64_t last_ms;  /* when it ends in any case */
};

static void reload(struct serving *serving)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	struct error err = { 0 };
	int r = settings_load_config(serving->settings, &config, &err);

	if (r == 0)
		r = server_reload(serving->server, &config, &err);
	if (r < 0)
		log_error("serve", "the configuration stays as it was: %s", error_text(&err, r));
	else
		log_info("serve", "the configuration was read again");
}

static void on_signal(void *ctx, int signal)
{
	struct serving *serving = ctx;

	if (signal == SIGHUP) {
		reload(serving);
		return;
	}
	if (serving->ends)
		return;
	log_info("serve", "ending");
	serving->ends = true;
	serving->close_ms = clock_ms() + server_drain(serving->server);
	serving->last_ms = serving->close_ms + LAST_MS;
	(void)loop_timer_set(serving->timer, 0, ENDING_TICK_MS);
}

static void on_tick(void *ctx)
{
	struct serving *serving = ctx;

	server_tick(serving->server);
	if (!serving->ends || clock_ms() < serving->close_ms)
		return;
	server_close(serving->server);
	if (server_is_idle(serving->server) || clock_ms() >= serving->last_ms)
		loop_stop(serving->loop);
}

static void on_change(void *ctx, _unused_ const char *name, _unused_ uint32_t mask)
{
	struct serving *serving = ctx;

	server_look(serving->server);
}

static int run(struct serving *serving, struct error *err)
{
	static const int signals[] = { SIGHUP, SIGTERM, SIGINT, 0 };
	_cleanup_(loop_source_freep) struct loop_source *watch = NULL, *on_signals = NULL;
	struct error told;
	int r = loop_add_signals(serving->loop, signals, on_signal, serving, &on_signals, err);

	if (r == 0)
		r = loop_add_timer(serving->loop, on_tick, serving, &serving->timer, err);
	if (r < 0)
		return r;
	if (loop_add_watch(serving->loop, serving->settings->store, IN_MOVED_TO | IN_CREATE,
			   on_change, serving, &watch, &told) < 0)
		log_info("serve", "new generations are seen within a second: %s", told.msg);
	r = loop_timer_set(serving->timer, TICK_MS, TICK_MS);
	if (r == 0)
		r = loop_run(serving->loop, err);
	loop_source_free(serving->timer);
	return r;
}

static void ignore_broken_pipes(void)
{
	struct sigaction ignore = { 0 };

	ignore.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

/* Signals are blocked before the threads of the server begin, which inherit that. */
static int block_signals(struct error *err)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	return sigprocmask(SIG_BLOCK, &set, NULL) < 0
		       ? error_set(err, errno, "signals cannot be blocked: %s", strerror(errno))
		       : 0;
}

/* Each connection is a descriptor, and so is each large answer that is kept ready: more
 * than the 1024 that a shell allows, and no more than the administrator does. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_debug("serve", "the number of open files stays limited: %s", strerror(errno));
}

static int start(struct serving *serving, struct store *store, struct error *err)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	struct server_options options = {
		.store = store,
		.dir = serving->settings->store,
		.listen = serving->settings->listen,
	};
	int r = settings_load_config(serving->settings, &config, err);

	if (r == 0)
		r = block_signals(err);
	if (r == 0)
		r = server_new(&options, &config, &serving->server, err);
	if (r < 0)
		return r;
	log_info("serve", "listening on port %u", server_port(serving->server));
	return 0;
}

static void serving_done(struct serving *serving)
{
	server_free(serving->server);
}

int serve_run(const struct settings *settings, struct error *err)
{
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_(loop_freep) struct loop *loop = NULL;
	_cleanup_(serving_done) struct serving serving = { .settings = settings };
	int r;

	ignore_broken_pipes();
	allow_descriptors();
	(void)mapping_guard(NULL);
	r = store_open(settings->store, STORE_READ, &store, err);
	if (r == 0)
		r = loop_new(&loop, err);
	serving.loop = loop;
	if (r == 0)
		r = start(&serving, store, err);
	if (r == 0)
		r = run(&serving, err);
	return r < 0 ? r : COMMAND_DONE;
}
