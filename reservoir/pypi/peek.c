/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a wheel needs, read out of the wheel where it lies: its last bytes, with the
 * directory of the zip and mostly the metadata, too; else the directory, and then the
 * metadata, each by a request of its own.  Where that is not possible the wheel is
 * fetched whole.
 *
 * No digest covers a part of a file.  So what was read makes the plan, and nothing else:
 * once the wheel is there and is what the index says, its own metadata counts.
 */
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/pypi/metadata.h"
#include "reservoir/pypi/run.h"
#include "reservoir/pypi/zip.h"

#define METADATA ".metadata"
#define TAIL ((uint64_t)64 * 1024) /* bytes; of nine wheels in ten all that is looked for */
#define WHOLE_MAX (2 * TAIL)	   /* bytes of a wheel that is as well fetched whole */
#define EXTRA_MAX ((uint64_t)1024) /* bytes of extra fields in a local header; wheels have none */
#define TEXT_MAX ((size_t)1024 * 1024) /* bytes of metadata; longer ones are read whole */
#define HELD_MAX ((size_t)ZIP_DIRECTORY_MAX + ZIP_END_MAX)

enum step {
	STEP_TAIL,
	STEP_DIRECTORY,
	STEP_MEMBER,
};

struct peek {
	enum step step;
	uint64_t size;		/* of the wheel, as the index says; 0 if it does not */
	uint64_t whole;		/* of the wheel, as the server says */
	uint64_t at;		/* byte of the wheel that @held begins with */
	struct strbuf held;	/* the end of the wheel */
	struct fetch_part part; /* asked for last */
	struct zip_member member;
	char url[FETCH_URL_MAX];
};

void pypi_peek_free(struct peek *peek)
{
	if (!peek)
		return;
	strbuf_done(&peek->held);
	free(peek);
}

static void metadata_path(const struct errand *errand, char ret[STORE_PATH_MAX])
{
	(void)snprintf(ret, STORE_PATH_MAX, "%s" METADATA, errand->path);
}

static void part_done(void *ctx, const struct fetch_request *request,
		      const struct fetch_result *result);

/* Asks for bytes of the wheel; 1. */
static int ask(struct errand *errand, enum step step, struct fetch_part part, struct error *err)
{
	struct run *run = errand->run;
	struct fetch_request request = {
		.url = errand->peek->url,
		.to_memory = true,
		.max = part.length,
		.part = part,
		.urgent = true,
		.label = run->sync->repository->name,
		.done = part_done,
		.ctx = errand,
	};
	int r = fetcher_add(run->sync->fetcher, &request, err);

	if (r < 0)
		return r;
	errand->peek->step = step;
	errand->peek->part = part;
	return 1;
}

/* --- what came --- */

static int keep_text(struct errand *errand, const struct strbuf *text, struct error *err)
{
	struct run *run = errand->run;
	char path[STORE_PATH_MAX];
	struct digest digest;
	int r = object_put(run->sync->store, strbuf_str(text), text->len, &digest, err);

	if (r < 0)
		return r;
	metadata_path(errand, path);
	run->projects[errand->project].flags |= PROJECT_DOUBTED;
	return pypi_run_resolve_own(run, path, &digest, true, err);
}

/* @data: from the member on. */
static int read_member(struct errand *errand, const void *data, size_t len, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX + BUFSIZ);
	int r = zip_member_unpack(data, len, &errand->peek->member, &text, err);

	return r < 0 ? r : keep_text(errand, &text, err);
}

/* The member lies in what is there, or is asked for. */
static int take_member(struct errand *errand, struct error *err)
{
	struct peek *peek = errand->peek;
	const struct zip_member *member = &peek->member;
	struct fetch_part part = { .first = member->offset };

	if (member->offset >= peek->at)
		return read_member(errand, peek->held.data + (member->offset - peek->at),
				   (size_t)(member->end - member->offset), err);
	part.length = ZIP_LOCAL_SIZE + strlen(member->name) + EXTRA_MAX + member->packed;
	part.length = MIN(part.length, member->end - member->offset);
	return ask(errand, STEP_MEMBER, part, err);
}

/* The end of the wheel is there, if not the whole directory. */
static int take_directory(struct errand *errand, struct error *err)
{
	struct peek *peek = errand->peek;
	struct zip_directory directory;
	int r = zip_directory_find(strbuf_str(&peek->held), peek->held.len, peek->whole, &directory,
				   err);

	if (r < 0)
		return r;
	if (directory.offset < peek->at) {
		struct fetch_part part = { .first = directory.offset,
					   .length = peek->at - directory.offset };

		return ask(errand, STEP_DIRECTORY, part, err);
	}
	r = zip_member_find(peek->held.data + (directory.offset - peek->at), &directory,
			    pypi_metadata_is_of_wheel, TEXT_MAX, &peek->member, err);
	return r < 0 ? r : take_member(errand, err);
}

static int take_tail(struct errand *errand, const struct fetch_result *result, struct error *err)
{
	struct peek *peek = errand->peek;

	peek->whole = result->whole;
	peek->at = result->first;
	strbuf_add(&peek->held, result->data, (size_t)result->size);
	return take_directory(errand, err);
}

static int take_front(struct errand *errand, const struct fetch_result *result, struct error *err)
{
	struct strbuf held = STRBUF_INIT(HELD_MAX);
	struct peek *peek = errand->peek;

	strbuf_add(&held, result->data, (size_t)result->size);
	strbuf_add(&held, strbuf_str(&peek->held), peek->held.len);
	strbuf_done(&peek->held);
	peek->held = held;
	peek->at = result->first;
	return take_directory(errand, err);
}

/* 1 when more is asked for, 0 when the metadata is there, or negative errno. */
static int take(struct errand *errand, const struct fetch_result *result, struct error *err)
{
	struct peek *peek = errand->peek;

	if ((peek->size > 0 && result->whole != peek->size) ||
	    (peek->step != STEP_TAIL &&
	     (result->whole != peek->whole || result->size != peek->part.length)))
		return error_set(err, EBADMSG, "the wheel is not as long as it was said to be");
	switch (peek->step) {
	case STEP_TAIL:
		return take_tail(errand, result, err);
	case STEP_DIRECTORY:
		return take_front(errand, result, err);
	default:
		return read_member(errand, result->data, (size_t)result->size, err);
	}
}

/* The wheel is to be asked for whole. */
static int give_up(struct errand *errand, struct error *err)
{
	char path[STORE_PATH_MAX];

	errand->run->look_again = true;
	metadata_path(errand, path);
	return pypi_run_resolve_own(errand->run, path, NULL, false, err);
}

static void part_done(void *ctx, const struct fetch_request *request _unused_,
		      const struct fetch_result *result)
{
	struct errand *errand = ctx;
	struct run *run = errand->run;
	struct error err = { 0 };
	int r = -EOPNOTSUPP;

	if (result->status == FETCH_DONE)
		r = take(errand, result, &err);
	else if (result->status == FETCH_FAILED && result->error.code == EOPNOTSUPP)
		run->no_peeking = true;
	if (r > 0)
		return;
	if (r < 0 && r != -ENOMEM)
		r = give_up(errand, &err);
	if (r < 0)
		pypi_run_fail(run, r, &err);
	pypi_run_errand_done(errand);
}

/* --- asking --- */

int pypi_run_peek(struct run *run, const struct file_request *wheel, struct error *err)
{
	struct fetch_part tail = { .length = TAIL, .from_end = true };
	struct errand *errand;
	int r;

	if (run->no_peeking || (wheel->size > 0 && wheel->size <= WHOLE_MAX) ||
	    !str_starts_with(run->sync->repository->upstream, "http"))
		return 0;
	errand = pypi_run_errand(run, wheel->number, wheel->path, err);
	if (!errand)
		return -ENOMEM;
	errand->peek = calloc(1, sizeof(*errand->peek));
	if (!errand->peek) {
		pypi_run_errand_done(errand);
		return error_set(err, ENOMEM, "no memory for a request");
	}
	errand->peek->held = STRBUF_INIT(HELD_MAX);
	errand->peek->size = wheel->size;
	r = pypi_run_file_url(run, wheel->number, wheel->reference, errand->peek->url, err);
	if (r == 0)
		r = ask(errand, STEP_TAIL, tail, err);
	if (r < 0)
		pypi_run_errand_done(errand);
	return r == -EINVAL ? 0 : r; /* a URL that is refused is told with the file */
}
