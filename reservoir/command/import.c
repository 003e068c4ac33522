/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/command/bundle_command.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"

#define REPORT_MAX 8192 /* bytes of one as JSON */

static void progress(_unused_ void *ctx, const struct bundle *bundle, size_t done)
{
	(void)printf("bundle %" PRIu64 ": %zu of %zu chunks\n", bundle->sequence, done,
		     bundle->n_chunks);
	(void)fflush(stdout);
}

static int print(const struct settings *settings, const char *name,
		 const struct import_report *report, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(REPORT_MAX);
	int r;

	if (!settings->json) {
		if (settings->repair && report->verdict == IMPORT_APPLIED)
			(void)printf("%s: what was lost of its objects is back\n", name);
		else
			bundle_describe(report, name, settings->dry_run);
		return 0;
	}
	r = import_report_format(report, name, &text, err);
	if (r == 0)
		(void)fputs(strbuf_str(&text), stdout);
	return r;
}

/* Splits a path in place: the directory, and the name in it. */
static const char *split(char *path, const char **ret_dir)
{
	char *slash = strrchr(path, '/');

	*ret_dir = slash ? path : ".";
	if (!slash)
		return path;
	*slash = '\0';
	if (slash == path)
		*ret_dir = "/";
	return slash + 1;
}

static int import_one(const struct settings *settings, struct bundle_context *context,
		      const char *word, struct error *err)
{
	struct import import = { .store = context->store,
				 .catalogue = context->catalogue,
				 .config = &context->config.bundles,
				 .receipts = settings->receipts,
				 .dry_run = settings->dry_run,
				 .repair = settings->repair,
				 .now = (int64_t)time(NULL),
				 .finish = bundle_finish,
				 .progress = settings->json ? NULL : progress,
				 .ctx = context };
	struct import_report report;
	char path[PATH_MAX];
	int r = str_copy(path, sizeof(path), word);

	if (r < 0)
		return error_set(err, ENAMETOOLONG, "the manifest has too long a name");
	import.name = split(path, &import.dir);
	import.chunk_dir = settings->bundle_dir ? settings->bundle_dir : import.dir;
	r = import_bundle(&import, &report, err);
	report.dry_run = settings->dry_run;
	r = r < 0 ? r : print(settings, import.name, &report, err);
	if (r < 0)
		return r;
	return report.verdict <= IMPORT_ALREADY ? COMMAND_DONE : COMMAND_INCOMPLETE;
}

int import_run(const struct settings *settings, struct error *err)
{
	_cleanup_bundle_context_ struct bundle_context context = { 0 };
	int status = COMMAND_DONE;
	int r;

	if (settings->dry_run && settings->repair) {
		(void)error_set(err, EINVAL, "--repair writes, and --dry-run does not");
		return COMMAND_MISUSED;
	}
	r = bundle_context_open(settings, settings->dry_run ? STORE_READ : STORE_WRITE, &context,
				err);

	for (size_t i = 0; i < settings->n_words && r >= 0; i++) {
		r = import_one(settings, &context, settings->words[i], err);
		status = MAX(status, r);
	}
	return r < 0 ? r : status;
}
