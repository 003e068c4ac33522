/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silica-node-labeller: reads its command line, and runs.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/output.h"
#include "base/strbuf.h"
#include "drivers/nvml/child.h"
#include "node-labeller/cleanup.h"
#include "node-labeller/labeller.h"
#include "node-labeller/options.h"

#define COMPONENT "labeller"
#define USAGE_MAX (64 * 1024)

static int print_usage(void)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(USAGE_MAX);

	options_usage(&out);
	return output_write(&out, stdout, NULL) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(const struct options *options)
{
	struct error err = { 0 };
	int r = options->all_nodes ? cleanup_all_nodes(options, &err) : labeller_run(options, &err);

	if (r < 0) {
		log_error(COMPONENT, "%s", error_text(&err, r));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options;
	struct error err = { 0 };

	if (nvml_child_is_asked(argc, argv))
		return nvml_child_main(argv);
	/* One thread allocates; libcurl's resolver hardly does. */
	(void)mallopt(M_ARENA_MAX, 1);
	(void)umask(0022);
	if (options_parse(argc, argv, &options, &err) < 0) {
		(void)fprintf(stderr, "silica-node-labeller: %s\n", err.msg);
		return 2;
	}
	if (options.help)
		return print_usage();
	if (options.version)
		return puts("silica-node-labeller " SILICA_VERSION) < 0 ? EXIT_FAILURE : 0;
	log_setup(options.log_level, options.log_format);
	return run(&options);
}
