/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silica-device-plugin: reads its command line and configuration, and runs.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/output.h"
#include "base/strbuf.h"
#include "device-plugin/options.h"
#include "device-plugin/plugin.h"
#include "drivers/nvml/child.h"

#define COMPONENT "plugin"
#define OUTPUT_MAX (64 * 1024 * 1024) /* a list of all units that can be */

/* Blocks above this go back to the kernel when they are freed: lists of units
 * and requests come and go, and must not stay in the resident set. */
#define MMAP_THRESHOLD_BYTES (64 * 1024)
/* Few threads allocate at a time; an arena for each would cost memory. */
#define ARENAS_MAX 2

static int print(const struct strbuf *out)
{
	return output_write(out, stdout, NULL) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int print_usage(void)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUTPUT_MAX);

	options_usage(&out);
	return print(&out);
}

static int list_units(const struct options *options)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUTPUT_MAX);
	struct error err = { 0 };
	int r = plugin_list(options, &out, &err);
	int printed;

	if (r < 0)
		log_error(COMPONENT, "%s", error_text(&err, r));
	printed = print(&out);
	return r < 0 ? EXIT_FAILURE : printed;
}

static int run(const struct options *options)
{
	struct error err = { 0 };
	int r;

	if (options->once)
		return list_units(options);
	r = plugin_run(options, &err);
	if (r < 0) {
		log_error(COMPONENT, "%s", error_text(&err, r));
		return EXIT_FAILURE;
	}
	log_info(COMPONENT, "ended");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options;
	struct error err = { 0 };

	if (nvml_child_is_asked(argc, argv))
		return nvml_child_main(argv);
	(void)mallopt(M_ARENA_MAX, ARENAS_MAX);
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
	/* Sockets are for the kubelet, which runs as the same user, and nobody else. */
	(void)umask(0077);
	if (options_parse(argc, argv, &options, &err) < 0) {
		(void)fprintf(stderr, "silica-device-plugin: %s\n", err.msg);
		return 2;
	}
	if (options.help)
		return print_usage();
	if (options.version)
		return puts("silica-device-plugin " SILICA_VERSION) < 0 ? EXIT_FAILURE : 0;
	log_setup(options.log_level, options.log_format);
	return run(&options);
}
