/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command line of silicactl says, and the options that say it.
 *
 * Source: NO_COLOR is that of no-color.org; POSIX.1-2017, XBD 8.2 for the locale
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/options.h"

#define SETTINGS_WORDS_MAX 256 /* files of one validate */

enum settings_output {
	SETTINGS_OUTPUT_TABLE,
	SETTINGS_OUTPUT_WIDE,
	SETTINGS_OUTPUT_JSON,
	SETTINGS_OUTPUT_YAML,
	_SETTINGS_OUTPUT_MAX,
};

enum settings_color {
	SETTINGS_COLOR_AUTO, /* on a terminal, unless NO_COLOR is set */
	SETTINGS_COLOR_ALWAYS,
	SETTINGS_COLOR_NEVER,
	_SETTINGS_COLOR_MAX,
};

/* What explain allocate chooses from. */
enum settings_free {
	SETTINGS_FREE_NOW, /* what nobody holds */
	SETTINGS_FREE_ALL,
};

struct settings {
	const char *program; /* "silicactl", or "kubectl silica" */
	const char *words[SETTINGS_WORDS_MAX];
	size_t n_words;

	const char *config; /* NULL: the built-in defaults */
	const char *host_root;
	const char *kubelet_dir;
	const char *node_name;	 /* NULL: the variable NODE_NAME */
	const char *node_labels; /* file, or NULL */
	uint32_t timeout_ms;	 /* of a call to the kubelet */

	enum settings_output output;
	enum settings_color color;
	bool help;

	/* Of status: how devices that are held and do nothing are told. */
	bool idle; /* look for them */
	uint32_t idle_below_percent;
	uint32_t window_ms;
	uint32_t grace_ms;
	bool check; /* findings make the exit status 3 */

	bool print; /* of validate: the effective configuration */

	/* Of explain allocate. */
	const char *must; /* IDs with commas between them, or NULL */
	enum settings_free free;

	/* What the terminal is like, from main(). */
	bool terminal;
	const char *no_color; /* the variable NO_COLOR, or NULL */
	bool utf8;
	bool paint; /* what follows from these and @color */
};

/* Options that every command has, and those of some. */
extern const struct option_row settings_common[];
extern const struct option_row settings_output[]; /* -o */
extern const struct option_row settings_node[];	  /* which node and configuration */
extern const struct option_row settings_kubelet[];
extern const struct option_row settings_status[];
extern const struct option_row settings_validate[];
extern const struct option_row settings_explain[];

/**
 * settings_default() - What holds without a command line.
 *
 * Return: settings.
 */
struct settings settings_default(void);

/**
 * settings_paints() - Whether colours are to be used.
 * @color: what --color says
 * @is_terminal: standard output is a terminal that can do it
 * @no_color: value of the variable NO_COLOR, or NULL
 *
 * Return: true if so.
 */
bool settings_paints(enum settings_color color, bool is_terminal, const char *no_color);
