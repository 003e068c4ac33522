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

static int set_duration(_unused_ const struct option_row *row, void *field, const char *value)
{
	uint32_t *duration_ms = field;
	uint32_t ms;

	if (parse_duration_ms(value, &ms) < 0 || ms > WINDOW_MAX_MS)
		return -EINVAL;
	*duration_ms = ms;
	return 0;
}

static int set_timeout(const struct option_row *row, void *field, const char *value)
{
	const uint32_t *timeout_ms = field;

	return set_duration(row, field, value) < 0 || *timeout_ms == 0 ? -EINVAL : 0;
}

static int set_idle_below(_unused_ const struct option_row *row, void *field, const char *value)
{
	struct settings *settings = field;

	settings->idle = true;
	return parse_u32(value, 100, &settings->idle_below_percent);
}

const struct option_row settings_common[] = {
	{ "color", 0, "auto|always|never", "colours (default: auto, on a terminal)",
	  option_set_choice, offsetof(struct settings, color) },
	{ "help", 'h', NULL, "print what the command does, and exit", option_set_switch,
	  offsetof(struct settings, help) },
	{ 0 },
};

const struct option_row settings_output[] = {
	{ "output", 'o', "table|wide|json|yaml", "form of the answer (default: table)",
	  option_set_choice, offsetof(struct settings, output) },
	{ 0 },
};

const struct option_row settings_node[] = {
	{ "config", 0, "FILE", "configuration of the device plugin (default: built in)",
	  option_set_text, offsetof(struct settings, config) },
	{ "host-root", 0, "DIR", "directory that stands for the host's / (default: /)",
	  option_set_text, offsetof(struct settings, host_root) },
	{ "kubelet-dir", 0, "DIR", "directory of the kubelet (default: " KUBELET_DIR ")",
	  option_set_text, offsetof(struct settings, kubelet_dir) },
	{ "node-name", 0, "NAME", "name of this node (default: $NODE_NAME)", option_set_text,
	  offsetof(struct settings, node_name) },
	{ "node-labels", 0, "FILE", "labels of this node, key=\"value\" a line", option_set_text,
	  offsetof(struct settings, node_labels) },
	{ 0 },
};

const struct option_row settings_kubelet[] = {
	{ "timeout", 0, "DURATION", "how long to wait for the kubelet (default: 10s)", set_timeout,
	  offsetof(struct settings, timeout_ms) },
	{ 0 },
};

const struct option_row settings_status[] = {
	{ "check", 0, NULL, "exit with status 3 if there are warnings or errors", option_set_switch,
	  offsetof(struct settings, check) },
	{ "idle-below", 0, "PERCENT", "find devices that are held and used less than that",
	  set_idle_below, 0 },
	{ "window", 0, "DURATION", "time over which use is averaged (default: 10s)", set_duration,
	  offsetof(struct settings, window_ms) },
	{ "grace", 0, "DURATION", "time before that, for what has just begun (default: 0s)",
	  set_duration, offsetof(struct settings, grace_ms) },
	{ 0 },
};

const struct option_row settings_validate[] = {
	{ "print", 0, NULL, "print the effective configuration", option_set_switch,
	  offsetof(struct settings, print) },
	{ 0 },
};

const struct option_row settings_explain[] = {
	{ "must", 0, "ID,...", "allocate: devices that must be in the choice", option_set_text,
	  offsetof(struct settings, must) },
	{ "free", 0, "now|all", "allocate: what to choose from (default: now)", option_set_choice,
	  offsetof(struct settings, free) },
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
