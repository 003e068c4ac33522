/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reservoir/command/command.h"
#include "reservoir/command/stop.h"

#define GRACEFUL 7 /* exit status of a child that ends by itself */

static int reader;	   /* of what was said, in a child */
static volatile bool over; /* a child is about to end by itself */

static bool say(void *ctx)
{
	return write(*(const int *)ctx, "last", 4) == 4;
}

/* Whoever should read does not. */
static bool say_too_much(void *ctx)
{
	while (say(ctx))
		;
	return true;
}

static bool say_nothing(_unused_ void *ctx)
{
	over = true;
	return false;
}

/* A program that is told to end; one that does not look is busy until it is ended. */
_Noreturn static void be_told(unsigned int grace_s, bool (*last_words)(void *ctx), bool looks)
{
	const volatile sig_atomic_t *stop = NULL;

	if (stop_catch(&stop, NULL) < 0 ||
	    (grace_s > 0 && stop_within(grace_s, last_words, &reader, NULL) < 0) || *stop)
		_exit(EXIT_FAILURE);
	(void)raise(SIGTERM);
	while ((!looks || !*stop) && !over)
		;
	_exit(GRACEFUL);
}

static void test_ends(_unused_ void **state)
{
	static const struct {
		unsigned int grace_s;
		bool (*last_words)(void *ctx);
		bool looks;
		int status;
		const char *said;
	} cases[] = {
		{ 0, NULL, true, GRACEFUL, "" },
		{ 1, say, true, GRACEFUL, "" },
		{ 1, NULL, false, COMMAND_INCOMPLETE, "" },
		{ 1, say, false, COMMAND_INCOMPLETE, "last" },
		{ 1, say_too_much, false, COMMAND_INCOMPLETE, "last" },
		{ 1, say_nothing, false, GRACEFUL, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char said[5] = "";
		int status = 0, channel[2];
		pid_t child;

		assert_int_equal(pipe(channel), 0);
		reader = channel[1];
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			be_told(cases[i].grace_s, cases[i].last_words, cases[i].looks);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), cases[i].status);
		(void)close(channel[1]);
		assert_true(read(channel[0], said, 4) >= 0);
		assert_string_equal(said, cases[i].said);
		(void)close(channel[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
