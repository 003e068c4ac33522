/* SPDX-License-Identifier: Apache-2.0 */
#include "base/output.h"

#include <errno.h>
#include <stdlib.h>

int output_write(const struct strbuf *text, FILE *stream, struct error *err)
{
	int r = strbuf_error(text);

	if (r < 0)
		return error_set(err, -r, "what is to be written is too long, or memory is short");
	errno = 0;
	if (fwrite(strbuf_str(text), 1, text->len, stream) != text->len || fflush(stream) != 0)
		return error_set(err, errno ? errno : EIO, "write the output: %m");
	return 0;
}

int output_page_main(const char *program, output_fn put)
{
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT(OUTPUT_PAGE_MAX);
	struct error err = { 0 };
	int r = put(&page, &err);

	if (r >= 0)
		r = output_write(&page, stdout, &err);
	if (r < 0)
		(void)fprintf(stderr, "%s: %s\n", program, error_text(&err, r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
