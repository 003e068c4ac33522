/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	configuration --policy--------.
 *	node (timers, udev)--snapshot--+--> apply() --> catalog of resources --> endpoints
 *	holders (PodResources)--claims-'                                            ^
 *	socket directories --events-------------------------------------------------'
 *
 * Everything runs on the loop's thread but the handlers of RPCs, which run on
 * gRPC's thread and read immutable units.  Whatever changes, all resources are made
 * anew from policy, snapshot and claims; what comes out the same is not touched.
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
#include "daemon/config_watch.h"
#include "daemon/node.h"
#include "device-plugin/catalog.h"
#include "device-plugin/cdi_specs.h"
#include "device-plugin/holders.h"
#include "device-plugin/probes.h"
#include "device-plugin/report.h"
#include "device-plugin/socket_dir.h"
#include "device-plugin/stale_sockets.h"
#include "device-plugin/telemetry.h"
#include "drivers/driver.h"
#include "policy/load.h"
#include "policy/policy.h"

#define COMPONENT "plugin"
#define FIRST_ANSWER_MS 2000 /* for drivers that ask more than files; who lists is waiting */

/* A directory of sockets and the way to the kubelet that it stands for. */
struct way {
	struct plugin *plugin;
	enum lifecycle_path path;
	char dir[PATH_MAX];
	struct socket_dir *watch;
};

struct plugin {
	const struct options *options;
	struct host host;
	struct loop *loop;
	struct loop_source *signals;
	struct rpc *rpc;
	struct telemetry *telemetry;
	struct claims *claims;
	struct holders *holders;
	struct catalog *catalog;
	struct policy *policy;
	struct policy *next; /* read, and not yet in force; or NULL */
	struct config_watch *config_watch;
	struct node *node;
	struct snapshot *snapshot; /* the newest; NULL before the first */
	struct cdi_directory *cdi; /* NULL until something uses it */
	bool asking; /* the first answer to who holds what is due; nothing is offered before */
	bool untold; /* which devices are not offered is to be logged */
	struct probes *probes;
	struct way ways[_LIFECYCLE_PATH_MAX];
	char problem[ERROR_TEXT_MAX]; /* what was last complained about when applying */
};

#define _cleanup_plugin_ _cleanup_(plugin_done)

/* --- what is offered --- */

/* A failure is told once, and again when its text changes. */
static void report_problem(struct plugin *plugin, const char *text)
{
	if (error_is_news(plugin->problem, text) && text[0])
		log_warning(COMPONENT, "%s", text);
}

static bool uses_cdi(const struct offer *offer)
{
	for (size_t i = 0; i < offer->n_resources; i++)
		if (offer->resources[i].terms.cdi_kind[0] != '\0')
			return true;
	return false;
}

/* Specs of a resource that no longer uses them are swept, so once begun it goes on. */
static void publish_cdi(struct plugin *plugin, const struct offer *offer)
{
	const char *path = policy_config(plugin->policy)->cdi.directory;
	struct error err = { 0 };
	int r = 0;

	if (!plugin->cdi && !uses_cdi(offer))
		return;
	if (!plugin->cdi)
		r = cdi_directory_new(path, CDI_DIRECTORY_PREFIX, &plugin->cdi, &err);
	if (r == 0)
		r = cdi_specs_publish(plugin->cdi, &plugin->host, plugin->catalog, &err);
	if (r > 0)
		log_info(COMPONENT, "CDI: %d specs changed in '%s'", r, path);
	report_problem(plugin, r < 0 ? error_text(&err, r) : "");
}

/* What an earlier configuration has written where this one does not look. */
static void leave_cdi_directory(struct plugin *plugin, const struct policy *before)
{
	const char *path = policy_config(before)->cdi.directory;
	struct error err = { 0 };
	int r;

	if (!plugin->cdi || strcmp(path, policy_config(plugin->policy)->cdi.directory) == 0)
		return;
	r = cdi_directory_publish(plugin->cdi, NULL, 0, &err);
	if (r < 0)
		log_warning(COMPONENT, "%s", error_text(&err, r));
	else if (r > 0)
		log_info(COMPONENT, "CDI: %d specs changed in '%s'", r, path);
	cdi_directory_free(plugin->cdi);
	plugin->cdi = NULL;
}

/* Says what is not offered; what is, the resources say themselves. */
static void report_rest(const struct snapshot *snapshot, const struct offer *offer)
{
	for (size_t i = 0; i < offer->n_problems; i++)
		log_warning(COMPONENT, "%s", offer->problems[i]);
	report_unoffered(snapshot, offer->rules, offer->n_rules);
}

/* Makes the resources of policy, snapshot and claims. */
static void apply(struct plugin *plugin)
{
	_cleanup_free_ struct unit_claim *claims = NULL;
	_cleanup_offer_ struct offer offer = { 0 };
	struct unit_plan plan;
	struct error err = { 0 };
	ssize_t n_claims;
	int r;

	if (!plugin->snapshot || plugin->asking)
		return;
	n_claims = claims_copy(plugin->claims, &claims);
	r = n_claims < 0 ? error_set(&err, ENOMEM, "no memory for the claims")
			 : policy_offer(plugin->policy, plugin->snapshot, &offer, &err);
	if (r < 0) {
		report_problem(plugin, error_text(&err, r));
		return;
	}
	plan = (struct unit_plan) { .snapshot = plugin->snapshot,
				    .rules = offer.rules,
				    .n_rules = offer.n_rules,
				    .claims = claims,
				    .n_claims = (size_t)n_claims,
				    .blind = !claims_are_known(plugin->claims) };
	catalog_apply(plugin->catalog, &offer, &plan);
	holders_track(plugin->holders, offer.overlap || catalog_hides(plugin->catalog));
	publish_cdi(plugin, &offer);
	if (plugin->untold)
		report_rest(plugin->snapshot, &offer);
	plugin->untold = false;
}

static void on_node_changed(void *ctx, struct snapshot *before, struct snapshot *after)
{
	struct plugin *plugin = ctx;
	report_changes(before, after);
	snapshot_unref(plugin->snapshot);
	plugin->snapshot = snapshot_ref(after);
	if (before->n_devices != after->n_devices)
		plugin->untold = true;
	apply(plugin);
}

/* --- events --- */

static void check(void *ctx)
{
	struct plugin *plugin = ctx;

	catalog_check(plugin->catalog);
	probes_check(plugin->probes);
	/* What has failed may go well now, with nothing else having changed. */
	if (plugin->problem[0])
		apply(plugin);
}

static void on_socket_changed(void *ctx, const char *name, uint32_t mask)
{
	const struct way *way = ctx;

	catalog_dir_event(way->plugin->catalog, way->path, name, mask);
}

static void on_socket_dir_appeared(void *ctx)
{
	const struct way *way = ctx;

	(void)stale_sockets_remove(way->dir, STALE_SOCKET_AGE_S);
	catalog_check(way->plugin->catalog);
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

/* On gRPC's thread. */
static void on_suspect(void *ctx)
{
	struct plugin *plugin = ctx;

	/* Without memory for it, the next periodic rescan will do. */
	(void)loop_post(plugin->loop, rescan_posted, plugin);
}

static void claims_posted(void *ctx)
{
	struct plugin *plugin = ctx;

	apply(plugin);
	holders_ask_soon(plugin->holders);
}

/* On gRPC's thread. */
static void on_claimed(void *ctx)
{
	struct plugin *plugin = ctx;

	/* Without memory for it, Allocate still refuses what overlaps. */
	(void)loop_post(plugin->loop, claims_posted, plugin);
}

static void on_claims_changed(void *ctx)
{
	apply(ctx);
}

/* --- configuration --- */

static void warn(_unused_ void *ctx, const char *text)
{
	log_warning(COMPONENT, "%s", text);
}

static int load_policy(const struct options *options, struct policy **ret, struct error *err)
{
	const struct policy_source source = { options->config, options->node_name,
					      options->node_labels };
	int r = policy_load(&source, ret, err);

	if (r == 0)
		policy_warnings(*ret, warn, NULL);
	return r;
}

static void on_scanned(void *ctx, uint64_t start_ns)
{
	const struct plugin *plugin = ctx;

	telemetry_scan(plugin->telemetry, start_ns);
}

static int watch_node(struct plugin *plugin, const struct policy *before, struct error *err)
{
	const struct node_setup setup = { .loop = plugin->loop,
					  .host = &plugin->host,
					  .scanned = on_scanned,
					  .changed = on_node_changed,
					  .rescanned = check,
					  .ctx = plugin };

	return node_follow_policy(&setup, before, plugin->policy, &plugin->node, &plugin->snapshot,
				  err);
}

/* Puts a policy in force; the watch of the node begins anew if it has to. */
static int take_policy(struct plugin *plugin, struct policy *policy, struct error *err)
{
	_cleanup_(policy_freep) struct policy *before = plugin->policy;
	int r;

	plugin->policy = policy;
	r = watch_node(plugin, before, err);
	if (r < 0) {
		plugin->policy = TAKE_PTR(before);
		policy_free(policy);
		return r;
	}
	leave_cdi_directory(plugin, before);
	plugin->untold = true;
	apply(plugin);
	return 0;
}

static void report_reload(struct plugin *plugin, int r, const struct error *err)
{
	telemetry_reload(plugin->telemetry, r == 0);
	if (r < 0)
		log_error(COMPONENT, "%s; the configuration of before stays in force",
			  error_text(err, r));
	else
		log_info(COMPONENT, "configuration '%s' is in force", plugin->options->config);
}

/* Whoever holds a unit of the configuration before is known now, or cannot be. */
static void take_next(struct plugin *plugin)
{
	struct error err = { 0 };

	if (plugin->next)
		report_reload(plugin, take_policy(plugin, TAKE_PTR(plugin->next), &err), &err);
}

/* Pods may hold units of what an earlier process has offered.  An answer that failed
 * is one, too: it may never come. */
static void on_holders_answered(void *ctx)
{
	struct plugin *plugin = ctx;

	if (plugin->asking) {
		plugin->asking = false;
		apply(plugin);
	}
	take_next(plugin);
}

/*
 * Reads the configuration.  Before it comes into force the kubelet is asked who holds
 * what: cards may be cut in another way now, and a unit that overlaps one of before
 * must not be handed out.
 */
static void reload(void *ctx)
{
	struct plugin *plugin = ctx;
	struct policy *policy = NULL;
	struct error err = { 0 };
	int r;

	if (!plugin->options->config)
		return;
	r = load_policy(plugin->options, &policy, &err);
	if (r < 0) {
		report_reload(plugin, r, &err);
		return;
	}
	policy_free(plugin->next);
	plugin->next = policy;
	claims_track(plugin->claims, true);
	if (!holders_ask(plugin->holders))
		take_next(plugin);
}

static void on_signal(void *ctx, int signo)
{
	struct plugin *plugin = ctx;

	if (signo == SIGHUP) {
		log_info(COMPONENT, "SIGHUP: reading the configuration, looking for devices");
		reload(plugin);
		node_rescan(plugin->node);
		return;
	}
	log_info(COMPONENT, "%s: ending", sigabbrev_np(signo));
	loop_stop(plugin->loop);
}

/* --- start and end --- */

static void plugin_done(struct plugin *plugin)
{
	for (size_t i = 0; i < ARRAY_SIZE(plugin->ways); i++)
		socket_dir_free(plugin->ways[i].watch);
	config_watch_free(plugin->config_watch);
	if (plugin->catalog)
		catalog_stop(plugin->catalog);
	holders_free(plugin->holders);
	/* From here on nothing runs but this thread. */
	rpc_free(plugin->rpc);
	probes_free(plugin->probes);
	catalog_free(plugin->catalog);
	node_free(plugin->node);
	snapshot_unref(plugin->snapshot);
	cdi_directory_free(plugin->cdi);
	claims_free(plugin->claims);
	telemetry_free(plugin->telemetry);
	loop_source_free(plugin->signals);
	loop_free(plugin->loop);
	policy_free(plugin->policy);
	policy_free(plugin->next);
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

static int set_way(struct plugin *plugin, enum lifecycle_path path, const char *name,
		   struct error *err)
{
	const char *kubelet_dir = plugin->options->kubelet_dir;
	struct way *way = &plugin->ways[path];
	int len = snprintf(way->dir, sizeof(way->dir), "%s/%s", kubelet_dir, name);

	way->plugin = plugin;
	way->path = path;
	if (len < 0 || (size_t)len >= sizeof(way->dir))
		return error_set(err, ENAMETOOLONG, "--kubelet-dir '%s' is too long", kubelet_dir);
	return 0;
}

static int set_ways(struct plugin *plugin, struct error *err)
{
	enum options_registration registration = plugin->options->registration;
	int r = 0;

	if (registration != OPTIONS_REGISTRATION_WATCHER)
		r = set_way(plugin, LIFECYCLE_CLASSIC, KUBELET_DEVICE_PLUGIN_DIR, err);
	if (r == 0 && registration != OPTIONS_REGISTRATION_CLASSIC)
		r = set_way(plugin, LIFECYCLE_WATCHER, KUBELET_PLUGIN_REGISTRY_DIR, err);
	return r;
}

static const char *way_dir(const struct plugin *plugin, enum lifecycle_path path)
{
	return plugin->ways[path].plugin ? plugin->ways[path].dir : NULL;
}

static struct snapshot *newest_snapshot(void *ctx)
{
	const struct plugin *plugin = ctx;

	return plugin->snapshot ? snapshot_ref(plugin->snapshot) : NULL;
}

static const struct catalog *the_catalog(void *ctx)
{
	return ((const struct plugin *)ctx)->catalog;
}

static int make_telemetry(struct plugin *plugin, struct error *err)
{
	const struct telemetry_source source = { &plugin->host, newest_snapshot, the_catalog,
						 plugin };

	if (!plugin->options->listen_metrics)
		return 0;
	return telemetry_new(&source, &plugin->telemetry, err);
}

static int make_catalog(struct plugin *plugin, struct error *err)
{
	struct resource_setup setup = {
		.loop = plugin->loop,
		.rpc = plugin->rpc,
		.host = &plugin->host,
		.telemetry = plugin->telemetry,
		.classic_dir = way_dir(plugin, LIFECYCLE_CLASSIC),
		.watcher_dir = way_dir(plugin, LIFECYCLE_WATCHER),
		.suspect = on_suspect,
		.ctx = plugin,
	};

	plugin->claims = claims_new(on_claimed, plugin);
	setup.claims = plugin->claims;
	if (plugin->claims)
		plugin->catalog = catalog_new(&setup);
	return plugin->catalog ? 0 : error_set(err, ENOMEM, "no memory for the resources");
}

static int make_holders(struct plugin *plugin, struct error *err)
{
	const struct holders_setup setup = {
		.loop = plugin->loop,
		.rpc = plugin->rpc,
		.kubelet_dir = plugin->options->kubelet_dir,
		.claims = plugin->claims,
		.telemetry = plugin->telemetry,
		.changed = on_claims_changed,
		.answered = on_holders_answered,
		.ctx = plugin,
	};
	int r;

	r = holders_new(&setup, &plugin->holders, err);
	plugin->asking = r == 0 && holders_ask(plugin->holders);
	return r;
}

static int make_probes(struct plugin *plugin, struct error *err)
{
	const struct probes_setup setup = { plugin->loop, plugin->rpc, plugin->catalog,
					    plugin->telemetry, plugin->options->listen_metrics };

	return plugin->telemetry ? probes_new(&setup, &plugin->probes, err) : 0;
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

static int watch_config(struct plugin *plugin, struct error *err)
{
	if (!plugin->options->config)
		return 0;
	return config_watch_new(plugin->loop, plugin->options->config, reload, plugin,
				&plugin->config_watch, err);
}

static int open_host(struct plugin *plugin, struct error *err)
{
	int r = host_open(&plugin->host, plugin->options->host_root, err);

	if (r < 0)
		return error_wrap(err, r, "--host-root");
	return load_policy(plugin->options, &plugin->policy, err);
}

static int start_node(struct plugin *plugin, struct error *err)
{
	int r = watch_node(plugin, NULL, err);

	telemetry_reload(plugin->telemetry, true);
	return r;
}

static int prepare(struct plugin *plugin, struct error *err)
{
	static int (*const steps[])(struct plugin * plugin, struct error * err) = {
		/* What is written while it is read is another one. */
		set_ways,     make_loop,    watch_config, open_host,	     make_telemetry,
		make_catalog, make_holders, start_node,	  watch_socket_dirs, make_probes,
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int r = steps[i](plugin, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int plugin_run(const struct options *options, struct error *err)
{
	_cleanup_plugin_ struct plugin plugin = { .options = options,
						  .host = { .root_fd = -1 },
						  .untold = true };
	int r;

	log_info(COMPONENT, "silica-device-plugin " SILICA_VERSION ", host root '%s', kubelet '%s'",
		 options->host_root, options->kubelet_dir);
	r = prepare(&plugin, err);
	if (r < 0)
		return r;
	return loop_run(plugin.loop, err);
}

/* --- --once --- */

static int list_offer(struct snapshot *snapshot, const struct offer *offer, struct strbuf *out,
		      struct error *err)
{
	const struct unit_plan plan = { .snapshot = snapshot,
					.rules = offer->rules,
					.n_rules = offer->n_rules };

	report_units_header(out);
	for (size_t i = 0; i < offer->n_resources; i++) {
		_cleanup_(unit_set_unrefp) struct unit_set *units = NULL;
		int r = unit_set_build(&plan, offer->resources[i].rule, &units, err);

		if (r < 0)
			return r;
		report_units(units, out);
	}
	return 0;
}

int plugin_list(const struct options *options, struct strbuf *out, struct error *err)
{
	_cleanup_plugin_ struct plugin plugin = { .options = options, .host = { .root_fd = -1 } };
	_cleanup_(inventory_freep) struct inventory *inventory = NULL;
	_cleanup_offer_ struct offer offer = { 0 };
	struct inventory_policy policy;
	const struct driver *const *drivers;
	struct error silence = { 0 };
	size_t n;
	int scanned;
	int r;

	r = open_host(&plugin, err);
	if (r < 0)
		return r;
	policy = policy_inventory(plugin.policy);
	drivers = policy_drivers(plugin.policy, &n);
	if (drivers_ask(drivers, n, &plugin.host, FIRST_ANSWER_MS, &silence) < 0)
		log_warning(COMPONENT, "%s", silence.msg);
	r = inventory_new(&plugin.host, drivers, n, &policy, &inventory, err);
	if (r < 0)
		return r;
	/* One driver that cannot look takes nothing from the devices of the others. */
	scanned = inventory_rescan(inventory, 0, err);
	plugin.snapshot = inventory_snapshot(inventory);
	r = policy_offer(plugin.policy, plugin.snapshot, &offer, scanned < 0 ? NULL : err);
	if (r == 0) {
		report_rest(plugin.snapshot, &offer);
		r = list_offer(plugin.snapshot, &offer, out, scanned < 0 ? NULL : err);
	}
	return scanned < 0 ? scanned : r;
}
