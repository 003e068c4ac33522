/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/release.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/store/manifest.h"

/* Names of days and months are English whatever the locale. */
static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
				      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

static int find_month(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(months); i++)
		if (strcmp(months[i], name) == 0)
			return (int)i;
	return -1;
}

int release_date(const struct deb822_value *value, int64_t *ret)
{
	char text[64], month[4], zone[6];
	struct tm tm = { 0 };
	int end = -1;

	if (value->len >= sizeof(text))
		return -EBADMSG;
	memcpy(text, value->text, value->len);
	text[value->len] = '\0';
	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %5[A-Z+0-9]%n", &tm.tm_mday,
		   month, &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone, &end) != 7 ||
	    end != (int)value->len)
		return -EBADMSG;
	if (strcmp(zone, "UTC") != 0 && strcmp(zone, "GMT") != 0 && strcmp(zone, "Z") != 0 &&
	    strcmp(zone, "+0000") != 0)
		return -EBADMSG;
	tm.tm_mon = find_month(month);
	tm.tm_year -= 1900;
	if (tm.tm_mon < 0 || tm.tm_year < 70 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
	    tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 ||
	    tm.tm_sec > 60)
		return -EBADMSG;
	*ret = timegm(&tm);
	return 0;
}

void release_date_format(int64_t date, char *ret, size_t size)
{
	struct tm tm = { 0 };
	time_t seconds = date;
	int n;

	(void)gmtime_r(&seconds, &tm);
	n = snprintf(ret, size, "%s, %02d %s %04d %02d:%02d:%02d UTC", days[tm.tm_wday % 7],
		     tm.tm_mday, months[tm.tm_mon % 12], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		     tm.tm_sec);
	if (n < 0 || (size_t)n >= size)
		ret[0] = '\0';
}

void release_done(struct release *release)
{
	free(release->components);
	free(release->architectures);
	free(release->files);
	free(release->text);
	*release = (struct release) { 0 };
}

static int read_dates(const struct deb822_stanza *stanza, struct release *release,
		      struct error *err)
{
	const struct {
		const char *name;
		int64_t *ret;
	} rows[] = {
		{ "Date", &release->date },
		{ "Valid-Until", &release->valid_until },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct deb822_value value = deb822_get(stanza, rows[i].name);

		if (value.len > 0 && release_date(&value, rows[i].ret) < 0)
			return error_set(err, EBADMSG, "'%s' is no date in UTC", rows[i].name);
	}
	return 0;
}

static int read_words(const struct deb822_stanza *stanza, const char *name,
		      struct release_word **ret, size_t *ret_n, struct error *err)
{
	struct deb822_value value = deb822_get(stanza, name);
	struct deb822_value word;
	struct release_word *words = calloc(RELEASE_WORDS_MAX, sizeof(*words));
	size_t n = 0;

	if (!words)
		return error_set(err, ENOMEM, "no memory for '%s'", name);
	*ret = words;
	while (deb822_word(&value, &word)) {
		if (n == RELEASE_WORDS_MAX || word.len >= RELEASE_WORD_SIZE)
			return error_set(err, EFBIG, "'%s' is too long", name);
		memcpy(words[n].text, word.text, word.len);
		if (!str_is_printable(words[n].text))
			return error_set(err, EBADMSG, "'%s' is not printable", name);
		n++;
	}
	*ret_n = n;
	return 0;
}

static int read_fields(const struct deb822_stanza *stanza, struct release *release,
		       struct error *err)
{
	struct deb822_value by_hash = deb822_get(stanza, "Acquire-By-Hash");
	struct deb822_value inside = deb822_get(stanza, "No-Support-for-Architecture-all");
	int r = deb822_copy(stanza, "Suite", release->suite, sizeof(release->suite), err);

	if (r == 0)
		r = deb822_copy(stanza, "Codename", release->codename, sizeof(release->codename),
				err);
	if (r == 0)
		r = read_dates(stanza, release, err);
	if (r == 0)
		r = read_words(stanza, "Components", &release->components, &release->n_components,
			       err);
	if (r == 0)
		r = read_words(stanza, "Architectures", &release->architectures,
			       &release->n_architectures, err);
	release->by_hash = deb822_equal(&by_hash, "yes");
	release->all_is_inside = deb822_equal(&inside, "Packages");
	return r;
}

/* A line of SHA256 or SHA512: digest, size, path. */
struct line {
	struct deb822_value hash, size, path;
};

static int read_line(struct deb822_value *lines, struct line *ret, struct error *err)
{
	struct deb822_value line;

	while (deb822_line(lines, &line)) {
		if (line.len == 0)
			continue;
		if (!deb822_word(&line, &ret->hash) || !deb822_word(&line, &ret->size) ||
		    !deb822_word(&line, &ret->path))
			return error_set(err, EBADMSG,
					 "a line of hashes has no hash, size and path");
		return 1;
	}
	return 0;
}

/* Makes a word of the release's own text a string: what follows it is white space. */
static char *as_string(struct release *release, const struct deb822_value *word)
{
	size_t at = (size_t)(word->text - release->text);

	release->text[at + word->len] = '\0';
	return release->text + at;
}

static int add_file(struct release *release, const struct line *line, struct error *err)
{
	struct release_file *file = &release->files[release->n_files];
	char digest[DIGEST_TEXT_SIZE];
	int r;

	if (release->n_files == RELEASE_FILES_MAX)
		return error_set(err, EFBIG, "more than %u files are listed", RELEASE_FILES_MAX);
	if (line->hash.len != DIGEST_TEXT_SIZE - 1)
		return error_set(err, EBADMSG, "a hash of SHA256 has another length");
	memcpy(digest, line->hash.text, line->hash.len);
	digest[DIGEST_TEXT_SIZE - 1] = '\0';
	if (digest_parse(digest, &file->sha256) < 0 || deb822_u64(&line->size, &file->size) < 0)
		return error_set(err, EBADMSG, "a line of SHA256 has no hash and size");
	file->path = as_string(release, &line->path);
	r = manifest_path_check(file->path, err);
	if (r < 0)
		return r == -EINVAL ? -EBADMSG : r;
	release->n_files++;
	return 0;
}

static size_t count_lines(struct deb822_value lines)
{
	struct deb822_value line;
	size_t n = 0;

	while (deb822_line(&lines, &line))
		n++;
	return n;
}

static int read_sha256(struct release *release, struct deb822_value lines, struct error *err)
{
	struct line line;
	int r;

	if (lines.len == 0)
		return error_set(err, EBADMSG,
				 "it has no SHA256, by which files are kept and checked here");
	release->files =
		calloc(MIN(count_lines(lines), RELEASE_FILES_MAX) + 1, sizeof(*release->files));
	if (!release->files)
		return error_set(err, ENOMEM, "no memory for the list of files");
	r = read_line(&lines, &line, err);
	while (r > 0) {
		r = add_file(release, &line, err);
		if (r == 0)
			r = read_line(&lines, &line, err);
	}
	return r;
}

static int compare_files(const void *a, const void *b)
{
	const struct release_file *x = a;
	const struct release_file *y = b;

	return strcmp(x->path, y->path);
}

/* Some list a file twice with the same hash, which says nothing new. */
static int sort_files(struct release *release, struct error *err)
{
	struct release_file *files = release->files;
	size_t n = 0;

	qsort(files, release->n_files, sizeof(*files), compare_files);
	for (size_t i = 0; i < release->n_files; i++) {
		if (n == 0 || strcmp(files[n - 1].path, files[i].path) != 0)
			files[n++] = files[i];
		else if (files[n - 1].size != files[i].size ||
			 !digest_equal(&files[n - 1].sha256, &files[i].sha256))
			return error_set(err, EBADMSG,
					 "'%s' is listed twice, with different hashes",
					 files[i].path);
	}
	release->n_files = n;
	return 0;
}

static bool is_sha512(const struct deb822_value *hash)
{
	if (hash->len != SHA512_TEXT_SIZE - 1)
		return false;
	for (size_t i = 0; i < hash->len; i++)
		if (!isdigit((unsigned char)hash->text[i]) &&
		    (hash->text[i] < 'a' || hash->text[i] > 'f'))
			return false;
	return true;
}

static int read_sha512(struct release *release, struct deb822_value lines, struct error *err)
{
	struct line line;
	int r = read_line(&lines, &line, err);

	while (r > 0) {
		struct release_file *file;

		if (!is_sha512(&line.hash))
			return error_set(err, EBADMSG, "a hash of SHA512 is none");
		file = bsearch(&(struct release_file) { .path = as_string(release, &line.path) },
			       release->files, release->n_files, sizeof(*file), compare_files);
		if (file)
			file->sha512 = as_string(release, &line.hash);
		r = read_line(&lines, &line, err);
	}
	return r;
}

static int parse(struct release *release, size_t len, struct error *err)
{
	struct deb822_stanza stanza = { release->text, len };
	struct deb822_value sha256 = deb822_get(&stanza, "SHA256");
	struct deb822_value sha512 = deb822_get(&stanza, "SHA512");
	int r = read_fields(&stanza, release, err);

	/* The lists come last: their words become strings in place. */
	if (r == 0)
		r = read_sha256(release, sha256, err);
	if (r == 0)
		r = sort_files(release, err);
	if (r == 0)
		r = read_sha512(release, sha512, err);
	return r;
}

int release_parse(const char *text, size_t len, struct release *ret, struct error *err)
{
	_cleanup_release_ struct release release = { 0 };
	int r;

	if (len > DEB822_RELEASE_MAX)
		return error_set(err, EFBIG, "it has more than %zu bytes", DEB822_RELEASE_MAX);
	if (memchr(text, '\0', len))
		return error_set(err, EBADMSG, "there is a NUL byte in it");
	release.text = malloc(len + 1);
	if (!release.text)
		return error_set(err, ENOMEM, "no memory for a Release file");
	memcpy(release.text, text, len);
	release.text[len] = '\0';
	r = parse(&release, len, err);
	if (r < 0)
		return r;
	*ret = release;
	release = (struct release) { 0 };
	return 0;
}

const struct release_file *release_find(const struct release *release, const char *path)
{
	return bsearch(&(struct release_file) { .path = path }, release->files, release->n_files,
		       sizeof(*release->files), compare_files);
}
