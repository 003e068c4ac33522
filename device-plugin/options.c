/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/options.h"

#include <errno.h>
#include <string.h>

#include "api/kubelet/kubelet.h"
#include "api/metrics/http_listener.h"
#include "base/macro.h"
#include "base/parse.h"

/* On loopback: who wants the network to read it says so. */
#define METRICS_ADDRESS "127.0.0.1:9420"

/* A row takes a value through @set, or is a switch when @value is NULL. */
struct option_row {
	const char *name;
	const char *value;
	const char *text;
	int (*set)(struct options *options, const char *value);
};

static int set_config(struct options *options, const char *value)
{
	options->config = value;
	return 0;
}

static int set_host_root(struct options *options, const char *value)
{
	options->host_root = value;
	return value[0] ? 0 : -EINVAL;
}

static int set_kubelet_dir(struct options *options, const char *value)
{
	options->kubelet_dir = value;
	return value[0] ? 0 : -EINVAL;
}

static int set_node_name(struct options *options, const char *value)
{
	options->node_name = value;
	return value[0] ? 0 : -EINVAL;
}

static int set_node_labels(struct options *options, const char *value)
{
	options->node_labels = value;
	return value[0] ? 0 : -EINVAL;
}

static int set_listen_metrics(struct options *options, const char *value)
{
	struct http_address address;

	options->listen_metrics = strcmp(value, "none") == 0 ? NULL : value;
	return options->listen_metrics ? http_address_parse(value, &address, NULL) : 0;
}

static int set_registration(struct options *options, const char *value)
{
	static const struct {
		const char *name;
		bool classic;
		bool watcher;
	} ways[] = { { "classic", true, false },
		     { "watcher", false, true },
		     { "both", true, true } };

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (strcmp(ways[i].name, value) != 0)
			continue;
		options->classic = ways[i].classic;
		options->watcher = ways[i].watcher;
		return 0;
	}
	return -EINVAL;
}

static int set_log_level(struct options *options, const char *value)
{
	int level = log_level_from_name(value);

	if (level < 0)
		return level;
	options->log_level = (enum log_level)level;
	return 0;
}

static int set_log_format(struct options *options, const char *value)
{
	int format = log_format_from_name(value);

	if (format < 0)
		return format;
	options->log_format = (enum log_format)format;
	return 0;
}

static int set_once(struct options *options, _unused_ const char *value)
{
	options->once = true;
	return 0;
}

static int set_help(struct options *options, _unused_ const char *value)
{
	options->help = true;
	return 0;
}

static int set_version(struct options *options, _unused_ const char *value)
{
	options->version = true;
	return 0;
}

static const struct option_row rows[] = {
	{ "config", "FILE", "configuration file, reloaded when it changes (default: whole devices)",
	  set_config },
	{ "host-root", "DIR", "directory that stands for the host's / (default: /)",
	  set_host_root },
	{ "kubelet-dir", "DIR", "directory of the kubelet (default: " KUBELET_DIR ")",
	  set_kubelet_dir },
	{ "node-name", "NAME", "name of this node (default: $NODE_NAME)", set_node_name },
	{ "node-labels", "FILE", "labels of this node, key=\"value\" a line", set_node_labels },
	{ "listen-metrics", "ADDR|none",
	  "HOST:PORT or unix:PATH of metrics and probes (default: " METRICS_ADDRESS ")",
	  set_listen_metrics },
	{ "registration", "classic|watcher|both", "way to the kubelet (default: classic)",
	  set_registration },
	{ "log-level", "error|warning|info|debug", "least level that is logged (default: info)",
	  set_log_level },
	{ "log-format", "text|json", "form of log lines (default: text)", set_log_format },
	{ "once", NULL, "list what would be offered, and exit", set_once },
	{ "help", NULL, "print this text, and exit", set_help },
	{ "version", NULL, "print the version, and exit", set_version },
};

/* Finds the row of "--name" or "--name=value"; *ret_value is NULL or the value. */
static const struct option_row *find_row(const char *word, const char **ret_value)
{
	const char *name = str_starts_with(word, "--");
	const char *equals;
	size_t len;

	if (!name)
		return NULL;
	equals = strchr(name, '=');
	len = equals ? (size_t)(equals - name) : strlen(name);
	*ret_value = equals ? equals + 1 : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strlen(rows[i].name) == len && strncmp(rows[i].name, name, len) == 0)
			return &rows[i];
	return NULL;
}

int options_parse(int argc, char *const *argv, struct options *ret, struct error *err)
{
	struct options options = { .host_root = "/",
				   .kubelet_dir = KUBELET_DIR,
				   .listen_metrics = METRICS_ADDRESS,
				   .classic = true,
				   .log_level = LOG_LEVEL_INFO,
				   .log_format = LOG_FORMAT_TEXT };

	for (int i = 1; i < argc; i++) {
		const char *value = NULL;
		const struct option_row *row = find_row(argv[i], &value);

		if (!row)
			return error_set(err, EINVAL, "unknown option '%s'; see --help", argv[i]);
		if (!row->value && value)
			return error_set(err, EINVAL, "--%s takes no value", row->name);
		if (row->value && !value)
			value = i + 1 < argc ? argv[++i] : NULL;
		if (row->value && !value)
			return error_set(err, EINVAL, "--%s needs a value: %s", row->name,
					 row->value);
		if (row->set(&options, value) < 0)
			return error_set(err, EINVAL, "--%s cannot be '%s', expected %s", row->name,
					 value, row->value);
	}
	*ret = options;
	return 0;
}

void options_usage(struct strbuf *out)
{
	strbuf_puts(out, "Usage: silica-device-plugin [OPTION]...\n"
			 "Offers the accelerators of this node to its kubelet.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *value = rows[i].value ? rows[i].value : "";

		strbuf_printf(out, "  --%s %-*s  %s\n", rows[i].name,
			      (int)(37 - strlen(rows[i].name)), value, rows[i].text);
	}
	strbuf_puts(out,
		    "\nSIGHUP reads the configuration and looks for devices; SIGTERM ends it.\n");
}
