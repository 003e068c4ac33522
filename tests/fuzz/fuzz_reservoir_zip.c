/* SPDX-License-Identifier: Apache-2.0 */
/* A zip, of which the directory and the member are read out of copies that end where they do. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reservoir/pypi/metadata.h"
#include "reservoir/pypi/zip.h"

#define TEXT_MAX ((size_t)64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void *copy(const uint8_t *data, size_t len)
{
	void *ret = malloc(len + 1);

	require(ret != NULL);
	if (len > 0)
		memcpy(ret, data, len);
	return realloc(ret, len > 0 ? len : 1);
}

static void unpack(const uint8_t *data, const struct zip_member *member)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(2 * TEXT_MAX);
	size_t len = (size_t)(member->end - member->offset);
	void *bytes = copy(data + member->offset, len);
	int r = zip_member_unpack(bytes, len, member, &text, NULL);

	require(r < 0 || text.len == member->size);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zip_directory directory;
	struct zip_member member;
	void *bytes;
	int r;

	if (zip_directory_find(data, size, size, &directory, NULL) < 0)
		return 0;
	require(directory.size <= size && directory.offset <= size - directory.size);
	bytes = copy(data + directory.offset, directory.size);
	r = zip_member_find(bytes, &directory, pypi_metadata_is_of_wheel, TEXT_MAX, &member, NULL);
	free(bytes);
	if (r < 0)
		return 0;
	require(member.end <= size && member.offset < member.end);
	require(pypi_metadata_is_of_wheel(member.name) && member.size <= TEXT_MAX);
	unpack(data, &member);
	return 0;
}
