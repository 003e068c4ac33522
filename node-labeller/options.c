/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/options.h"

#include <errno.h>
#include <stddef.h>

#include "api/metrics/http_listener.h"
#include "api/nfd/feature_file.h"
#include "base/macro.h"
#include "base/options.h"
#include "base/parse.h"

#define INTERVAL_MIN_MS 1000
#define INTERVAL_MS 60000
#define INTERVAL_MAX_MS (24 * 60 * 60 * 1000)

static int set_interval(_unused_ const struct option_row *row, void *field, const char *value)
{
	uint32_t *interval_ms = field;

	if (parse_duration_ms(value, interval_ms) < 0)
		return -EINVAL;
	return *interval_ms < INTERVAL_MIN_MS || *interval_ms > INTERVAL_MAX_MS ? -EINVAL : 0;
}

#define FIELD(name) offsetof(struct options, name)

static const struct option_row rows[] = {
	{ "config", 0, "FILE", "configuration file, read again when it changes (default: built in)",
	  option_set_text, FIELD(config) },
	{ "host-root", 0, "DIR", "directory that stands for the host's / (default: /)",
	  option_set_text, FIELD(host_root) },
	{ "node-name", 0, "NAME", "name of this node (default: $NODE_NAME)", option_set_text,
	  FIELD(node_name) },
	{ "node-labels", 0, "FILE", "labels of this node, key=\"value\" a line", option_set_text,
	  FIELD(node_labels) },
	{ "kubeconfig", 0, "FILE", "how to reach the API server (default: as a pod does)",
	  option_set_text, FIELD(kubeconfig) },
	{ "output", 0, "api|nfd|stdout", "where the labels go (default: api)", option_set_choice,
	  FIELD(output) },
	{ "nfd-dir", 0, "DIR", "directory of NFD's files (default: " NFD_FEATURES_DIR ")",
	  option_set_text, FIELD(nfd_dir) },
	{ "interval", 0, "DURATION", "1s to 24h, after which all is checked again (default: 60s)",
	  set_interval, FIELD(interval_ms) },
	{ "listen-metrics", 0, "ADDR|none",
	  "HOST:PORT or unix:PATH of metrics and probes (default: none)", http_option_set_address,
	  FIELD(listen_metrics) },
	{ "log-level", 0, LOG_LEVEL_CHOICES, "least level that is logged (default: info)",
	  option_set_choice, FIELD(log_level) },
	{ "log-format", 0, LOG_FORMAT_CHOICES, "form of log lines (default: text)",
	  option_set_choice, FIELD(log_format) },
	{ "once", 0, NULL, "publish once, and exit", option_set_switch, FIELD(once) },
	{ "cleanup", 0, NULL, "remove all that was published, and exit", option_set_switch,
	  FIELD(cleanup) },
	{ "all-nodes", 0, NULL, "with --cleanup: from every node of the cluster", option_set_switch,
	  FIELD(all_nodes) },
	{ "help", 0, NULL, "print this text, and exit", option_set_switch, FIELD(help) },
	{ "version", 0, NULL, "print the version, and exit", option_set_switch, FIELD(version) },
	{ 0 },
};

static int check(const struct options *options, struct error *err)
{
	if (options->cleanup && options->output == OPTIONS_OUTPUT_STDOUT)
		return error_set(err, EINVAL, "--cleanup removes nothing from standard output");
	if (options->all_nodes && (!options->cleanup || options->output != OPTIONS_OUTPUT_API))
		return error_set(err, EINVAL, "--all-nodes needs --cleanup, and --output api");
	return 0;
}

int options_parse(int argc, char *const *argv, struct options *ret, struct error *err)
{
	static const struct option_row *const tables[] = { rows, NULL };
	struct options options = { .host_root = "/",
				   .output = OPTIONS_OUTPUT_API,
				   .nfd_dir = NFD_FEATURES_DIR,
				   .interval_ms = INTERVAL_MS,
				   .log_level = LOG_LEVEL_INFO,
				   .log_format = LOG_FORMAT_TEXT };
	const char *const *words = (const char *const *)argv + MIN(argc, 1);
	int r = options_read(tables, words, &options, NULL, err);

	if (r == 0)
		r = check(&options, err);
	if (r < 0)
		return r;
	*ret = options;
	return 0;
}

void options_usage(struct strbuf *out)
{
	strbuf_puts(out, "Usage: silica-node-labeller [OPTION]...\n"
			 "Keeps labels on this node that say what its accelerators are.\n\n");
	options_describe(rows, out);
	strbuf_puts(out, "\nSIGHUP reads the configuration, looks for devices and checks the node; "
			 "SIGTERM ends it\nand leaves what is published.\n");
}
