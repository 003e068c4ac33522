/* SPDX-License-Identifier: Apache-2.0 */
/* What allocates within libc and libcurl, and so is wrapped besides malloc() and its like. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#include "base/macro.h"
#include "tests/unit/inventory/memory.h"

char *__real_strdup(const char *text);
CURL *__real_curl_easy_init(void);
struct curl_slist *__real_curl_slist_append(struct curl_slist *list, const char *text);
char *__wrap_strdup(const char *text);
int __wrap_asprintf(char **ret, const char *format, ...) _printf_(2, 3);
CURL *__wrap_curl_easy_init(void);
struct curl_slist *__wrap_curl_slist_append(struct curl_slist *list, const char *text);

char *__wrap_strdup(const char *text)
{
	return memory_fails() ? NULL : __real_strdup(text);
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
	va_list args;
	int n;

	if (memory_fails())
		return -1;
	va_start(args, format);
	n = vasprintf(ret, format, args);
	va_end(args);
	return n;
}

CURL *__wrap_curl_easy_init(void)
{
	return memory_fails() ? NULL : __real_curl_easy_init();
}

struct curl_slist *__wrap_curl_slist_append(struct curl_slist *list, const char *text)
{
	return memory_fails() ? NULL : __real_curl_slist_append(list, text);
}
