/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels on standard output: all of them, whenever one is another.
 */
#include <stdio.h>

#include "base/output.h"
#include "node-labeller/labels.h"
#include "node-labeller/local_publisher.h"

#define OUTPUT_MAX \
	(8 * 1024 * 1024) /* bytes: LABEL_SET_MAX labels and annotations of the longest */

static int print(_unused_ const struct publisher_setup *setup, const struct picture *picture,
		 struct error *err)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUTPUT_MAX);

	labels_print(&picture->labels, &picture->annotations, &out);
	return output_write(&out, stdout, err);
}

static int stdout_open(const struct publisher_setup *setup, struct publisher **ret,
		       struct error *err)
{
	return local_publisher_open(setup, &stdout_publisher, print, ret, err);
}

/* What was printed stays printed. */
static void stdout_refresh(_unused_ struct publisher *base)
{
}

const struct publisher_class stdout_publisher = {
	.open = stdout_open,
	.publish = local_publisher_publish,
	.refresh = stdout_refresh,
	.close = local_publisher_close,
};
