/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/sync/journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "reservoir/fetch/fetch.h"

#define JOURNAL_NAME "sources.journal"
#define LINE_SIZE (DIGEST_TEXT_SIZE + FETCH_URL_MAX + 2)

struct journal {
	FILE *file; /* at its end */
};

int journal_open(struct store *store, struct journal **ret, struct error *err)
{
	_cleanup_(journal_closep) struct journal *journal = calloc(1, sizeof(*journal));
	_cleanup_close_ int fd = -1;

	if (!journal)
		return error_set(err, ENOMEM, "no memory for a journal");
	fd = openat(store_dirfd(store), JOURNAL_NAME,
		    O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return error_set(err, errno, "open the store's " JOURNAL_NAME);
	journal->file = fdopen(fd, "a+");
	if (!journal->file)
		return error_set(err, errno, "open the store's " JOURNAL_NAME);
	(void)TAKE_FD(fd);
	*ret = TAKE_PTR(journal);
	return 0;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	if (journal->file)
		(void)fclose(journal->file);
	free(journal);
}

/* A URL without what stands before the "@" of its authority. */
static void put_url(FILE *file, const char *url)
{
	const char *colon = strstr(url, "://");
	const char *authority = colon ? colon + 3 : url;
	const char *at = memrchr(authority, '@', strcspn(authority, "/?#"));

	(void)fprintf(file, "%.*s%s\n", (int)(authority - url), url, at ? at + 1 : authority);
}

void journal_add(struct journal *journal, const struct digest *digest, const char *url)
{
	char text[DIGEST_TEXT_SIZE];

	if (strlen(url) >= CATALOGUE_KEY_MAX || !str_is_printable(url))
		return;
	(void)fprintf(journal->file, "%s ", digest_format(digest, text));
	put_url(journal->file, url);
}

static int apply_line(char *line, struct catalogue *catalogue, struct error *err)
{
	size_t len = strlen(line);
	struct digest digest;
	char *url = line + DIGEST_TEXT_SIZE;

	if (len < DIGEST_TEXT_SIZE + 2 || line[len - 1] != '\n' || url[-1] != ' ')
		return 0;
	line[len - 1] = '\0';
	url[-1] = '\0';
	if (digest_parse(line, &digest) < 0 || !str_is_printable(url))
		return 0;
	return catalogue_put(catalogue, JOURNAL_SPACE, line, url, strlen(url), err);
}

int journal_apply(struct journal *journal, struct catalogue *catalogue, struct error *err)
{
	char line[LINE_SIZE];
	int r;

	if (fflush(journal->file) != 0)
		clearerr(journal->file); /* a full disk: what is there is still good */
	rewind(journal->file);
	while (fgets(line, sizeof(line), journal->file)) {
		r = apply_line(line, catalogue, err);
		if (r < 0)
			return r;
	}
	r = catalogue_commit(catalogue, err);
	if (r < 0)
		return r;
	if (ftruncate(fileno(journal->file), 0) < 0)
		return error_set(err, errno, "empty the store's " JOURNAL_NAME);
	rewind(journal->file);
	return 0;
}
