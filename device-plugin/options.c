/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/options.h"

#include <errno.h>
#include <string.h>

#include "api/kubelet/kubelet.h"
#include "api/metrics/http_listener.h"
#include "base/macro.h"
#include "base/options.h"

/* On loopback: who wants the network to read it says so. */
#define METRICS_ADDRESS "127.0.0.1:9420"

static int set_config(void *target, const char *value)
{
	struct options *options = target;

	options->config = value;
	return 0;
}

static int set_host_root(void *target, const char *value)
{
	struct options *options = target;

	options->host_root = value;
	return value[0] ? 0 : -EINVAL;
}

static int set_kubelet_dir(void *target, const char *value)
{
	struct options *options = target;

	options->kubelet_dir = value;
	return value[0] ? 0 : -EINVAL;
}

static int set_node_name(void *target, const char *value)
{
	struct options *options = target;

	options->node_name = value;
	return value[0] ? 0 : -EINVAL;
}

static int set_node_labels(void *target, const char *value)
{
	struct options *options = target;

	options->node_labels = value;
	return value[0] ? 0 : -EINVAL;
}

static int set_listen_metrics(void *target, const char *value)
{
	struct options *options = target;
	struct http_address address;

	options->listen_metrics = strcmp(value, "none") == 0 ? NULL : value;
	return options->listen_metrics ? http_address_parse(value, &address, NULL) : 0;
}

static int set_registration(void *target, const char *value)
{
	static const struct {
		const char *name;
		bool classic;
		bool watcher;
	} ways[] = { { "classic", true, false },
		     { "watcher", false, true },
		     { "both", true, true } };
	struct options *options = target;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (strcmp(ways[i].name, value) != 0)
			continue;
		options->classic = ways[i].classic;
		options->watcher = ways[i].watcher;
		return 0;
	}
	return -EINVAL;
}

static int set_log_level(void *target, const char *value)
{
	struct options *options = target;
	int level = log_level_from_name(value);

	if (level < 0)
		return level;
	options->log_level = (enum log_level)level;
	return 0;
}

static int set_log_format(void *target, const char *value)
{
	struct options *options = target;
	int format = log_format_from_name(value);

	if (format < 0)
		return format;
	options->log_format = (enum log_format)format;
	return 0;
}

static int set_once(void *target, _unused_ const char *value)
{
	struct options *options = target;

	options->once = true;
	return 0;
}

static int set_help(void *target, _unused_ const char *value)
{
	struct options *options = target;

	options->help = true;
	return 0;
}

static int set_version(void *target, _unused_ const char *value)
{
	struct options *options = target;

	options->version = true;
	return 0;
}

static const struct option_row rows[] = {
	{ "config", 0, "FILE",
	  "configuration file, read again when it changes (default: whole devices)", set_config },
	{ "host-root", 0, "DIR", "directory that stands for the host's / (default: /)",
	  set_host_root },
	{ "kubelet-dir", 0, "DIR", "directory of the kubelet (default: " KUBELET_DIR ")",
	  set_kubelet_dir },
	{ "node-name", 0, "NAME", "name of this node (default: $NODE_NAME)", set_node_name },
	{ "node-labels", 0, "FILE", "labels of this node, key=\"value\" a line", set_node_labels },
	{ "listen-metrics", 0, "ADDR|none",
	  "HOST:PORT or unix:PATH of metrics and probes (default: " METRICS_ADDRESS ")",
	  set_listen_metrics },
	{ "registration", 0, "classic|watcher|both", "way to the kubelet (default: classic)",
	  set_registration },
	{ "log-level", 0, "error|warning|info|debug", "least level that is logged (default: info)",
	  set_log_level },
	{ "log-format", 0, "text|json", "form of log lines (default: text)", set_log_format },
	{ "once", 0, NULL, "list what would be offered, and exit", set_once },
	{ "help", 0, NULL, "print this text, and exit", set_help },
	{ "version", 0, NULL, "print the version, and exit", set_version },
	{ 0 },
};

int options_parse(int argc, char *const *argv, struct options *ret, struct error *err)
{
	static const struct option_row *const tables[] = { rows, NULL };
	struct options options = { .host_root = "/",
				   .kubelet_dir = KUBELET_DIR,
				   .listen_metrics = METRICS_ADDRESS,
				   .classic = true,
				   .log_level = LOG_LEVEL_INFO,
				   .log_format = LOG_FORMAT_TEXT };
	const char *const *words = (const char *const *)argv + MIN(argc, 1);
	int r = options_read(tables, words, &options, NULL, err);

	if (r < 0)
		return r;
	*ret = options;
	return 0;
}

void options_usage(struct strbuf *out)
{
	strbuf_puts(out, "Usage: silica-device-plugin [OPTION]...\n"
			 "Offers the accelerators of this node to its kubelet.\n\n");
	options_describe(rows, out);
	strbuf_puts(out,
		    "\nSIGHUP reads the configuration and looks for devices; SIGTERM ends it.\n");
}
