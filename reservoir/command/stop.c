/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/command/stop.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "base/macro.h"
#include "reservoir/command/command.h"

static volatile sig_atomic_t stop;
static volatile sig_atomic_t grace_s; /* 0: whatever it takes */

static void on_signal(_unused_ int signo)
{
	if (!stop && grace_s > 0)
		(void)alarm((unsigned int)grace_s);
	stop = 1;
}

_Noreturn static void on_alarm(_unused_ int signo)
{
	static const char text[] = "stopped in the middle: the next run goes on from there\n";
	ssize_t ignored _unused_ = write(STDERR_FILENO, text, sizeof(text) - 1);

	_exit(COMMAND_INCOMPLETE);
}

int stop_catch(const volatile sig_atomic_t **ret, struct error *err)
{
	static const int signals[] = { SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = on_signal };

	stop = 0;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigaction(signals[i], &action, NULL) < 0)
			return error_set(err, errno, "catch signals: %m");
	*ret = &stop;
	return 0;
}

int stop_within(unsigned int seconds, struct error *err)
{
	struct sigaction action = { .sa_handler = on_alarm };

	if (sigaction(SIGALRM, &action, NULL) < 0)
		return error_set(err, errno, "catch SIGALRM: %m");
	grace_s = (sig_atomic_t)seconds;
	return 0;
}
