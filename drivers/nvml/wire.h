/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the process that has loaded NVML tells its parent what NVML said.
 *
 * A stream of lines: the name of a record, then "key=value" for each field that is
 * known, all separated by tabs.  The stream begins with a hello; a report is a
 * "report" line, a line for each GPU with those of its MIG devices and links behind
 * it, and an "end".  Events may stand anywhere.  Both ends are the same program, so
 * whatever does not fit this exactly means that the process has gone wrong: the
 * reader refuses it, and the writer leaves out what NVML should not have said.
 *
 * Source: none; it never leaves the program
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "drivers/nvml/report.h"

#define NVML_WIRE_VERSION 1
#define NVML_LINE_MAX 1024 /* bytes with the newline; a GPU with all its fields has 600 */
#define NVML_TEXT_MAX 256  /* of a failure */

struct nvml_hello {
	uint64_t version;
};

/* The last words of a process that cannot go on. */
struct nvml_failure {
	uint64_t absent; /* 1: there is no library, nothing else is wrong */
	char text[NVML_TEXT_MAX];
};

enum nvml_record {
	NVML_RECORD_HELLO,   /* struct nvml_hello */
	NVML_RECORD_REPORT,  /* struct nvml_report: the versions */
	NVML_RECORD_GPU,     /* struct nvml_gpu */
	NVML_RECORD_MIG,     /* struct nvml_mig */
	NVML_RECORD_LINK,    /* struct nvml_link */
	NVML_RECORD_END,     /* struct nvml_report: what was lost */
	NVML_RECORD_EVENT,   /* struct nvml_event */
	NVML_RECORD_FAILURE, /* struct nvml_failure */
	_NVML_RECORD_MAX,
};

/**
 * nvml_record_clear() - Set every field that travels to unknown or "".
 * @type: enum nvml_record
 * @record: struct that belongs to @type; other fields are left alone
 */
void nvml_record_clear(enum nvml_record type, void *record);

/**
 * nvml_record_write() - Append a record as a line.
 * @out: text to append to
 * @type: enum nvml_record
 * @record: struct that belongs to @type
 *
 * A field that holds something that it cannot is left out.
 *
 * Return: 0, or -EINVAL when it is a field without which the record means nothing;
 *   then nothing is appended.
 */
int nvml_record_write(struct strbuf *out, enum nvml_record type, const void *record);

/* What a reader calls; its user gets whole things only. */
struct nvml_reader_sink {
	/* The report becomes the callee's. */
	void (*report)(void *ctx, struct nvml_report *report);
	void (*event)(void *ctx, const struct nvml_event *event);
	void *ctx;
};

struct nvml_reader {
	struct nvml_reader_sink sink;
	struct nvml_report *report; /* that is being read; NULL between two */
	uint32_t phase;		    /* goes up when a report begins and when it ends */
	bool greeted;
	size_t len;
	char line[NVML_LINE_MAX];
};

/**
 * nvml_reader_feed() - Read what has arrived.
 * @reader: reader whose sink is set and the rest zero at first
 * @data: @len bytes
 * @len: number of bytes
 * @err: set on failure
 *
 * Return: 0, or
 *   -EPROTO  this is not what the other end would write
 *   -E2BIG   more of something than there can be
 *   -ENOENT  the other end says that there is no library
 *   -EIO     the other end says that it has failed, @err says how
 *   -ENOMEM  no memory
 */
int nvml_reader_feed(struct nvml_reader *reader, const char *data, size_t len, struct error *err);

/**
 * nvml_reader_done() - Release what was read in part.
 * @reader: reader
 */
void nvml_reader_done(struct nvml_reader *reader);
