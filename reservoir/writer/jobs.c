/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/writer/jobs.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ioprio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"

#define COMPONENT "writer"
#define STATUS_INCOMPLETE 3 /* COMMAND_INCOMPLETE */
#define NICE_LAST 19
#define DEFER_GRACE_MS 10000 /* of a job that is deferred, to end by itself */

struct slot {
	struct jobs *jobs;
	struct job job;
	pid_t pid;	   /* 0 when it does not run */
	bool interrupted;  /* it was told to end */
	uint64_t after_ms; /* not before it is run again */
	struct loop_source *due;
	struct loop_source *kill;
};

struct jobs {
	struct loop *loop;
	const char *program;
	struct slot slots[JOBS_MAX];
	size_t n;
	bool started;
	void (*stopped)(void *ctx);
	void *ctx;
};

/* What it has started in turn is in its group. */
static void signal_child(const struct slot *slot, int signo)
{
	if (slot->pid > 0)
		(void)kill(-slot->pid, signo);
}

/* As nice(1) and ionice(1) do; where it cannot be, it is only faster than it need be. */
static void give_way(void)
{
	(void)setpriority(PRIO_PROCESS, 0, NICE_LAST);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		      IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

/* In the child: only what a signal handler may do. */
_Noreturn static void become(const struct jobs *jobs, const struct job *job, pid_t parent)
{
	const char *argv[JOB_ARGUMENTS_MAX + 1] = { "silica-reservoir" };
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

	memcpy(argv + 1, job->argv, sizeof(job->argv));
	(void)sigemptyset(&none);
	(void)sigaction(SIGPIPE, &standard, NULL); /* which kube_client_new() ignores */
	(void)setpgid(0, 0);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (job->idle)
		give_way();
	/* It may have gone before it was looked at. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
		(void)execv(jobs->program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

static int spawn(struct slot *slot)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		become(slot->jobs, &slot->job, parent);
	/* Both do it, so that it is done before either goes on. */
	(void)setpgid(pid, pid);
	slot->pid = pid;
	slot->interrupted = false;
	return 0;
}

static void schedule(struct slot *slot, uint32_t delay_ms)
{
	uint64_t now = clock_ms();

	if (slot->after_ms > now)
		delay_ms = MAX(delay_ms, (uint32_t)(slot->after_ms - now));
	(void)loop_timer_set(slot->due, delay_ms, 0);
}

static void run_due(void *ctx)
{
	struct slot *slot = ctx;
	int r;

	if (!slot->jobs->started || slot->pid > 0)
		return;
	r = spawn(slot);
	if (r == 0) {
		log_debug(COMPONENT, "%s: begins, process %d", slot->job.name, (int)slot->pid);
		return;
	}
	log_error(COMPONENT, "%s: cannot be started: %s", slot->job.name, strerror(-r));
	schedule(slot, slot->job.interval_ms);
}

static void tell_end(const struct slot *slot, int status)
{
	const char *name = slot->job.name;

	if (slot->interrupted)
		log_info(COMPONENT, "%s: was ended", name);
	else if (WIFSIGNALED(status))
		log_error(COMPONENT, "%s: ended by signal %d", name, WTERMSIG(status));
	else if (slot->job.stays)
		log_error(COMPONENT, "%s: ended, exit status %d; it is started again", name,
			  WEXITSTATUS(status));
	else if (WEXITSTATUS(status) == 0)
		log_debug(COMPONENT, "%s: done", name);
	else if (WEXITSTATUS(status) == STATUS_INCOMPLETE)
		log_warning(COMPONENT, "%s: something is missing, damaged or was refused", name);
	else
		log_error(COMPONENT, "%s: failed, exit status %d", name, WEXITSTATUS(status));
}

/* What failed, as another was writing or the disk was full, is not left for a day. */
static uint32_t pause_after(const struct slot *slot, int status)
{
	bool failed = WIFSIGNALED(status) ||
		      (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != STATUS_INCOMPLETE);

	if (slot->interrupted)
		return 0;
	return failed && slot->job.retry_ms > 0 ? MIN(slot->job.retry_ms, slot->job.interval_ms)
						: slot->job.interval_ms;
}

static bool any_runs(const struct jobs *jobs)
{
	for (size_t i = 0; i < jobs->n; i++)
		if (jobs->slots[i].pid > 0)
			return true;
	return false;
}

static void take_end(struct slot *slot, int status)
{
	struct jobs *jobs = slot->jobs;

	tell_end(slot, status);
	/* What it has started in turn does not outlive it. */
	signal_child(slot, SIGKILL);
	loop_timer_stop(slot->kill);
	slot->pid = 0;
	if (jobs->started)
		schedule(slot, pause_after(slot, status));
	else if (jobs->stopped && !any_runs(jobs))
		jobs->stopped(jobs->ctx);
}

void jobs_reap(struct jobs *jobs)
{
	int status;

	/* Only what was started here: other parts of the process may have children, too. */
	for (size_t i = 0; i < jobs->n; i++) {
		struct slot *slot = &jobs->slots[i];

		if (slot->pid > 0 && waitpid(slot->pid, &status, WNOHANG) == slot->pid)
			take_end(slot, status);
	}
}

static void kill_child(void *ctx)
{
	signal_child(ctx, SIGKILL);
}

static void interrupt(struct slot *slot, uint32_t grace_ms)
{
	slot->interrupted = true;
	signal_child(slot, SIGTERM);
	(void)loop_timer_set(slot->kill, grace_ms, 0);
}

int jobs_new(struct loop *loop, const char *program, struct jobs **ret, struct error *err)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));

	if (!jobs)
		return error_set(err, ENOMEM, "no memory for jobs");
	jobs->loop = loop;
	jobs->program = program;
	*ret = jobs;
	return 0;
}

static void slot_done(struct slot *slot)
{
	signal_child(slot, SIGKILL);
	if (slot->pid > 0)
		(void)waitpid(slot->pid, NULL, 0);
	loop_source_free(slot->due);
	loop_source_free(slot->kill);
}

void jobs_free(struct jobs *jobs)
{
	int saved_errno = errno;

	if (!jobs)
		return;
	for (size_t i = 0; i < jobs->n; i++)
		slot_done(&jobs->slots[i]);
	free(jobs);
	errno = saved_errno;
}

int jobs_add(struct jobs *jobs, const struct job *job, struct error *err)
{
	struct slot *slot = &jobs->slots[jobs->n];
	int r;

	if (jobs->n == JOBS_MAX)
		return error_set(err, E2BIG, "more than %d jobs", JOBS_MAX);
	*slot = (struct slot) { .jobs = jobs, .job = *job };
	jobs->n++;
	r = loop_add_timer(jobs->loop, run_due, slot, &slot->due, err);
	return r < 0 ? r : loop_add_timer(jobs->loop, kill_child, slot, &slot->kill, err);
}

void jobs_start(struct jobs *jobs)
{
	jobs->started = true;
	jobs->stopped = NULL;
	for (size_t i = 0; i < jobs->n; i++)
		schedule(&jobs->slots[i], jobs->slots[i].job.first_ms);
}

void jobs_defer(struct jobs *jobs, const char *name, uint32_t delay_ms)
{
	for (size_t i = 0; i < jobs->n; i++) {
		struct slot *slot = &jobs->slots[i];

		if (slot->pid == 0 || strcmp(slot->job.name, name) != 0)
			continue;
		slot->after_ms = clock_ms() + delay_ms;
		if (!slot->interrupted)
			interrupt(slot, DEFER_GRACE_MS);
	}
}

void jobs_stop(struct jobs *jobs, uint32_t grace_ms, void (*stopped)(void *ctx), void *ctx)
{
	jobs->started = false;
	jobs->stopped = stopped;
	jobs->ctx = ctx;
	for (size_t i = 0; i < jobs->n; i++) {
		loop_timer_stop(jobs->slots[i].due);
		if (jobs->slots[i].pid > 0)
			interrupt(&jobs->slots[i], grace_ms);
	}
	if (stopped && !any_runs(jobs))
		stopped(ctx);
}
