/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of a project and the list of all, in JSON or HTML: names are names, and what
 * is written of a page can be read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reservoir/pypi/index.h"
#include "reservoir/pypi/page.h"
#include "reservoir/pypi/wheel.h"

#define FILES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static int on_project(void *ctx, const char *name, uint64_t serial)
{
	size_t *n = ctx;

	require(pypi_name_is_normal(name));
	*n += serial > 0;
	return 0;
}

static void write_again(const struct pypi_index *index)
{
	struct pypi_page_file rows[FILES_MAX];
	struct pypi_page page = { index->name, index->status, index->status_reason, rows, 0 };

	for (size_t i = 0; i < index->n_files && i < FILES_MAX; i++)
		rows[page.n_files++] = (struct pypi_page_file) { .file = &index->files[i] };
	for (int html = 0; html < 2; html++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(PYPI_PAGE_MAX);
		_cleanup_pypi_index_ struct pypi_index again = { 0 };

		require((html ? pypi_page_html : pypi_page_json)(&page, &out, NULL) == 0);
		pypi_index_init(index->name, &again);
		require(pypi_index_parse(strbuf_str(&out), out.len, &again, NULL) == 0);
		require(again.n_files == page.n_files && again.n_refused == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_pypi_index_ struct pypi_index index = { 0 };
	struct pypi_file_name name;
	size_t n = 0;

	(void)pypi_list_parse((const char *)data, size, on_project, &n, NULL);
	pypi_index_init("a-b", &index);
	if (pypi_index_parse((const char *)data, size, &index, NULL) < 0)
		return 0;
	for (size_t i = 0; i < index.n_files; i++)
		require(pypi_file_name_parse(index.files[i].name, "a-b", &name) == 0);
	write_again(&index);
	return 0;
}
