/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/command/stop.h"

#include <errno.h>
#include <stddef.h>

#include "base/macro.h"

static volatile sig_atomic_t stop;

static void on_signal(_unused_ int signo)
{
	stop = 1;
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
