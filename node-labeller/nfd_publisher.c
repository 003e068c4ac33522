/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels as a file of Node Feature Discovery.  It expires, and is written anew before it
 * does, so that labels of a labeller that has gone for good go as well.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "api/nfd/feature_file.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/macro.h"
#include "node-labeller/local_publisher.h"

#define COMPONENT "nfd"
#define FILE_NAME "silica"
/* How long the file counts, in intervals: a restart and some failed writes fit in. */
#define EXPIRY_INTERVALS 10
/* And at least so long: NFD's worker reads once a minute. */
#define EXPIRY_MIN_S 600

static time_t expiry(const struct options *options)
{
	time_t seconds = (time_t)options->interval_ms / 1000 * EXPIRY_INTERVALS;

	return time(NULL) + MAX(seconds, (time_t)EXPIRY_MIN_S);
}

static int write_file(const struct options *options, const struct label_set *labels,
		      struct error *err)
{
	_cleanup_free_ struct nfd_label *rows = calloc(labels->n, sizeof(*rows));
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(NFD_FILE_MAX + 1);
	int r;

	if (!rows)
		return error_set(err, ENOMEM, "no memory for the labels");
	for (size_t i = 0; i < labels->n; i++)
		rows[i] = (struct nfd_label) { labels->items[i].key, labels->items[i].value };
	r = nfd_feature_text(rows, labels->n, expiry(options), &text, err);
	return r < 0 ? r : nfd_feature_publish(options->nfd_dir, FILE_NAME, &text, err);
}

/* A node without a label has no file. */
static int write_labels(const struct publisher_setup *setup, const struct picture *picture,
			struct error *err)
{
	const struct options *options = setup->options;

	return picture->labels.n == 0 ? nfd_feature_remove(options->nfd_dir, FILE_NAME, err)
				      : write_file(options, &picture->labels, err);
}

static int nfd_open(const struct publisher_setup *setup, struct publisher **ret, struct error *err)
{
	log_info(COMPONENT, "labels go to '%s/" FILE_NAME "'", setup->options->nfd_dir);
	return local_publisher_open(setup, &nfd_publisher, write_labels, ret, err);
}

const struct publisher_class nfd_publisher = {
	.open = nfd_open,
	.publish = local_publisher_publish,
	.refresh = local_publisher_refresh,
	.close = local_publisher_close,
};
