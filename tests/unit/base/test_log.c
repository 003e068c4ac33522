/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/options.h"

#define THREADS 4
#define LINES_PER_THREAD 200
#define OUTPUT_MAX (256 * 1024)

/* Standard error is a file in memory while a test runs. */
struct capture {
	int stderr_fd;
	int file_fd;
	char text[OUTPUT_MAX];
};

static int begin_capture(void **state)
{
	static struct capture capture;

	capture.stderr_fd = dup(STDERR_FILENO);
	capture.file_fd = memfd_create("stderr", MFD_CLOEXEC);
	if (capture.stderr_fd < 0 || capture.file_fd < 0)
		return -1;
	/* Writers of a memory file do not lock its position. */
	if (fcntl(capture.file_fd, F_SETFL, O_APPEND) < 0)
		return -1;
	*state = &capture;
	return dup2(capture.file_fd, STDERR_FILENO) < 0 ? -1 : 0;
}

static int end_capture(void **state)
{
	struct capture *capture = *state;

	(void)dup2(capture->stderr_fd, STDERR_FILENO);
	(void)close(capture->stderr_fd);
	(void)close(capture->file_fd);
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	return 0;
}

/* What was logged since the last call. */
static const char *logged(struct capture *capture)
{
	ssize_t len = pread(capture->file_fd, capture->text, sizeof(capture->text) - 1, 0);

	assert_true(len >= 0);
	capture->text[len] = '\0';
	assert_int_equal(ftruncate(capture->file_fd, 0), 0);
	assert_int_equal(lseek(capture->file_fd, 0, SEEK_SET), 0);
	return capture->text;
}

/* Compares a line with a pattern in which '#' stands for any digit. */
static void assert_matches(const char *line, const char *pattern)
{
	char masked[OUTPUT_MAX];
	size_t i;

	for (i = 0; line[i] && i < sizeof(masked) - 1; i++) {
		bool digit = line[i] >= '0' && line[i] <= '9';

		masked[i] = line[i];
		if (digit && i < strlen(pattern) && pattern[i] == '#')
			masked[i] = '#';
	}
	masked[i] = '\0';
	assert_string_equal(masked, pattern);
}

static void writes_text(void **state)
{
	log_info("registration", "resource '%s' registered after %d ms", "furiosa.ai/npu", 12);
	assert_matches(logged(*state), "####-##-##T##:##:##.###Z info    registration: "
				       "resource 'furiosa.ai/npu' registered after 12 ms\n");
}

static void writes_json(void **state)
{
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_warning("config", "key \"a\\b\"");
	assert_matches(logged(*state),
		       "{\"time\":\"####-##-##T##:##:##.###Z\",\"level\":\"warning\","
		       "\"component\":\"config\",\"message\":\"key \\\"a\\\\b\\\"\"}\n");
}

static void a_message_is_one_line(void **state)
{
	static const struct {
		enum log_format format;
		const char *expected;
	} cases[] = {
		{ LOG_FORMAT_TEXT, "a\\x0ab\\x1b\\xc3\n" },
		{ LOG_FORMAT_JSON, "a\\u000ab\\u001b\\u00c3\"}\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		log_setup(LOG_LEVEL_INFO, cases[i].format);
		log_info("test", "%s", "a\nb\x1b\xc3");
		assert_non_null(strstr(logged(*state), cases[i].expected));
	}
}

static void obeys_the_level(void **state)
{
	for (int max = 0; max < _LOG_LEVEL_MAX; max++) {
		log_setup((enum log_level)max, LOG_FORMAT_TEXT);
		for (int level = 0; level < _LOG_LEVEL_MAX; level++) {
			log_write((enum log_level)level, "test", "message");
			if (level <= max)
				assert_non_null(strstr(logged(*state), "message"));
			else
				assert_string_equal(logged(*state), "");
		}
	}
}

static void cuts_a_long_message(void **state)
{
	char message[LOG_LINE_MAX * 2];
	const char *line;

	memset(message, 'm', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	log_error("test", "%s", message);
	line = strchr(logged(*state), 'm');
	assert_non_null(line);
	assert_int_equal(strspn(line, "m"), LOG_LINE_MAX - 1);
	assert_string_equal(line + LOG_LINE_MAX - 1, "\n");
}

static void escapes_even_the_longest_message(void **state)
{
	char message[LOG_LINE_MAX];
	const char *line;

	memset(message, 1, sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_error("test", "%s", message);
	line = strstr(logged(*state), "\\u0001");
	assert_non_null(line);
	assert_string_equal(line + (sizeof(message) - 1) * strlen("\\u0001"), "\"}\n");
}

static void preserves_errno(void **state)
{
	errno = EXDEV;
	log_info("test", "message");
	assert_int_equal(errno, EXDEV);
	assert_int_equal(dup2(((struct capture *)*state)->stderr_fd, STDERR_FILENO), STDERR_FILENO);
	(void)close(STDERR_FILENO);
	errno = EXDEV;
	log_info("test", "nobody can read this");
	assert_int_equal(errno, EXDEV);
}

static void *log_lines(void *letter)
{
	for (int i = 0; i < LINES_PER_THREAD; i++)
		log_info("thread", "%s%s%s%s", (char *)letter, (char *)letter, (char *)letter,
			 (char *)letter);
	return NULL;
}

static void threads_do_not_mix_their_lines(void **state)
{
	static char letters[THREADS][2] = { "a", "b", "c", "d" };
	pthread_t threads[THREADS];
	size_t lines = 0;
	const char *line;

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_lines, letters[i]), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	line = strstr(logged(*state), "thread: ");
	for (; line; line = strstr(line, "thread: "), lines++) {
		char expected[] = "xxxx\n";

		line += strlen("thread: ");
		memset(expected, line[0], 4);
		assert_memory_equal(line, expected, strlen(expected));
	}
	assert_int_equal(lines, THREADS * LINES_PER_THREAD);
}

static void choices_stand_in_the_order_of_the_enums(void **state)
{
	static const char *const levels[_LOG_LEVEL_MAX] = {
		[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARNING] = "warning",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug",
	};
	static const char *const formats[_LOG_FORMAT_MAX] = {
		[LOG_FORMAT_TEXT] = "text",
		[LOG_FORMAT_JSON] = "json",
	};
	const char *level = LOG_LEVEL_CHOICES, *format = LOG_FORMAT_CHOICES;
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		assert_memory_equal(options_next_choice(&level, &len), levels[i],
				    strlen(levels[i]));
	assert_null(options_next_choice(&level, &len));
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		assert_memory_equal(options_next_choice(&format, &len), formats[i],
				    strlen(formats[i]));
	assert_null(options_next_choice(&format, &len));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin_capture, end_capture)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(writes_text),
		TEST(writes_json),
		TEST(a_message_is_one_line),
		TEST(obeys_the_level),
		TEST(cuts_a_long_message),
		TEST(escapes_even_the_longest_message),
		TEST(preserves_errno),
		TEST(threads_do_not_mix_their_lines),
		cmocka_unit_test(choices_stand_in_the_order_of_the_enums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
