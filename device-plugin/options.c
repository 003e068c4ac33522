/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/options.h"

#include <stddef.h>
#include <string.h>

#include "api/kubelet/kubelet.h"
#include "api/metrics/http_listener.h"
#include "base/macro.h"
#include "base/options.h"

/* On loopback: who wants the network to read it says so. */
#define METRICS_ADDRESS "127.0.0.1:9420"

#define FIELD(name) offsetof(struct options, name)

static const struct option_row rows[] = {
	{ "config", 0, "FILE",
	  "configuration file, read again when it changes (default: whole devices)",
	  option_set_text, FIELD(config) },
	{ "host-root", 0, "DIR", "directory that stands for the host's / (default: /)",
	  option_set_text, FIELD(host_root) },
	{ "kubelet-dir", 0, "DIR", "directory of the kubelet (default: " KUBELET_DIR ")",
	  option_set_text, FIELD(kubelet_dir) },
	{ "node-name", 0, "NAME", "name of this node (default: $NODE_NAME)", option_set_text,
	  FIELD(node_name) },
	{ "node-labels", 0, "FILE", "labels of this node, key=\"value\" a line", option_set_text,
	  FIELD(node_labels) },
	{ "listen-metrics", 0, "ADDR|none",
	  "HOST:PORT or unix:PATH of metrics and probes (default: " METRICS_ADDRESS ")",
	  http_option_set_address, FIELD(listen_metrics) },
	{ "registration", 0, "classic|watcher|both", "way to the kubelet (default: classic)",
	  option_set_choice, FIELD(registration) },
	{ "log-level", 0, LOG_LEVEL_CHOICES, "least level that is logged (default: info)",
	  option_set_choice, FIELD(log_level) },
	{ "log-format", 0, LOG_FORMAT_CHOICES, "form of log lines (default: text)",
	  option_set_choice, FIELD(log_format) },
	{ "once", 0, NULL, "list what would be offered, and exit", option_set_switch, FIELD(once) },
	{ "help", 0, NULL, "print this text, and exit", option_set_switch, FIELD(help) },
	{ "version", 0, NULL, "print the version, and exit", option_set_switch, FIELD(version) },
	{ 0 },
};

int options_parse(int argc, char *const *argv, struct options *ret, struct error *err)
{
	static const struct option_row *const tables[] = { rows, NULL };
	struct options options = { .host_root = "/",
				   .kubelet_dir = KUBELET_DIR,
				   .listen_metrics = METRICS_ADDRESS,
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
