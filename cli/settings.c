/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/settings.h"

#include <errno.h>
#include <string.h>

#include "api/kubelet/kubelet.h"
#include "api/kubelet/podresources_client.h"
#include "base/macro.h"
#include "base/parse.h"

#define WINDOW_MS 10000
#define WINDOW_MAX_MS (60 * 60 * 1000) /* a person waits for it */

/* The number of a word in a table of @n, or -EINVAL. */
static int find_word(const char *const *words, int n, const char *word)
{
	for (int i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -EINVAL;
}

static int set_text(const char **text, const char *value)
{
	*text = value;
	return value[0] ? 0 : -EINVAL;
}

static int set_config(void *target, const char *value)
{
	struct settings *settings = target;

	return set_text(&settings->config, value);
}

static int set_host_root(void *target, const char *value)
{
	struct settings *settings = target;

	return set_text(&settings->host_root, value);
}

static int set_kubelet_dir(void *target, const char *value)
{
	struct settings *settings = target;

	return set_text(&settings->kubelet_dir, value);
}

static int set_node_name(void *target, const char *value)
{
	struct settings *settings = target;

	return set_text(&settings->node_name, value);
}

static int set_node_labels(void *target, const char *value)
{
	struct settings *settings = target;

	return set_text(&settings->node_labels, value);
}

static int set_duration(uint32_t *duration_ms, const char *value)
{
	uint32_t ms;

	if (parse_duration_ms(value, &ms) < 0 || ms > WINDOW_MAX_MS)
		return -EINVAL;
	*duration_ms = ms;
	return 0;
}

static int set_timeout(void *target, const char *value)
{
	struct settings *settings = target;

	return set_duration(&settings->timeout_ms, value) < 0 || settings->timeout_ms == 0 ? -EINVAL
											   : 0;
}

static int set_window(void *target, const char *value)
{
	struct settings *settings = target;

	return set_duration(&settings->window_ms, value);
}

static int set_grace(void *target, const char *value)
{
	struct settings *settings = target;

	return set_duration(&settings->grace_ms, value);
}

static int set_idle_below(void *target, const char *value)
{
	struct settings *settings = target;

	settings->idle = true;
	return parse_u32(value, 100, &settings->idle_below_percent);
}

static int set_output(void *target, const char *value)
{
	static const char *const words[_SETTINGS_OUTPUT_MAX] = {
		[SETTINGS_OUTPUT_TABLE] = "table",
		[SETTINGS_OUTPUT_WIDE] = "wide",
		[SETTINGS_OUTPUT_JSON] = "json",
		[SETTINGS_OUTPUT_YAML] = "yaml",
	};
	struct settings *settings = target;
	int output = find_word(words, _SETTINGS_OUTPUT_MAX, value);

	if (output < 0)
		return output;
	settings->output = (enum settings_output)output;
	return 0;
}

static int set_color(void *target, const char *value)
{
	static const char *const words[_SETTINGS_COLOR_MAX] = {
		[SETTINGS_COLOR_AUTO] = "auto",
		[SETTINGS_COLOR_ALWAYS] = "always",
		[SETTINGS_COLOR_NEVER] = "never",
	};
	struct settings *settings = target;
	int color = find_word(words, _SETTINGS_COLOR_MAX, value);

	if (color < 0)
		return color;
	settings->color = (enum settings_color)color;
	return 0;
}

static int set_free(void *target, const char *value)
{
	static const char *const words[] = { "now", "all" };
	struct settings *settings = target;
	int free = find_word(words, ARRAY_SIZE(words), value);

	settings->free_all = free == 1;
	return free < 0 ? free : 0;
}

static int set_must(void *target, const char *value)
{
	struct settings *settings = target;

	return set_text(&settings->must, value);
}

static int set_check(void *target, _unused_ const char *value)
{
	struct settings *settings = target;

	settings->check = true;
	return 0;
}

static int set_print(void *target, _unused_ const char *value)
{
	struct settings *settings = target;

	settings->print = true;
	return 0;
}

static int set_help(void *target, _unused_ const char *value)
{
	struct settings *settings = target;

	settings->help = true;
	return 0;
}

const struct option_row settings_common[] = {
	{ "color", 0, "auto|always|never", "colours (default: auto, on a terminal)", set_color },
	{ "help", 'h', NULL, "print what the command does, and exit", set_help },
	{ 0 },
};

const struct option_row settings_output[] = {
	{ "output", 'o', "table|wide|json|yaml", "form of the answer (default: table)",
	  set_output },
	{ 0 },
};

const struct option_row settings_node[] = {
	{ "config", 0, "FILE", "configuration of the device plugin (default: built in)",
	  set_config },
	{ "host-root", 0, "DIR", "directory that stands for the host's / (default: /)",
	  set_host_root },
	{ "kubelet-dir", 0, "DIR", "directory of the kubelet (default: " KUBELET_DIR ")",
	  set_kubelet_dir },
	{ "node-name", 0, "NAME", "name of this node (default: $NODE_NAME)", set_node_name },
	{ "node-labels", 0, "FILE", "labels of this node, key=\"value\" a line", set_node_labels },
	{ 0 },
};

const struct option_row settings_kubelet[] = {
	{ "timeout", 0, "DURATION", "how long to wait for the kubelet (default: 10s)",
	  set_timeout },
	{ 0 },
};

const struct option_row settings_status[] = {
	{ "check", 0, NULL, "exit with status 3 if there are warnings or errors", set_check },
	{ "idle-below", 0, "PERCENT", "find devices that are held and used less than that",
	  set_idle_below },
	{ "window", 0, "DURATION", "time over which use is averaged (default: 10s)", set_window },
	{ "grace", 0, "DURATION", "time before that, for what has just begun (default: 0s)",
	  set_grace },
	{ 0 },
};

const struct option_row settings_validate[] = {
	{ "print", 0, NULL, "print the effective configuration", set_print },
	{ 0 },
};

const struct option_row settings_explain[] = {
	{ "must", 0, "ID,...", "allocate: devices that must be in the choice", set_must },
	{ "free", 0, "now|all", "allocate: what to choose from (default: now)", set_free },
	{ 0 },
};

struct settings settings_default(void)
{
	return (struct settings) {
		.program = "silicactl",
		.host_root = "/",
		.kubelet_dir = KUBELET_DIR,
		.timeout_ms = PODRESOURCES_TIMEOUT_MS,
		.window_ms = WINDOW_MS,
	};
}

bool settings_paints(enum settings_color color, bool is_terminal, const char *no_color)
{
	if (color == SETTINGS_COLOR_AUTO)
		return is_terminal && (!no_color || no_color[0] == '\0');
	return color == SETTINGS_COLOR_ALWAYS;
}
