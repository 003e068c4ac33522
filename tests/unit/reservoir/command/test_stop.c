/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reservoir/command/command.h"
#include "reservoir/command/stop.h"

#define GRACEFUL 7 /* exit status of a child that ends by itself */

/* A program that is told to end; one that does not look is busy until it is ended. */
_Noreturn static void be_told(unsigned int grace_s, bool looks)
{
	const volatile sig_atomic_t *stop = NULL;

	if (stop_catch(&stop, NULL) < 0 || (grace_s > 0 && stop_within(grace_s, NULL) < 0) || *stop)
		_exit(EXIT_FAILURE);
	(void)raise(SIGTERM);
	while (!looks || !*stop)
		;
	_exit(GRACEFUL);
}

static void test_ends(_unused_ void **state)
{
	static const struct {
		unsigned int grace_s;
		bool looks;
		int status;
	} cases[] = {
		{ 0, true, GRACEFUL },
		{ 1, true, GRACEFUL },
		{ 1, false, COMMAND_INCOMPLETE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		pid_t child = fork();
		int status = 0;

		assert_true(child >= 0);
		if (child == 0)
			be_told(cases[i].grace_s, cases[i].looks);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), cases[i].status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
