/* SPDX-License-Identifier: Apache-2.0 */
/* What an index says, in both forms; and what is written of it can be read again. */
#include "tests/test.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "reservoir/pypi/index.h"
#include "reservoir/pypi/metadata.h"
#include "reservoir/pypi/page.h"
#include "reservoir/pypi/wheel.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHB "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static const char json_page[] =
	"{\"meta\": {\"api-version\": \"1.4\", \"_last-serial\": 77, \"new\": [1, {\"a\": "
	"\"}\"}]},\n"
	" \"name\": \"Holy_Grail\", \"alternate-locations\": [\"https://x\"],\n"
	" \"project-status\": {\"status\": \"quarantined\", \"reason\": \"the \\\"rabbit\\\"\"},\n"
	" \"files\": [\n"
	"  {\"filename\": \"holygrail-1.0.tar.gz\", \"url\": "
	"\"https://example.org/other-1.0.tar.gz\"},\n"
	"  {\"filename\": \"holy_grail-1.0.tar.gz\", \"url\": \"/f/holy_grail-1.0.tar.gz\",\n"
	"   \"hashes\": {\"sha256\": \"" SHA "\", \"blake2b\": \"00\"},\n"
	"   \"requires-python\": \">=3.7\", \"yanked\": \"Had a <vulnerability>\", \"size\": "
	"123456,\n"
	"   \"upload-time\": \"2023-01-02T03:04:05.678901Z\"},\n"
	"  {\"filename\": \"holy_grail-1.0-py3-none-any.whl\", \"url\": \"f/x.whl\",\n"
	"   \"hashes\": {\"sha256\": \"" SHB "\"}, \"requires-python\": null, \"yanked\": false,\n"
	"   \"core-metadata\": {\"sha256\": \"" SHA "\"}, \"size\": 1337,\n"
	"   \"provenance\": \"https://example.org/p\"},\n"
	"  {\"filename\": \"../../etc/passwd\", \"url\": \"x\", \"hashes\": {}}\n"
	" ], \"versions\": [\"1.0\"]}";

static const char html_page[] =
	"<!DOCTYPE html><html><head>\n"
	"<META NAME='pypi:repository-version' CONTENT='1.4'>\n"
	"<meta name=\"pypi:project-status\" content=\"quarantined\">\n"
	"<meta name=\"pypi:project-status-reason\" content=\"the &quot;rabbit&quot;\">\n"
	"</head><body><!-- <a href=\"holy_grail-9.tar.gz\">no</a> -->\n"
	"<a rel=nofollow data-yanked='Had a &lt;vulnerability&gt;' "
	"data-requires-python=\"&gt;=3.7\"\n"
	"   href='/f/holy_grail-1.0.tar.gz#sha256=" SHA "'>holy_grail-1.0.tar.gz</a><br>\n"
	"<A HREF=\"f/holy%5Fgrail-1.0-py3-none-any.whl?x=1&amp;y=2#sha256=" SHB "\"\n"
	"   data-core-metadata=\"sha256=" SHA "\" data-provenance=https://example.org/p>x</A>\n"
	"<a>nothing</a><a href=\"../\">up</a><a href=\"other-1.0.tar.gz\">other</a>\n";

static const struct pypi_file *find(const struct pypi_index *index, const char *name)
{
	for (size_t i = 0; i < index->n_files; i++)
		if (strcmp(index->files[i].name, name) == 0)
			return &index->files[i];
	fail_msg("%s is not there", name);
	return NULL;
}

static void check_digest(const struct digest *digest, const char *expected)
{
	char text[DIGEST_TEXT_SIZE];

	assert_string_equal(digest_format(digest, text), expected);
}

static void check_page(const struct pypi_index *index)
{
	const struct pypi_file *sdist = find(index, "holy_grail-1.0.tar.gz");
	const struct pypi_file *wheel = find(index, "holy_grail-1.0-py3-none-any.whl");

	assert_int_equal(index->n_files, 2);
	assert_string_equal(index->status, "quarantined");
	assert_string_equal(index->status_reason, "the \"rabbit\"");
	assert_true(sdist->yanked && sdist->has_sha256);
	assert_string_equal(sdist->yank_reason, "Had a <vulnerability>");
	assert_string_equal(sdist->requires_python, ">=3.7");
	assert_string_equal(sdist->url, "/f/holy_grail-1.0.tar.gz");
	assert_int_equal(sdist->metadata, PYPI_NOT_OFFERED);
	check_digest(&sdist->sha256, SHA);
	assert_false(wheel->yanked);
	assert_null(wheel->requires_python);
	assert_int_equal(wheel->metadata, PYPI_HASHED);
	check_digest(&wheel->sha256, SHB);
	check_digest(&wheel->metadata_sha256, SHA);
	assert_string_equal(wheel->provenance, "https://example.org/p");
}

static void test_json(void **state _unused_)
{
	_cleanup_pypi_index_ struct pypi_index index;
	const struct pypi_file *sdist;

	pypi_index_init("holy-grail", &index);
	assert_int_equal(pypi_index_parse(json_page, strlen(json_page), &index, NULL), 0);
	check_page(&index);
	assert_int_equal(index.serial, 77);
	assert_int_equal(index.n_refused, 2);
	sdist = find(&index, "holy_grail-1.0.tar.gz");
	assert_int_equal(sdist->size, 123456);
	assert_int_equal(sdist->uploaded, 1672628645);
}

static void test_tags_without_an_end(void **state _unused_)
{
	_cleanup_pypi_index_ struct pypi_index index = { 0 };
	static char text[100000];
	struct error err = { 0 };

	memset(text, '<', sizeof(text));
	pypi_index_init("a-b", &index);
	assert_int_equal(pypi_index_parse(text, sizeof(text), &index, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "without an end"));
}

static void test_html(void **state _unused_)
{
	_cleanup_pypi_index_ struct pypi_index index;

	pypi_index_init("holy-grail", &index);
	assert_int_equal(pypi_index_parse(html_page, strlen(html_page), &index, NULL), 0);
	check_page(&index);
	assert_string_equal(find(&index, "holy_grail-1.0-py3-none-any.whl")->url,
			    "f/holy%5Fgrail-1.0-py3-none-any.whl?x=1&y=2");
}

static const char *const broken[] = {
	"",
	"words",
	"{",
	"{\"files\": [{]}",
	"{\"files\": [{\"filename\": 1,}]}",
	"{\"meta\": {\"api-version\": \"2.0\"}}",
	"{\"meta\": {\"api-version\": \"1.0\"}, \"name\": \"other\"}",
	"{\"files\": {}",
	"<meta name=\"pypi:repository-version\" content=\"2.0\">",
	"<a href=\"x-1.0.tar.gz\">x</a><a href=\"x-1.1.tar",
	"<title>Links for x</title></body",
};

static void test_broken(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		_cleanup_pypi_index_ struct pypi_index index;
		struct error err = { 0 };

		pypi_index_init("x", &index);
		if (pypi_index_parse(broken[i], strlen(broken[i]), &index, &err) != -EINVAL)
			fail_msg("'%s' is taken", broken[i]);
		assert_string_not_equal(err.msg, "");
	}
}

/* Pages of "a", and whether one without a file is believed to have none. */
static const struct {
	const char *text;
	bool believed;
} pages[] = {
	{ "{\"files\":[]}", true },
	{ "<a href=\"a-1.tar.gz\">a</a>", true },
	{ "<a href=\"/login\">log in</a><a href=\"a-1.tar.gz\">a</a>", true },
	/* As servers write those that are empty. */
	{ "<!DOCTYPE html><html><head><meta name=\"pypi:repository-version\" content=\"1.4\">"
	  "</head><body></body></html>",
	  true },
	{ "<html><head><title>Links for a</title></head><body><h1>Links for a</h1></body></html>",
	  true },
	{ "<html><head><title>\n  root/dev: links for a</title></head><body></body></html>", true },
	{ "<html><head><title>Simple Index</title><meta name=\"api-version\" value=\"2\" /></head>"
	  "<body></body></html>",
	  true },
	{ "<html><body><h1>Links for a</h1></body></html>", true },
	/* As others answer. */
	{ "<html><head><title>Sign in</title></head><body><form action=\"/login\" "
	  "method=\"post\"><input type=\"password\" name=\"p\"></form></body></html>",
	  false },
	{ "<html><head><title>Sign in</title></head><body><a href=\"/help\">Help</a></body></html>",
	  false },
	{ "<html><body></body></html>", false },
	{ "<html><head><title>Simple index</title></head><body><a href=\"/simple/b/\">b</a>"
	  "<a href=\"/simple/c/\">c</a></body></html>",
	  false },
	{ "<html><head><title>Index of /a/</title></head><body><a href=\"../\">../</a></body>"
	  "</html>",
	  false },
};

static void test_what_a_page_without_files_says(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		_cleanup_pypi_index_ struct pypi_index index;
		struct error err = { 0 };

		pypi_index_init("a", &index);
		assert_int_equal(
			pypi_index_parse(pages[i].text, strlen(pages[i].text), &index, NULL), 0);
		if ((pypi_index_check(&index, &err) == 0) != pages[i].believed)
			fail_msg("%s", pages[i].text);
		assert_true(pages[i].believed || strstr(err.msg, "no index of a project"));
	}
}

/* Every beginning of a page, as when a connection was cut, is refused or has less. */
static void test_cut(void **state _unused_)
{
	for (size_t len = 0; len < strlen(json_page); len++) {
		_cleanup_pypi_index_ struct pypi_index index;

		pypi_index_init("holy-grail", &index);
		assert_int_equal(pypi_index_parse_json(json_page, len, &index, NULL), -EINVAL);
	}
}

/* One file of a page, and what is read of it. */
static const struct {
	const char *text;
	const char *url; /* NULL: there is none */
	bool yanked;
	const char *sum; /* that is not SHA-256 */
} odd_files[] = {
#define JSON_FILE(rest) "{\"files\":[{\"filename\":\"a-1.tar.gz\",\"url\":\"u\"," rest "}]}"
#define HTML_FILE(rest) "<a href=\"" rest ">a</a>"
	{ "\xef\xbb\xbf" JSON_FILE("\"hashes\":{}"), "u", false, NULL },
	{ "\xef\xbb\xbf" HTML_FILE("a-1.tar.gz\""), "a-1.tar.gz", false, NULL },
	{ JSON_FILE("\"yanked\":\"\""), "u", false, NULL },
	{ JSON_FILE("\"yanked\":false"), "u", false, NULL },
	{ JSON_FILE("\"yanked\":\"why\""), "u", true, NULL },
	{ JSON_FILE("\"yanked\":true"), "u", true, NULL },
	{ HTML_FILE("a-1.tar.gz\" data-yanked"), "a-1.tar.gz", true, NULL },
	{ HTML_FILE("a-1.tar.gz\" data-yanked=\"\""), "a-1.tar.gz", true, NULL },
	{ JSON_FILE("\"hashes\":{\"md5\":\"D41D8CD98F00B204E9800998ECF8427E\"}"), "u", false,
	  "md5=d41d8cd98f00b204e9800998ecf8427e" },
	{ JSON_FILE("\"hashes\":{\"md5\":\"d41d8cd98f00b204e9800998ecf8427\"}"), "u", false, NULL },
	{ JSON_FILE("\"hashes\":{\"md5\":\"d41d8cd98f00b204e9800998ecf8427e\","
		    "\"sha1\":\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"}"),
	  "u", false, "sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709" },
	{ JSON_FILE("\"hashes\":{\"sha256\":\"" SHA "\","
		    "\"md5\":\"d41d8cd98f00b204e9800998ecf8427e\"}"),
	  "u", false, NULL },
	{ HTML_FILE("a-1.tar.gz#md5=d41d8cd98f00b204e9800998ecf8427e\""), "a-1.tar.gz", false,
	  "md5=d41d8cd98f00b204e9800998ecf8427e" },
	{ HTML_FILE("a-1.tar.gz#egg=a-1&amp;md5=d41d8cd98f00b204e9800998ecf8427e\""), "a-1.tar.gz",
	  false, "md5=d41d8cd98f00b204e9800998ecf8427e" },
	{ HTML_FILE("a-1.tar.gz#md5=d41d8cd98f00b204e9800998ecf8427e0\""), "a-1.tar.gz", false,
	  NULL },
	{ HTML_FILE("\n  ../f/a-1.tar.gz\n\""), "../f/a-1.tar.gz", false, NULL },
	{ "<base href=\"/b/c\">" HTML_FILE("f/a-1.tar.gz\""), "/b/f/a-1.tar.gz", false, NULL },
	{ "<base href=\"/b/\"><base href=\"/no/\">" HTML_FILE("../a-1.tar.gz\""),
	  "/b/../a-1.tar.gz", false, NULL },
	{ "<base href=\"/b/\">" HTML_FILE("/a-1.tar.gz\""), "/a-1.tar.gz", false, NULL },
	{ "<base href=\"/b/\">" HTML_FILE("https://h/a-1.tar.gz\""), "https://h/a-1.tar.gz", false,
	  NULL },
	{ "<base href=\"https://x/y/z\">" HTML_FILE("f/a-1.tar.gz\""), "https://x/y/f/a-1.tar.gz",
	  false, NULL },
	{ "<base href=\"https://x/y/z\">" HTML_FILE("/f/a-1.tar.gz\""), "https://x/f/a-1.tar.gz",
	  false, NULL },
	{ "<base href=\"https://x/y/z\">" HTML_FILE("//w/a-1.tar.gz\""), "https://w/a-1.tar.gz",
	  false, NULL },
	{ "<base href=\"https:x\">" HTML_FILE("a-1.tar.gz\""), "a-1.tar.gz", false, NULL },
	{ "<base href=\"x:/y\">" HTML_FILE("/a-1.tar.gz\""), "/a-1.tar.gz", false, NULL },
	{ "<base href=\"\">" HTML_FILE("a-1.tar.gz\""), "a-1.tar.gz", false, NULL },
	{ "<base>" HTML_FILE("a-1.tar.gz\""), "a-1.tar.gz", false, NULL },
};

static void test_files(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(odd_files); i++) {
		_cleanup_pypi_index_ struct pypi_index index;
		const struct pypi_file *file;

		pypi_index_init("a", &index);
		assert_int_equal(pypi_index_parse(odd_files[i].text, strlen(odd_files[i].text),
						  &index, NULL),
				 0);
		if (index.n_files != 1 || strcmp(index.files[0].url, odd_files[i].url) != 0)
			fail_msg("%s: %s", odd_files[i].text,
				 index.n_files ? index.files[0].url : "no file");
		file = &index.files[0];
		assert_string_equal(file->name, "a-1.tar.gz");
		assert_int_equal(file->yanked, odd_files[i].yanked);
		assert_string_equal(file->sum ? file->sum : "",
				    odd_files[i].sum ? odd_files[i].sum : "");
	}
}

static const struct {
	const char *text;
	int64_t expected; /* 0: refused */
} times[] = {
	{ "2022-02-13T19:43:10Z", 1644781390 }, { "2022-02-13T19:43:10.123456Z", 1644781390 },
	{ "2022-02-13T19:43:10.1234567Z", 0 },	{ "2022-02-13T19:43:10", 0 },
	{ "2022-02-13 19:43:10Z", 0 },		{ "2022-13-13T19:43:10Z", 0 },
	{ "2022-02-13T19:43:10+01:00", 0 },	{ "", 0 },
	{ "2022-02-13T19:43:10.Z", 0 },		{ "x022-02-13T19:43:10Z", 0 },
};

static void test_times(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		int64_t seconds = 0;
		int r = pypi_upload_time_parse(times[i].text, &seconds);

		assert_int_equal(r, times[i].expected ? 0 : -EINVAL);
		assert_int_equal(seconds, times[i].expected);
	}
}

/* --- lists --- */

static int join(void *ctx, const char *name, uint64_t serial)
{
	strbuf_printf(ctx, "%s=%ju ", name, (uintmax_t)serial);
	return 0;
}

static const struct {
	const char *text, *expected; /* NULL: refused */
	int doubt;		     /* it does not say that it is a list */
} lists[] = {
	{ "{\"meta\":{\"api-version\":\"1.0\"},\"projects\":[{\"_last-serial\":3,\"name\":\"A.b\"},"
	  "{\"name\":\"c\"},{\"name\":\"-\"}]}",
	  "a-b=3 c=0 ", 0 },
	{ "<html><a href=\"/simple/a-b/\">A.b</a><a href='c'>c</a></html>", "a-b=0 c=0 ", 1 },
	{ "<title>Simple index</title><a href='c'>c</a>", "c=0 ", 0 },
	{ "<title>Simple index</title>", "", 0 },
	{ "<html><body>Sign in</body></html>", NULL, 0 },
	{ "{\"projects\":[]}", "", 0 },
	{ "\r\n\t{\"projects\":[]}", "", 0 },
	{ "\xef\xbb\xbf{\"projects\":[{\"name\":\"a\"}]}", "a=0 ", 0 },
	{ "{\"projects\":[{\"name\":\"a\"}", NULL, 0 },
	{ "{\"projects\":[{\"name\":\"a\" 1}]}", NULL, 0 },
	{ "", NULL, 0 },
};

static void test_lists(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		_cleanup_strbuf_ struct strbuf names = STRBUF_INIT(1024);
		int r = pypi_list_parse(lists[i].text, strlen(lists[i].text), join, &names, NULL);

		assert_int_equal(r, lists[i].expected ? lists[i].doubt : -EINVAL);
		if (r >= 0)
			assert_string_equal(strbuf_str(&names), lists[i].expected);
	}
}

/* --- pages --- */

static void write_page(const struct pypi_index *index, bool html, struct strbuf *out)
{
	struct pypi_page_file rows[2];
	struct pypi_page page = { index->name, index->status, index->status_reason, rows, 2 };

	for (size_t i = 0; i < 2; i++)
		rows[i] = (struct pypi_page_file) {
			.file = &index->files[i],
			.version = "1.0",
			.sha256 = index->files[i].sha256,
			.size = 5,
			.has_metadata = index->files[i].metadata == PYPI_HASHED,
			.metadata_sha256 = index->files[i].metadata_sha256,
		};
	assert_int_equal((html ? pypi_page_html : pypi_page_json)(&page, out, NULL), 0);
}

static void test_pages(void **state _unused_)
{
	for (int html = 0; html < 2; html++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(65536),
					       again = STRBUF_INIT(65536);
		_cleanup_pypi_index_ struct pypi_index first, second;

		pypi_index_init("holy-grail", &first);
		pypi_index_init("holy-grail", &second);
		assert_int_equal(pypi_index_parse(json_page, strlen(json_page), &first, NULL), 0);
		write_page(&first, html, &text);
		write_page(&first, html, &again);
		assert_string_equal(text.data, again.data);
		assert_int_equal(pypi_index_parse(text.data, text.len, &second, NULL), 0);
		assert_int_equal(second.n_files, 2);
		assert_string_equal(second.files[0].yank_reason, "Had a <vulnerability>");
		assert_string_equal(second.files[0].url,
				    "../../packages/holy-grail/holy_grail-1.0.tar.gz");
		assert_string_equal(second.status_reason, "the \"rabbit\"");
		assert_int_equal(second.files[1].metadata, PYPI_HASHED);
		assert_int_equal(second.files[0].metadata, PYPI_NOT_OFFERED);
		assert_string_equal(second.files[0].requires_python, ">=3.7");
	}
}

static void test_exact_pages(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf json = STRBUF_INIT(65536), html = STRBUF_INIT(65536);
	const struct pypi_file file = {
		.name = "a-1!0+x.tar.gz", .url = "x", .yanked = true, .requires_python = ">3\xff"
	};
	struct pypi_page_file row = { .file = &file, .version = "1!0+x", .size = 9 };
	const struct pypi_page page = { "a", NULL, NULL, &row, 1 };

	assert_int_equal(digest_parse(SHA, &row.sha256), 0);
	assert_int_equal(pypi_page_json(&page, &json, NULL), 0);
	assert_string_equal(
		json.data,
		"{\"files\":[{\"filename\":\"a-1!0+x.tar.gz\",\"hashes\":{\"sha256\":\"" SHA
		"\"},\"size\":9,\"url\":\"../../packages/a/a-1%210%2Bx.tar.gz\","
		"\"yanked\":true}],\"meta\":{\"api-version\":\"1.4\"},\"name\":\"a\","
		"\"project-status\":{\"status\":\"active\"},\"versions\":[\"1!0+x\"]}\n");
	assert_int_equal(pypi_page_html(&page, &html, NULL), 0);
	assert_non_null(strstr(html.data,
			       "href=\"../../packages/a/a-1%210%2Bx.tar.gz#sha256=" SHA
			       "\" data-requires-python=\"&gt;3\xff\" data-yanked=\"\">"));
}

static void test_compression(void **state _unused_)
{
	static char text[300000], unpacked[sizeof(text)];
	uLongf size = sizeof(unpacked);

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)("abcdefgh"[i * i % 7] + (char)(i / 50000));
	for (int i = ENCODING_GZIP; i <= ENCODING_ZSTD; i++) {
		_cleanup_strbuf_ struct strbuf a = STRBUF_INIT(sizeof(text)),
					       b = STRBUF_INIT(sizeof(text));

		assert_int_equal(pypi_page_compress(text, sizeof(text), (enum encoding)i, &a, NULL),
				 0);
		assert_int_equal(pypi_page_compress(text, sizeof(text), (enum encoding)i, &b, NULL),
				 0);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		if (i == ENCODING_ZSTD) {
			assert_int_equal(ZSTD_decompress(unpacked, sizeof(unpacked), a.data, a.len),
					 sizeof(text));
		} else {
			z_stream stream = { .next_in = (unsigned char *)a.data,
					    .avail_in = (uInt)a.len,
					    .next_out = (unsigned char *)unpacked,
					    .avail_out = (uInt)size };

			assert_int_equal(inflateInit2(&stream, 31), Z_OK);
			assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
			assert_int_equal(inflateEnd(&stream), Z_OK);
		}
		assert_memory_equal(unpacked, text, sizeof(text));
	}
}

/* --- metadata --- */

static int join_field(void *ctx, const char *name, const char *value)
{
	strbuf_printf(ctx, "%s=%s|", name, value);
	return 0;
}

static const struct {
	const char *text, *expected; /* NULL: refused */
} metadata[] = {
	{ "Name: a\nRequires-Dist: b>=1\nRequires-Dist:c\n\nText: no\n",
	  "Name=a|Requires-Dist=b>=1|Requires-Dist=c|" },
	{ "Name: a\r\nLicense: x\r\n  y\r\n\r\n", "Name=a|License=x  y|" },
	{ "Name: a", "Name=a|" },
	{ "", "" },
	{ "no field\n", NULL },
	{ ": x\n", NULL },
};

static void test_metadata(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(metadata); i++) {
		_cleanup_strbuf_ struct strbuf fields = STRBUF_INIT(1024);
		int r = pypi_metadata_parse(metadata[i].text, strlen(metadata[i].text), join_field,
					    &fields, NULL);

		assert_int_equal(r, metadata[i].expected ? 0 : -EINVAL);
		if (r == 0)
			assert_string_equal(strbuf_str(&fields), metadata[i].expected);
	}
}

/* --- names of files --- */

static const struct {
	const char *name, *project;
	int kind; /* negative: refused */
	const char *version;
} files[] = {
	{ "a_b-1.0-py3-none-any.whl", "a-b", PYPI_WHEEL, "1.0" },
	{ "a-1.0-1x-py2.py3-none-any.whl", "a", PYPI_WHEEL, "1.0" },
	{ "a-1.0-x-py3-none-any.whl", "a", -EINVAL, NULL },
	{ "a-1.0-py3-none.whl", "a", -EINVAL, NULL },
	{ "a-1.0-py3-none-any.whl", "b", -EINVAL, NULL },
	{ "a-b-1.0.tar.gz", "a-b", PYPI_SDIST, "1.0" },
	{ "a-b-1.0.zip", NULL, PYPI_SDIST, "1.0" },
	{ "A.b-1.0-1.tar.bz2", "a-b", PYPI_SDIST, "1.0.post1" },
	{ "a-what.tar.gz", "a", PYPI_SDIST, NULL },
	{ "a-1.0.exe", "a", PYPI_OTHER, NULL },
	{ "a-1.0.txt", "a", -EINVAL, NULL },
	{ "../a-1.0.tar.gz", "a", -EINVAL, NULL },
	{ ".a-1.0.tar.gz", "a", -EINVAL, NULL },
	{ "a-1.0%2f.tar.gz", "a", -EINVAL, NULL },
	{ "a-1.0\n.tar.gz", "a", -EINVAL, NULL },
	{ "", "a", -EINVAL, NULL },
};

static void test_file_names(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct pypi_file_name name;
		char version[PYPI_VERSION_MAX];
		int r = pypi_file_name_parse(files[i].name, files[i].project, &name);

		if ((r < 0 ? r : (int)name.kind) != files[i].kind)
			fail_msg("'%s' is %d", files[i].name, r < 0 ? r : (int)name.kind);
		if (r < 0 || !files[i].version)
			continue;
		assert_int_equal(pypi_version_format(&name.version, version, sizeof(version)), 0);
		assert_string_equal(version, files[i].version);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tags_without_an_end),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_what_a_page_without_files_says),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_exact_pages),
		cmocka_unit_test(test_compression),
		cmocka_unit_test(test_metadata),
		cmocka_unit_test(test_file_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
