/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	node (timers, udev)  --snapshot-->  resources  --lists-->  endpoints
 *	socket directories   --events------------------------------^
 *
 * Everything runs on the loop's thread but the handlers of RPCs, which run on
 * gRPC's thread and read immutable snapshots.
 */
#include "device-plugin/plugin.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/grpc/rpc.h"
#include "api/kubelet/kubelet.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/macro.h"
#include "device-plugin/node.h"
#include "device-plugin/report.h"
#include "device-plugin/resource.h"
#include "device-plugin/rules.h"
#include "device-plugin/socket_dir.h"
#include "device-plugin/stale_sockets.h"
#include "drivers/driver.h"

#define COMPONENT "plugin"

/* A directory of sockets and the way to the kubelet that it stands for. */
struct way {
	struct plugin *plugin;
	enum lifecycle_path path;
	char dir[PATH_MAX];
	struct socket_dir *watch;
};

struct plugin {
	const struct config *config;
	struct host host;
	struct unit_rule *rules;
	size_t n_rules;
	struct loop *loop;
	struct loop_source *signals;
	struct rpc *rpc;
	struct resource **resources;
	size_t n_resources;
	struct node *node;
	struct way ways[_LIFECYCLE_PATH_MAX];
};

#define _cleanup_plugin_ _cleanup_(plugin_done)

static void check_resources(void *ctx)
{
	struct plugin *plugin = ctx;

	for (size_t i = 0; i < plugin->n_resources; i++)
		resource_check(plugin->resources[i]);
}

static void on_node_changed(void *ctx, struct snapshot *before, struct snapshot *after)
{
	struct plugin *plugin = ctx;

	report_changes(before, after);
	if (before->n_devices != after->n_devices)
		report_unoffered(after, plugin->rules, plugin->n_rules);
	for (size_t i = 0; i < plugin->n_resources; i++)
		resource_update(plugin->resources[i], after);
}

static void on_socket_changed(void *ctx, const char *name, uint32_t mask)
{
	const struct way *way = ctx;

	for (size_t i = 0; i < way->plugin->n_resources; i++)
		resource_dir_event(way->plugin->resources[i], way->path, name, mask);
}

static void on_socket_dir_appeared(void *ctx)
{
	const struct way *way = ctx;

	(void)stale_sockets_remove(way->dir, STALE_SOCKET_AGE_S);
	check_resources(way->plugin);
}

static const struct socket_dir_events socket_dir_events = {
	.changed = on_socket_changed,
	.look_again = on_socket_dir_appeared,
};

static void rescan_posted(void *ctx)
{
	struct plugin *plugin = ctx;

	node_rescan_soon(plugin->node);
}

static void on_suspect(void *ctx)
{
	struct plugin *plugin = ctx;

	/* Without memory for it, the next periodic rescan will do. */
	(void)loop_post(plugin->loop, rescan_posted, plugin);
}

static void on_signal(void *ctx, int signo)
{
	struct plugin *plugin = ctx;

	if (signo == SIGHUP) {
		log_info(COMPONENT, "SIGHUP: looking for devices");
		node_rescan(plugin->node);
		return;
	}
	log_info(COMPONENT, "%s: ending", sigabbrev_np(signo));
	loop_stop(plugin->loop);
}

static void plugin_done(struct plugin *plugin)
{
	for (size_t i = 0; i < ARRAY_SIZE(plugin->ways); i++)
		socket_dir_free(plugin->ways[i].watch);
	for (size_t i = 0; i < plugin->n_resources; i++)
		resource_stop(plugin->resources[i]);
	/* From here on nothing runs but this thread. */
	rpc_free(plugin->rpc);
	for (size_t i = 0; i < plugin->n_resources; i++)
		resource_free(plugin->resources[i]);
	free(plugin->resources);
	node_free(plugin->node);
	loop_source_free(plugin->signals);
	loop_free(plugin->loop);
	free(plugin->rules);
	host_close(&plugin->host);
}

static int make_loop(struct plugin *plugin, struct error *err)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, 0 };
	int r;

	r = loop_new(&plugin->loop, err);
	if (r < 0)
		return r;
	/* Before gRPC starts its threads, which inherit the signal mask. */
	r = loop_add_signals(plugin->loop, signals, on_signal, plugin, &plugin->signals, err);
	if (r < 0)
		return r;
	return rpc_new(&plugin->rpc, err);
}

static int set_way(struct plugin *plugin, enum lifecycle_path path, const char *kubelet_dir,
		   const char *name, struct error *err)
{
	struct way *way = &plugin->ways[path];
	int len = snprintf(way->dir, sizeof(way->dir), "%s/%s", kubelet_dir, name);

	way->plugin = plugin;
	way->path = path;
	if (len < 0 || (size_t)len >= sizeof(way->dir))
		return error_set(err, ENAMETOOLONG, "--kubelet-dir '%s' is too long", kubelet_dir);
	return 0;
}

static const char *way_dir(const struct plugin *plugin, enum lifecycle_path path)
{
	return plugin->ways[path].plugin ? plugin->ways[path].dir : NULL;
}

static int make_resources(struct plugin *plugin, struct error *err)
{
	size_t n = plugin->n_rules;

	plugin->resources = calloc(n + 1, sizeof(*plugin->resources));
	if (!plugin->resources)
		return error_set(err, ENOMEM, "no memory for %zu resources", n);
	for (size_t i = 0; i < n; i++) {
		const struct resource_setup setup = {
			.loop = plugin->loop,
			.rpc = plugin->rpc,
			.host = &plugin->host,
			.rules = plugin->rules,
			.n_rules = n,
			.rule = i,
			.classic_dir = way_dir(plugin, LIFECYCLE_CLASSIC),
			.watcher_dir = way_dir(plugin, LIFECYCLE_WATCHER),
			.suspect = on_suspect,
			.ctx = plugin,
		};
		int r = resource_new(&setup, &plugin->resources[i], err);

		if (r < 0)
			return r;
		plugin->n_resources++;
	}
	return 0;
}

static struct inventory_policy policy_of(const struct config *config)
{
	return (struct inventory_policy) {
		.health = { .unhealthy_after = config->health.unhealthy_after,
			    .healthy_after = config->health.healthy_after },
		.forget_after_ms = config->health.forget_after_ms,
	};
}

static int watch_node(struct plugin *plugin, struct error *err)
{
	const struct node_setup setup = {
		.loop = plugin->loop,
		.host = &plugin->host,
		.policy = policy_of(plugin->config),
		.probe_interval_ms = plugin->config->health.interval_ms,
		.rescan_interval_ms = plugin->config->rescan_interval_ms,
		.changed = on_node_changed,
		.rescanned = check_resources,
		.ctx = plugin,
	};

	return node_new(&setup, &plugin->node, err);
}

static int watch_socket_dirs(struct plugin *plugin, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(plugin->ways); i++) {
		struct way *way = &plugin->ways[i];
		int r;

		if (!way->plugin)
			continue;
		r = socket_dir_new(plugin->loop, way->dir, &socket_dir_events, way, &way->watch,
				   err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int prepare_host(struct plugin *plugin, const struct options *options, struct error *err)
{
	int r;

	r = host_open(&plugin->host, options->host_root, err);
	if (r < 0)
		return error_wrap(err, r, "--host-root");
	return rules_new(plugin->config, &plugin->rules, &plugin->n_rules, err);
}

static int prepare(struct plugin *plugin, const struct options *options, struct error *err)
{
	int r;

	r = prepare_host(plugin, options, err);
	if (r == 0 && options->classic)
		r = set_way(plugin, LIFECYCLE_CLASSIC, options->kubelet_dir,
			    KUBELET_DEVICE_PLUGIN_DIR, err);
	if (r == 0 && options->watcher)
		r = set_way(plugin, LIFECYCLE_WATCHER, options->kubelet_dir,
			    KUBELET_PLUGIN_REGISTRY_DIR, err);
	if (r == 0)
		r = make_loop(plugin, err);
	if (r == 0)
		r = make_resources(plugin, err);
	if (r == 0)
		r = watch_node(plugin, err);
	if (r == 0)
		r = watch_socket_dirs(plugin, err);
	return r;
}

int plugin_run(const struct options *options, const struct config *config, struct error *err)
{
	_cleanup_plugin_ struct plugin plugin = { .config = config, .host = { .root_fd = -1 } };
	int r;

	log_info(COMPONENT, "silica-device-plugin " SILICA_VERSION ", host root '%s', kubelet '%s'",
		 options->host_root, options->kubelet_dir);
	r = prepare(&plugin, options, err);
	if (r < 0)
		return r;
	return loop_run(plugin.loop, err);
}

static int list_resource(struct snapshot *snapshot, const struct plugin *plugin, size_t rule,
			 struct strbuf *out, struct error *err)
{
	_cleanup_(unit_set_unrefp) struct unit_set *units = NULL;
	int r;

	r = unit_set_build(snapshot, plugin->rules, plugin->n_rules, rule, &units, err);
	if (r < 0)
		return r;
	report_units(units, out);
	return 0;
}

int plugin_list(const struct options *options, const struct config *config, struct strbuf *out,
		struct error *err)
{
	_cleanup_plugin_ struct plugin plugin = { .config = config, .host = { .root_fd = -1 } };
	_cleanup_(inventory_freep) struct inventory *inventory = NULL;
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = NULL;
	const struct inventory_policy policy = policy_of(config);
	const struct driver *const *drivers;
	size_t n;
	int r;

	r = prepare_host(&plugin, options, err);
	if (r < 0)
		return r;
	drivers = driver_registry(&n);
	r = inventory_new(&plugin.host, drivers, n, &policy, &inventory, err);
	if (r == 0)
		r = inventory_rescan(inventory, 0, err);
	if (r < 0)
		return r;
	snapshot = inventory_snapshot(inventory);
	report_unoffered(snapshot, plugin.rules, plugin.n_rules);
	report_units_header(out);
	for (size_t i = 0; i < plugin.n_rules; i++) {
		r = list_resource(snapshot, &plugin, i, out, err);
		if (r < 0)
			return r;
	}
	return 0;
}
