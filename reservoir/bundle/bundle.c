/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading is strict by being simple: each line is taken in its turn, and at the end the
 * bundle is written again and must give the same bytes.  So nothing can be said twice,
 * left out, or said in another way.
 */
#include "reservoir/bundle/bundle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"

#define FIRST_LINE "silica-reservoir-bundle "
#define END_LINE "\nend\n"
#define WORD_MAX 160 /* bytes with the NUL of what follows the name of a line */

static const char *const kinds[] = {
	[BUNDLE_FULL] = "full",
	[BUNDLE_DELTA] = "delta",
	[BUNDLE_RECALL] = "recall",
};

const char *bundle_kind_name(enum bundle_kind kind)
{
	return kinds[kind];
}

void bundle_done(struct bundle *bundle)
{
	free(bundle->generation);
	free(bundle->chunks);
	*bundle = (struct bundle) { 0 };
}

int bundle_format(const struct bundle *bundle, struct strbuf *out, struct error *err)
{
	char root[DIGEST_TEXT_SIZE];
	int r;

	strbuf_printf(out, FIRST_LINE "%u\nhub %s\nsequence %" PRIu64 "\nkind %s\n", bundle->format,
		      bundle->hub, bundle->sequence, kinds[bundle->kind]);
	strbuf_printf(out, "created %" PRId64 "\nexpires %" PRId64 "\n", bundle->created,
		      bundle->expires);
	if (bundle->has_base)
		strbuf_printf(out, "base %" PRIu64 " %s\n", bundle->base_number,
			      digest_format(&bundle->base_root, root));
	else
		strbuf_puts(out, "base none\n");
	strbuf_printf(out, "root %" PRIu64 " %s\n", bundle->number,
		      digest_format(&bundle->root, root));
	strbuf_printf(out, "objects %" PRIu64 "\nbytes %" PRIu64 "\nremoved %" PRIu64 "\n",
		      bundle->objects, bundle->bytes, bundle->removed);
	strbuf_puts(out, "generation ");
	strbuf_add(out, bundle->generation, bundle->generation_len);
	strbuf_printf(out, "\nchunks %zu\n", bundle->n_chunks);
	for (size_t i = 0; i < bundle->n_chunks; i++)
		strbuf_printf(out, "%s %" PRIu64 "\n",
			      digest_format(&bundle->chunks[i].digest, root),
			      bundle->chunks[i].size);
	strbuf_puts(out, &END_LINE[1]);
	r = strbuf_error(out);
	return r < 0 ? error_set(err, -r, "the manifest of a bundle: %s", strerror(-r)) : 0;
}

/* A place in the text of a manifest. */
struct reader {
	const char *at;
	const char *end;
	struct error *err;
};

/* Finds the rest of the next line, which must begin with @name; NULL with err set. */
static const char *take_line(struct reader *reader, const char *name, size_t *ret_len)
{
	const char *line = reader->at;
	size_t n = strlen(name), left = (size_t)(reader->end - line);
	const char *newline = memchr(line, '\n', left);

	if (left < n ? memcmp(line, name, left) == 0 : !newline) {
		(void)error_set(reader->err, ENODATA, "the manifest is not complete");
		return NULL;
	}
	if (left < n || memcmp(line, name, n) != 0 || (size_t)(newline - line) < n) {
		(void)error_set(reader->err, EBADMSG, "the manifest has no '%s' where it must be",
				name);
		return NULL;
	}
	reader->at = newline + 1;
	*ret_len = (size_t)(newline - line) - n;
	return line + n;
}

static int failed(const struct reader *reader)
{
	return -reader->err->code;
}

/* Takes a line whose rest is short text. */
static int take_word(struct reader *reader, const char *name, char ret[WORD_MAX])
{
	size_t len;
	const char *text = take_line(reader, name, &len);

	if (!text)
		return failed(reader);
	if (len >= WORD_MAX || memchr(text, '\0', len))
		return error_set(reader->err, EBADMSG, "'%s' of the manifest is too long", name);
	memcpy(ret, text, len);
	ret[len] = '\0';
	return 0;
}

static int bad(struct reader *reader, const char *name, const char *word)
{
	/* It may not be signed: what it says must do no harm to a terminal. */
	return error_set(reader->err, EBADMSG, "'%s%s' of the manifest is not valid", name,
			 str_is_printable(word) ? word : "");
}

static int take_number(struct reader *reader, const char *name, uint64_t max, uint64_t *ret)
{
	char word[WORD_MAX];
	int r = take_word(reader, name, word);

	if (r < 0)
		return r;
	return parse_u64(word, 10, ret) < 0 || *ret > max ? bad(reader, name, word) : 0;
}

static int take_time(struct reader *reader, const char *name, int64_t *ret)
{
	uint64_t value;
	int r = take_number(reader, name, INT64_MAX, &value);

	if (r == 0)
		*ret = (int64_t)value;
	return r;
}

/* "NUMBER DIGEST" or "DIGEST NUMBER": splits at the space. */
static char *split(char *word)
{
	char *space = strchr(word, ' ');

	if (!space)
		return NULL;
	*space = '\0';
	return space + 1;
}

static int take_root(struct reader *reader, const char *name, uint64_t *ret_number,
		     struct digest *ret_root)
{
	char word[WORD_MAX], *root;
	int r = take_word(reader, name, word);

	if (r < 0)
		return r;
	root = split(word);
	if (!root || parse_u64(word, 10, ret_number) < 0 || digest_parse(root, ret_root) < 0)
		return bad(reader, name, word);
	return 0;
}

static int take_base(struct reader *reader, struct bundle *bundle)
{
	static const char none[] = "base none\n";
	size_t left = (size_t)(reader->end - reader->at);

	if (left < sizeof(none) - 1 && memcmp(reader->at, none, left) == 0)
		return error_set(reader->err, ENODATA, "the manifest is not complete");
	if (left >= sizeof(none) - 1 && memcmp(reader->at, none, sizeof(none) - 1) == 0) {
		reader->at += sizeof(none) - 1;
		return 0;
	}
	bundle->has_base = true;
	return take_root(reader, "base ", &bundle->base_number, &bundle->base_root);
}

static int take_format(struct reader *reader, unsigned int *ret)
{
	uint64_t format;
	int r = take_number(reader, FIRST_LINE, UINT32_MAX, &format);

	if (r < 0)
		return r;
	*ret = (unsigned int)format;
	if (format >= 1 && format <= BUNDLE_FORMAT)
		return 0;
	return error_set(reader->err, ENOTSUP,
			 "the bundle has format %" PRIu64 ", and this program knows %d: update it",
			 format, BUNDLE_FORMAT);
}

static int take_hub(struct reader *reader, char ret[STORE_ID_MAX])
{
	char word[WORD_MAX];
	int r = take_word(reader, "hub ", word);

	if (r < 0)
		return r;
	if (strlen(word) != BUNDLE_HUB_LEN || strspn(word, "0123456789abcdef") != BUNDLE_HUB_LEN)
		return bad(reader, "hub ", word);
	return str_copy(ret, STORE_ID_MAX, word);
}

static int take_kind(struct reader *reader, enum bundle_kind *ret)
{
	char word[WORD_MAX];
	int r = take_word(reader, "kind ", word);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(word, kinds[i]) == 0) {
			*ret = (enum bundle_kind)i;
			return 0;
		}
	return bad(reader, "kind ", word);
}

static int take_generation(struct reader *reader, struct bundle *bundle)
{
	size_t len;
	const char *text = take_line(reader, "generation ", &len);
	struct digest root;

	if (!text)
		return failed(reader);
	if (len > GENERATION_TEXT_MAX)
		return error_set(reader->err, EBADMSG, "the generation of the manifest is too big");
	root = digest_of(text, len);
	if (!digest_equal(&root, &bundle->root))
		return error_set(reader->err, EBADMSG,
				 "the generation of the manifest is not that of its root");
	bundle->generation = malloc(len + 1);
	if (!bundle->generation)
		return error_set(reader->err, ENOMEM, "out of memory for a manifest");
	memcpy(bundle->generation, text, len);
	bundle->generation[len] = '\0';
	bundle->generation_len = len;
	return 0;
}

static int take_chunk(struct reader *reader, struct bundle_chunk *chunk)
{
	char word[WORD_MAX], *size;
	int r = take_word(reader, "", word);

	if (r < 0)
		return r;
	size = split(word);
	if (!size || digest_parse(word, &chunk->digest) < 0 ||
	    parse_u64(size, 10, &chunk->size) < 0 || chunk->size == 0 ||
	    chunk->size > BUNDLE_CHUNK_BYTES_MAX)
		return bad(reader, "chunk ", word);
	return 0;
}

static int take_chunks(struct reader *reader, struct bundle *bundle)
{
	uint64_t n;
	int r = take_number(reader, "chunks ", BUNDLE_CHUNKS_MAX, &n);

	if (r < 0)
		return r;
	/* Not more memory than the text itself is worth. */
	if (n > (uint64_t)(reader->end - reader->at) / (DIGEST_TEXT_SIZE + 2))
		return error_set(reader->err, ENODATA, "the manifest is not complete");
	bundle->chunks = calloc(n ? n : 1, sizeof(*bundle->chunks));
	if (!bundle->chunks)
		return error_set(reader->err, ENOMEM, "out of memory for a manifest");
	for (bundle->n_chunks = 0; bundle->n_chunks < n && r == 0; bundle->n_chunks++)
		r = take_chunk(reader, &bundle->chunks[bundle->n_chunks]);
	return r;
}

static int take_head(struct reader *reader, struct bundle *bundle)
{
	int r = take_format(reader, &bundle->format);

	r = r < 0 ? r : take_hub(reader, bundle->hub);
	r = r < 0 ? r : take_number(reader, "sequence ", INT64_MAX, &bundle->sequence);
	r = r < 0 ? r : take_kind(reader, &bundle->kind);
	r = r < 0 ? r : take_time(reader, "created ", &bundle->created);
	r = r < 0 ? r : take_time(reader, "expires ", &bundle->expires);
	r = r < 0 ? r : take_base(reader, bundle);
	return r < 0 ? r : take_root(reader, "root ", &bundle->number, &bundle->root);
}

static int take_body(struct reader *reader, struct bundle *bundle)
{
	int r = take_number(reader, "objects ", INT64_MAX, &bundle->objects);
	size_t len;

	r = r < 0 ? r : take_number(reader, "bytes ", INT64_MAX, &bundle->bytes);
	r = r < 0 ? r : take_number(reader, "removed ", INT64_MAX, &bundle->removed);
	r = r < 0 ? r : take_generation(reader, bundle);
	r = r < 0 ? r : take_chunks(reader, bundle);
	if (r < 0)
		return r;
	return take_line(reader, "end", &len) ? 0 : failed(reader);
}

/* What was read must be what is written of it. */
static int check_canonical(const char *text, size_t len, const struct bundle *bundle,
			   struct error *err)
{
	_cleanup_strbuf_ struct strbuf again = STRBUF_INIT(BUNDLE_TEXT_MAX);
	int r = bundle_format(bundle, &again, err);

	if (r == -ENOMEM)
		return r;
	if (r < 0 || again.len != len || memcmp(again.data, text, len) != 0)
		return error_set(err, EBADMSG, "the manifest is not written as one must be");
	if (bundle->sequence == 0 || (bundle->kind == BUNDLE_FULL) == bundle->has_base)
		return error_set(err, EBADMSG, "the manifest contradicts itself");
	return 0;
}

int bundle_parse(const char *text, size_t len, struct bundle *ret, struct error *err)
{
	_cleanup_bundle_ struct bundle bundle = { 0 };
	struct error local = { 0 };
	struct reader reader = { .at = text, .end = text + len, .err = err ? err : &local };
	int r;

	if (len > BUNDLE_TEXT_MAX)
		return error_set(err, EBADMSG, "the manifest has %zu bytes, more than %zu", len,
				 (size_t)BUNDLE_TEXT_MAX);
	r = take_head(&reader, &bundle);
	r = r < 0 ? r : take_body(&reader, &bundle);
	r = r < 0 ? r : check_canonical(text, len, &bundle, reader.err);
	if (r < 0)
		return r;
	*ret = bundle;
	bundle = (struct bundle) { 0 };
	return 0;
}

int bundle_claims_hub(const char *text, size_t len, char ret[STORE_ID_MAX], struct error *err)
{
	struct error local = { 0 };
	struct reader reader = { .at = text, .end = text + len, .err = err ? err : &local };
	unsigned int format;
	int r = take_format(&reader, &format);

	return r < 0 ? r : take_hub(&reader, ret);
}

bool bundle_is_whole(const char *text, size_t len)
{
	const size_t n = sizeof(END_LINE) - 1;

	return len >= n && memcmp(text + len - n, END_LINE, n) == 0;
}

const char *bundle_name_format(const struct bundle_name *name, char text[BUNDLE_NAME_MAX])
{
	char end[32] = ".manifest";

	if (name->file == BUNDLE_FILE_CHUNK)
		(void)snprintf(end, sizeof(end), ".%05" PRIu32 ".chunk", name->index);
	else if (name->file == BUNDLE_FILE_SIGNATURE && name->index == 0)
		(void)snprintf(end, sizeof(end), ".manifest.minisig");
	else if (name->file == BUNDLE_FILE_SIGNATURE)
		(void)snprintf(end, sizeof(end), ".manifest.minisig.%" PRIu32, name->index);
	(void)snprintf(text, BUNDLE_NAME_MAX, "%.8s-%" PRIu64 "%s", name->hub, name->sequence, end);
	return text;
}

/* Reads digits up to another character; false for none or too many. */
static bool take_digits(const char **at, uint64_t *ret)
{
	char digits[20];
	size_t n = strspn(*at, "0123456789");

	if (n == 0 || n >= sizeof(digits))
		return false;
	memcpy(digits, *at, n);
	digits[n] = '\0';
	*at += n;
	return parse_u64(digits, 10, ret) == 0;
}

static bool parse_end(const char *end, struct bundle_name *name)
{
	const char *rest = str_starts_with(end, ".manifest");
	uint64_t index;

	if (rest && !*rest) {
		name->file = BUNDLE_FILE_MANIFEST;
		return true;
	}
	rest = str_starts_with(end, ".manifest.minisig");
	name->file = rest ? BUNDLE_FILE_SIGNATURE : BUNDLE_FILE_CHUNK;
	if (rest && !*rest)
		return true;
	end = rest ? rest : end;
	if (*end++ != '.' || !take_digits(&end, &index))
		return false;
	name->index = (uint32_t)MIN(index, (uint64_t)UINT32_MAX);
	if (rest)
		return !*end && index < BUNDLE_SIGNATURES_MAX;
	return strcmp(end, ".chunk") == 0 && index < BUNDLE_CHUNKS_MAX;
}

bool bundle_name_parse(const char *text, struct bundle_name *ret)
{
	struct bundle_name name = { 0 };
	const char *at = text + 8;
	char again[BUNDLE_NAME_MAX];

	if (strlen(text) >= BUNDLE_NAME_MAX || strspn(text, "0123456789abcdef") < 8 ||
	    text[8] != '-')
		return false;
	memcpy(name.hub, text, 8);
	at++;
	if (!take_digits(&at, &name.sequence) || !parse_end(at, &name) ||
	    strcmp(bundle_name_format(&name, again), text) != 0)
		return false;
	*ret = name;
	return true;
}
