/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/command/stop.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/thread.h"
#include "reservoir/command/command.h"

static volatile sig_atomic_t stop;
static volatile sig_atomic_t grace_s; /* 0: whatever it takes */

static struct {
	bool (*words)(void *ctx);
	void *ctx;
} last;

static void alarm_set(sigset_t *ret)
{
	(void)sigemptyset(ret);
	(void)sigaddset(ret, SIGALRM);
}

static void on_signal(_unused_ int signo)
{
	if (!stop && grace_s > 0)
		(void)alarm((unsigned int)grace_s);
	stop = 1;
}

_Noreturn static void end(void)
{
	static const char text[] = "stopped in the middle: the next run goes on from there\n";
	ssize_t ignored _unused_ = write(STDERR_FILENO, text, sizeof(text) - 1);

	_exit(COMMAND_INCOMPLETE);
}

_Noreturn static void on_alarm(_unused_ int signo)
{
	end();
}

/* Whatever the others are at, this thread is free to allocate and to print; what its words
 * wait for, as a reader who does not read, ends with the next alarm. */
static void *wait_for_alarm(_unused_ void *unused)
{
	sigset_t alarms;
	int signo;

	alarm_set(&alarms);
	(void)sigwait(&alarms, &signo);
	(void)alarm((unsigned int)grace_s);
	(void)pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
	if (!last.words || last.words(last.ctx))
		end();
	(void)alarm(0);
	return NULL;
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

int stop_within(unsigned int seconds, bool (*last_words)(void *ctx), void *ctx, struct error *err)
{
	struct sigaction action = { .sa_handler = on_alarm };
	sigset_t alarms;
	pthread_t thread;
	int r;

	alarm_set(&alarms);
	if (sigaction(SIGALRM, &action, NULL) < 0)
		return error_set(err, errno, "catch SIGALRM: %m");
	last.words = last_words;
	last.ctx = ctx;
	grace_s = (sig_atomic_t)seconds;
	/* It is that of the thread, also of those that begin later. */
	(void)pthread_sigmask(SIG_BLOCK, &alarms, NULL);
	r = thread_start(&thread, wait_for_alarm, NULL);
	if (r < 0)
		return error_set(err, -r, "start a thread: %s", error_text(NULL, r));
	(void)pthread_detach(thread);
	return 0;
}
