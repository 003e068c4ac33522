/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table says for each record which fields it has, of which kind each is and what
 * it may hold; the writer and the reader both go by it, so what the one writes the
 * other takes.
 *
 * Every number is a uint64_t whose largest value means that it is not known.  The
 * limits are far above what there is and far below what a wrong sign makes of it.
 */
#include "drivers/nvml/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "drivers/pci.h"

#define SEPARATOR '\t'

#define BYTES_LIMIT (UINT64_C(1) << 50) /* a thousand times the memory of a GPU */
#define PERCENT_LIMIT 100
#define CELSIUS_LIMIT 1000
#define MILLIWATTS_LIMIT 100000000 /* the power of a rack */
#define COUNT_LIMIT UINT32_MAX
#define SMALL_LIMIT 65535 /* minors, instances, slices, versions of CUDA (12040) */
#define FIELDS_MAX 32	  /* of a record: one bit for each says that it was there */

enum kind {
	KIND_NUMBER, /* uint64_t */
	KIND_TEXT,   /* printable */
	KIND_ID,     /* printable, without spaces */
	KIND_BDF,    /* as pci_bdf_parse() writes it */
};

struct field {
	const char *key;
	enum kind kind;
	bool required;
	size_t offset;
	uint64_t limit; /* largest number, or size of the text with its NUL */
};

struct layout {
	const char *name;
	const struct field *fields;
	size_t n;
};

#define NUMBER(type, member, max)                                          \
	{                                                                  \
#member, KIND_NUMBER, false, offsetof(type, member), (max) \
	}
#define NEEDED(type, member, max)                                         \
	{                                                                 \
#member, KIND_NUMBER, true, offsetof(type, member), (max) \
	}
#define STRING(kind, needed, type, member)                                                        \
	{                                                                                         \
#member, (kind), (needed), offsetof(type, member), sizeof(((type *)NULL)->member) \
	}

static const struct field hello_fields[] = {
	NEEDED(struct nvml_hello, version, SMALL_LIMIT),
};

static const struct field report_fields[] = {
	STRING(KIND_ID, false, struct nvml_report, driver_version),
	NUMBER(struct nvml_report, cuda_version, COUNT_LIMIT),
};

static const struct field gpu_fields[] = {
	STRING(KIND_ID, true, struct nvml_gpu, uuid),
	STRING(KIND_BDF, true, struct nvml_gpu, bdf),
	STRING(KIND_TEXT, false, struct nvml_gpu, name),
	NUMBER(struct nvml_gpu, minor, SMALL_LIMIT),
	NUMBER(struct nvml_gpu, memory_bytes, BYTES_LIMIT),
	NUMBER(struct nvml_gpu, memory_used_bytes, BYTES_LIMIT),
	NUMBER(struct nvml_gpu, compute_major, SMALL_LIMIT),
	NUMBER(struct nvml_gpu, compute_minor, SMALL_LIMIT),
	NUMBER(struct nvml_gpu, mig_mode, 1),
	NUMBER(struct nvml_gpu, mig_mode_pending, 1),
	NUMBER(struct nvml_gpu, mig_listed, 1),
	NUMBER(struct nvml_gpu, utilization_percent, PERCENT_LIMIT),
	NUMBER(struct nvml_gpu, memory_utilization_percent, PERCENT_LIMIT),
	NUMBER(struct nvml_gpu, temperature_celsius, CELSIUS_LIMIT),
	NUMBER(struct nvml_gpu, power_milliwatts, MILLIWATTS_LIMIT),
	NUMBER(struct nvml_gpu, ecc_uncorrected, BYTES_LIMIT),
	NUMBER(struct nvml_gpu, recovery_action, SMALL_LIMIT),
};

static const struct field mig_fields[] = {
	STRING(KIND_ID, true, struct nvml_mig, uuid),
	STRING(KIND_ID, true, struct nvml_mig, profile),
	NEEDED(struct nvml_mig, gpu_instance, SMALL_LIMIT),
	NEEDED(struct nvml_mig, compute_instance, SMALL_LIMIT),
	NUMBER(struct nvml_mig, memory_bytes, BYTES_LIMIT),
	NUMBER(struct nvml_mig, memory_used_bytes, BYTES_LIMIT),
	NUMBER(struct nvml_mig, gpu_slices, SMALL_LIMIT),
	NUMBER(struct nvml_mig, compute_slices, SMALL_LIMIT),
	NUMBER(struct nvml_mig, multiprocessors, SMALL_LIMIT),
};

static const struct field link_fields[] = {
	STRING(KIND_BDF, true, struct nvml_link, bdf),
	NUMBER(struct nvml_link, type, SMALL_LIMIT),
	NEEDED(struct nvml_link, count, NVML_LINKS_MAX),
};

static const struct field end_fields[] = {
	NEEDED(struct nvml_report, lost, NVML_GPUS_MAX),
};

static const struct field event_fields[] = {
	STRING(KIND_BDF, true, struct nvml_event, bdf),
	NEEDED(struct nvml_event, xid, COUNT_LIMIT),
	NUMBER(struct nvml_event, gpu_instance, SMALL_LIMIT),
	NUMBER(struct nvml_event, compute_instance, SMALL_LIMIT),
};

static const struct field failure_fields[] = {
	NEEDED(struct nvml_failure, absent, 1),
	STRING(KIND_TEXT, true, struct nvml_failure, text),
};

static const struct layout layouts[_NVML_RECORD_MAX] = {
	[NVML_RECORD_HELLO] = { "hello", hello_fields, ARRAY_SIZE(hello_fields) },
	[NVML_RECORD_REPORT] = { "report", report_fields, ARRAY_SIZE(report_fields) },
	[NVML_RECORD_GPU] = { "gpu", gpu_fields, ARRAY_SIZE(gpu_fields) },
	[NVML_RECORD_MIG] = { "mig", mig_fields, ARRAY_SIZE(mig_fields) },
	[NVML_RECORD_LINK] = { "link", link_fields, ARRAY_SIZE(link_fields) },
	[NVML_RECORD_END] = { "end", end_fields, ARRAY_SIZE(end_fields) },
	[NVML_RECORD_EVENT] = { "event", event_fields, ARRAY_SIZE(event_fields) },
	[NVML_RECORD_FAILURE] = { "failure", failure_fields, ARRAY_SIZE(failure_fields) },
};
_Static_assert(ARRAY_SIZE(gpu_fields) <= FIELDS_MAX, "a bit for each field");

static bool is_text(const struct field *field, const char *text)
{
	char bdf[DEVICE_BDF_MAX];

	if (text[0] == '\0' || !str_is_printable(text))
		return false;
	if (field->kind == KIND_ID)
		return !strchr(text, ' ');
	if (field->kind == KIND_BDF)
		return pci_bdf_parse(text, bdf) == 0 && strcmp(bdf, text) == 0;
	return true;
}

void nvml_record_clear(enum nvml_record type, void *record)
{
	const struct layout *layout = &layouts[type];

	for (size_t i = 0; i < layout->n; i++) {
		char *member = (char *)record + layout->fields[i].offset;
		uint64_t unknown = NVML_UNKNOWN;

		if (layout->fields[i].kind == KIND_NUMBER)
			memcpy(member, &unknown, sizeof(unknown));
		else
			member[0] = '\0';
	}
}

/* Appends "key=value"; false if the member holds what it cannot. */
static bool write_field(struct strbuf *line, const struct field *field, const char *member)
{
	uint64_t number;

	if (field->kind != KIND_NUMBER) {
		if (!is_text(field, member))
			return false;
		strbuf_printf(line, "%c%s=%s", SEPARATOR, field->key, member);
		return true;
	}
	memcpy(&number, member, sizeof(number));
	if (number > field->limit)
		return false;
	strbuf_printf(line, "%c%s=%" PRIu64, SEPARATOR, field->key, number);
	return true;
}

int nvml_record_write(struct strbuf *out, enum nvml_record type, const void *record)
{
	const struct layout *layout = &layouts[type];
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT(NVML_LINE_MAX - 2);

	strbuf_puts(&line, layout->name);
	for (size_t i = 0; i < layout->n; i++) {
		const struct field *field = &layout->fields[i];

		if (!write_field(&line, field, (const char *)record + field->offset) &&
		    field->required)
			return -EINVAL;
	}
	strbuf_puts(&line, "\n");
	if (strbuf_error(&line) < 0)
		return -EINVAL;
	strbuf_puts(out, strbuf_str(&line));
	return 0;
}

static int refuse(struct error *err, const char *what)
{
	return error_set(err, EPROTO, "the process that asks NVML talks nonsense: %s", what);
}

static int set_field(const struct field *field, const char *value, char *member)
{
	uint64_t number;
	int r;

	if (field->kind != KIND_NUMBER)
		return is_text(field, value) ? str_copy(member, field->limit, value) : -EINVAL;
	r = parse_u64(value, 10, &number);
	if (r < 0)
		return r;
	if (number > field->limit)
		return -ERANGE;
	memcpy(member, &number, sizeof(number));
	return 0;
}

/* Finds the field that "key=value" is for; *ret_value points behind the '='. */
static const struct field *find_field(const struct layout *layout, const char *text,
				      const char **ret_value)
{
	for (size_t i = 0; i < layout->n; i++) {
		const char *rest = str_starts_with(text, layout->fields[i].key);

		if (!rest || *rest != '=')
			continue;
		*ret_value = rest + 1;
		return &layout->fields[i];
	}
	return NULL;
}

/* Cuts the text at the next separator and gives what is behind it, NULL at the end. */
static char *cut(char *text)
{
	char *separator = strchr(text, SEPARATOR);

	if (!separator)
		return NULL;
	*separator = '\0';
	return separator + 1;
}

static int read_fields(const struct layout *layout, char *text, void *record, struct error *err)
{
	uint32_t seen = 0;

	while (text) {
		char *next = cut(text);
		const char *value;
		const struct field *field = find_field(layout, text, &value);
		uint32_t bit = field ? UINT32_C(1) << (field - layout->fields) : 0;

		if (!field || (seen & bit))
			return refuse(err, "a field that should not be there");
		if (set_field(field, value, (char *)record + field->offset) < 0)
			return refuse(err, "a field that holds what it cannot");
		seen |= bit;
		text = next;
	}
	for (size_t i = 0; i < layout->n; i++)
		if (layout->fields[i].required && !(seen & UINT32_C(1) << i))
			return refuse(err, "a field is missing");
	return 0;
}

static int begin_report(struct nvml_reader *reader, void *record, struct error *err)
{
	const struct nvml_report *head = record;

	if (reader->report)
		return refuse(err, "a report in a report");
	reader->report = nvml_report_new();
	if (!reader->report)
		return error_set(err, ENOMEM, "no memory for a report of NVML");
	memcpy(reader->report->driver_version, head->driver_version, sizeof(head->driver_version));
	reader->report->cuda_version = head->cuda_version;
	reader->phase++;
	return 0;
}

static int added(int r, struct error *err)
{
	if (r < 0)
		return error_set(err, -r, "a report of NVML: %s", strerror(-r));
	return 0;
}

static int take_gpu(struct nvml_reader *reader, void *record, struct error *err)
{
	if (!reader->report)
		return refuse(err, "a GPU outside of a report");
	return added(nvml_report_add_gpu(reader->report, record), err);
}

static int take_mig(struct nvml_reader *reader, void *record, struct error *err)
{
	if (!reader->report || reader->report->n_gpus == 0)
		return refuse(err, "a MIG device without its GPU");
	return added(nvml_report_add_mig(reader->report, record), err);
}

static int take_link(struct nvml_reader *reader, void *record, struct error *err)
{
	if (!reader->report || reader->report->n_gpus == 0)
		return refuse(err, "a link without its GPU");
	return added(nvml_report_add_link(reader->report, record), err);
}

static int end_report(struct nvml_reader *reader, void *record, struct error *err)
{
	const struct nvml_report *tail = record;

	if (!reader->report)
		return refuse(err, "the end of no report");
	reader->report->lost = tail->lost;
	reader->phase++;
	reader->sink.report(reader->sink.ctx, TAKE_PTR(reader->report));
	return 0;
}

static int take_event(struct nvml_reader *reader, void *record, _unused_ struct error *err)
{
	reader->sink.event(reader->sink.ctx, record);
	return 0;
}

static int take_failure(_unused_ struct nvml_reader *reader, void *record, struct error *err)
{
	const struct nvml_failure *failure = record;

	return error_set(err, failure->absent ? ENOENT : EIO, "%s", failure->text);
}

static int take_hello(struct nvml_reader *reader, void *record, struct error *err)
{
	const struct nvml_hello *hello = record;

	if (reader->greeted || hello->version != NVML_WIRE_VERSION)
		return refuse(err, "a hello that is not ours");
	reader->greeted = true;
	return 0;
}

/* Room for any record. */
union record {
	struct nvml_hello hello;
	struct nvml_report report;
	struct nvml_gpu gpu;
	struct nvml_mig mig;
	struct nvml_link link;
	struct nvml_event event;
	struct nvml_failure failure;
};

static int read_line(struct nvml_reader *reader, char *line, struct error *err)
{
	static int (*const take[_NVML_RECORD_MAX])(struct nvml_reader *, void *, struct error *) = {
		[NVML_RECORD_HELLO] = take_hello, [NVML_RECORD_REPORT] = begin_report,
		[NVML_RECORD_GPU] = take_gpu,	  [NVML_RECORD_MIG] = take_mig,
		[NVML_RECORD_LINK] = take_link,	  [NVML_RECORD_END] = end_report,
		[NVML_RECORD_EVENT] = take_event, [NVML_RECORD_FAILURE] = take_failure,
	};
	char *fields = cut(line);
	union record record;
	enum nvml_record type = 0;
	int r;

	while (type < _NVML_RECORD_MAX && strcmp(layouts[type].name, line) != 0)
		type++;
	if (type == _NVML_RECORD_MAX)
		return refuse(err, "an unknown record");
	if (!reader->greeted && type != NVML_RECORD_HELLO)
		return refuse(err, "no hello");
	memset(&record, 0, sizeof(record));
	nvml_record_clear(type, &record);
	r = read_fields(&layouts[type], fields, &record, err);
	return r < 0 ? r : take[type](reader, &record, err);
}

int nvml_reader_feed(struct nvml_reader *reader, const char *data, size_t len, struct error *err)
{
	for (size_t i = 0; i < len; i++) {
		int r;

		if (data[i] == '\0')
			return refuse(err, "a NUL");
		if (data[i] != '\n') {
			reader->line[reader->len++] = data[i];
			if (reader->len == sizeof(reader->line))
				return refuse(err, "a line without an end");
			continue;
		}
		reader->line[reader->len] = '\0';
		reader->len = 0;
		r = read_line(reader, reader->line, err);
		if (r < 0)
			return r;
	}
	return 0;
}

void nvml_reader_done(struct nvml_reader *reader)
{
	nvml_report_unref(reader->report);
	reader->report = NULL;
}
