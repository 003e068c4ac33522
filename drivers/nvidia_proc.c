/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/nvidia_proc.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"
#include "drivers/sysfs.h"

#define INFORMATION_MAX 4096 /* a page, of which the driver fills 400 bytes */
#define VERSION_MAX 1024     /* three lines; the longest names a compiler */
#define ACCESS_MAX 256	     /* three lines with a number each */

#define HEX_DIGITS "0123456789ABCDEFabcdef"

static bool is_gpu_uuid(const char *text)
{
	return str_starts_with(text, "GPU-") && sysfs_is_id(text);
}

static bool is_video_bios(const char *text)
{
	return sysfs_consists_of(text, HEX_DIGITS ".");
}

static const struct {
	const char *key;
	bool (*fits)(const char *value);
	size_t offset;
	size_t size;
} texts[] = {
	{ "Model", str_is_printable, offsetof(struct nvidia_information, model), NVIDIA_MODEL_MAX },
	{ "GPU UUID", is_gpu_uuid, offsetof(struct nvidia_information, uuid), DEVICE_UUID_MAX },
	{ "Video BIOS", is_video_bios, offsetof(struct nvidia_information, video_bios),
	  DEVICE_VERSION_MAX },
};

/* Cuts the next line off @rest and takes it apart; false at the end.  A line without
 * a colon has an empty value. */
static bool next_line(char **rest, char **ret_key, char **ret_value)
{
	static char none[] = "";
	char *line = strsep(rest, "\n");
	char *colon = line ? strchr(line, ':') : NULL;

	if (!line)
		return false;
	*ret_value = colon ? colon + 1 : none;
	if (colon)
		*colon = '\0';
	(void)str_trim(line);
	if (colon)
		(void)str_trim(*ret_value);
	*ret_key = line;
	return true;
}

static void take_text(const char *key, const char *value, struct nvidia_information *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (strcmp(texts[i].key, key) == 0 && texts[i].fits(value))
			(void)str_copy((char *)ret + texts[i].offset, texts[i].size, value);
}

void nvidia_parse_information(char *text, struct nvidia_information *ret)
{
	char *key, *value;
	uint32_t minor;

	*ret = (struct nvidia_information) { .minor = NVIDIA_MINOR_UNKNOWN };
	while (next_line(&text, &key, &value)) {
		take_text(key, value, ret);
		if (strcmp(key, "Device Minor") == 0 &&
		    parse_u32(value, NVIDIA_MINOR_MAX, &minor) == 0)
			ret->minor = (int)minor;
		if (strcmp(key, "GPU Excluded") == 0)
			ret->excluded = strcmp(value, "Yes") == 0;
	}
}

int nvidia_read_information(int dirfd, struct nvidia_information *ret, struct error *err)
{
	char text[INFORMATION_MAX];
	/* As it is: a byte that has no place in one value costs no other. */
	ssize_t len = file_read(dirfd, "information", text, sizeof(text), err);

	if (len < 0)
		return (int)len;
	nvidia_parse_information(text, ret);
	return 0;
}

/* "535.104.05": digits, and dots between them. */
static bool is_version(const char *word, size_t len)
{
	bool dotted = false;

	for (size_t i = 0; i < len; i++) {
		bool dot = word[i] == '.';

		if (!dot && (word[i] < '0' || word[i] > '9'))
			return false;
		if (dot && (i == 0 || i + 1 == len))
			return false;
		dotted |= dot;
	}
	return dotted;
}

/* The first such word of the first line; the next line has the compiler's. */
void nvidia_parse_version(const char *text, char *ret)
{
	const char *end = text + strcspn(text, "\n");

	ret[0] = '\0';
	while (text < end) {
		size_t len = strcspn(text, " \t\n");

		if (is_version(text, len) && len < DEVICE_VERSION_MAX) {
			memcpy(ret, text, len);
			ret[len] = '\0';
			return;
		}
		text += len;
		text += strspn(text, " \t");
	}
}

int nvidia_read_version(const struct host *host, char *ret, struct error *err)
{
	char text[VERSION_MAX];
	ssize_t len =
		file_read_text(host->root_fd, NVIDIA_PROC_DIR "/version", text, sizeof(text), NULL);

	ret[0] = '\0';
	if (sysfs_is_shortage((int)len))
		return error_set(err, (int)-len, "read '" NVIDIA_PROC_DIR "/version': %s",
				 strerror((int)-len));
	if (len >= 0)
		nvidia_parse_version(text, ret);
	return 0;
}

int nvidia_read_cap_minor(const struct host *host, const char *path, uint32_t *ret,
			  struct error *err)
{
	char text[ACCESS_MAX];
	char *rest = text, *key, *value;
	ssize_t len = file_read_text(host->root_fd, path, text, sizeof(text), NULL);

	if (sysfs_is_shortage((int)len))
		return error_set(err, (int)-len, "read '%s': %s", path, strerror((int)-len));
	if (len < 0)
		return 0;
	while (next_line(&rest, &key, &value))
		if (strcmp(key, "DeviceFileMinor") == 0)
			return parse_u32(value, NVIDIA_MINOR_MAX, ret) == 0;
	return 0;
}

/* Spaces become one '-', what has no place in a name is dropped. */
void nvidia_product(const char *model, char *ret)
{
	size_t len = 0;

	for (; *model; model++) {
		bool space = *model == ' ';
		char c = *model;

		if (space)
			c = '-';
		if (!space && !strchr(SYSFS_LETTERS SYSFS_DIGITS "._-", c))
			continue;
		if (space && (len == 0 || ret[len - 1] == '-'))
			continue;
		if (len + 1 == DEVICE_PRODUCT_MAX) {
			len = 0;
			break;
		}
		ret[len++] = c;
	}
	while (len > 0 && strchr("._-", ret[len - 1]))
		len--;
	ret[len] = '\0';
}
