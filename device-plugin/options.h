/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of silica-device-plugin.
 *
 * Source: POSIX.1-2017, XBD 12, with the long options of GNU
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/log.h"
#include "base/strbuf.h"

/* Ways to the kubelet. */
enum options_registration {
	OPTIONS_REGISTRATION_CLASSIC, /* its Register call */
	OPTIONS_REGISTRATION_WATCHER, /* its plugin watcher */
	OPTIONS_REGISTRATION_BOTH,
};

struct options {
	const char *config; /* NULL: the built-in defaults */
	const char *host_root;
	const char *kubelet_dir;
	const char *node_name;	    /* NULL: from the environment */
	const char *node_labels;    /* file, or NULL */
	const char *listen_metrics; /* address, or NULL for nowhere */
	enum options_registration registration;
	enum log_level log_level;
	enum log_format log_format;
	bool once;
	bool help;
	bool version;
};

/**
 * options_parse() - Read a command line.
 * @argc: number of words, the program's name among them
 * @argv: words; the options borrow them
 * @ret: the options, with defaults for what is not given
 * @err: set on failure; names the word and what is expected
 *
 * Both "--name VALUE" and "--name=VALUE" are understood.
 *
 * Return: 0, or -EINVAL.
 */
int options_parse(int argc, char *const *argv, struct options *ret, struct error *err);

/**
 * options_usage() - Write the text of --help.
 * @out: appended to
 */
void options_usage(struct strbuf *out);
