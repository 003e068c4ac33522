/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Release files, and what gpgv says, of any bytes: paths stay inside, the list is sorted,
 * hashes are hashes, and nothing is good without a good signature.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "reservoir/apt/expect.h"
#include "reservoir/apt/openpgp.h"
#include "reservoir/apt/release.h"
#include "reservoir/apt/select.h"

#define TEXT_MAX 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_file(const struct release *release, size_t i)
{
	const struct release_file *file = &release->files[i];
	static const struct apt_options options = { .sources = true, .contents = true };
	struct index_place place;

	require(manifest_path_check(file->path, NULL) == 0);
	require(release_find(release, file->path) == file);
	require(i == 0 || strcmp(release->files[i - 1].path, file->path) < 0);
	require(!file->sha512 || strlen(file->sha512) == SHA512_TEXT_SIZE - 1);
	select_index(&options, release, false, file->path, &place);
	require(place.stem <= strlen(file->path));
	select_index(&options, release, true, file->path, &place);
	(void)select_is_best(release, file->path);
}

static int on_expectation(_unused_ void *ctx, const struct expectation *expectation)
{
	require(manifest_path_check(expectation->path, NULL) == 0);
	return 0;
}

static void check_status(const char *text, size_t size)
{
	_cleanup_free_ char *status = malloc(size + 1);
	int good;

	require(status != NULL);
	memcpy(status, text, size);
	status[size] = '\0';
	good = strstr(status, "[GNUPG:] GOODSIG ") && strstr(status, "[GNUPG:] VALIDSIG ");
	require(openpgp_status(status, NULL) < 0 || good);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_release_ struct release release = { 0 };
	_cleanup_strbuf_ struct strbuf stripped = STRBUF_INIT(TEXT_MAX);
	const char *text = (const char *)data;
	const struct openpgp_input input = { text, size };

	if (size > TEXT_MAX)
		return 0;
	if (release_parse(text, size, &release, NULL) == 0)
		for (size_t i = 0; i < release.n_files; i++)
			check_file(&release, i);
	if (openpgp_strip(&input, &stripped, NULL) == 0)
		require(stripped.len < size);
	(void)apt_expect("dists/a/InRelease", text, size, on_expectation, NULL, NULL);
	(void)apt_expect("dists/a/Release", text, size, on_expectation, NULL, NULL);
	(void)apt_expect("dists/a/main/binary-b/Packages", text, size, on_expectation, NULL, NULL);
	check_status(text, size);
	return 0;
}
