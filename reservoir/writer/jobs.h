/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writer does: runs commands of this program as children, each when it is due.
 * That two of them do not write at once is seen to by the lock of the store.
 *
 * They are processes, so that they can be ended at any instant: a store survives that
 * by its design, and then nothing writes any more, whatever a thread was waiting for.
 * They end with their parent, too.
 *
 * Source: fork(2), execve(2), prctl(2) on PR_SET_PDEATHSIG, setpgid(2), ioprio_set(2)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/loop.h"

#define JOB_ARGUMENTS_MAX 16 /* the program, the command, its options and NULL */
#define JOBS_MAX 4	     /* sync, watch, gc, verify */

struct job {
	const char *name;		     /* as it is logged */
	const char *argv[JOB_ARGUMENTS_MAX]; /* after the program's name; NULL ends */
	uint32_t first_ms;		     /* from jobs_start() to its first begin */
	uint32_t interval_ms;		     /* from its end to its next begin */
	uint32_t retry_ms;		     /* the same when it failed, if shorter; 0: no */
	bool stays;			     /* its end is a failure, whatever its status */
	bool idle;			     /* it takes what others leave: of processor and disk */
};

struct jobs;

/**
 * jobs_new() - Make a runner; nothing runs yet.
 * @loop: loop that will call
 * @program: file to execute
 * @ret: the runner, to be released with jobs_free()
 * @err: set on failure
 *
 * The caller calls jobs_reap() after each SIGCHLD.
 *
 * Return: 0, -ENOMEM, or -errno as loop_add_timer() leaves it.
 */
int jobs_new(struct loop *loop, const char *program, struct jobs **ret, struct error *err);

/**
 * jobs_free() - Kill what runs, and release a runner.
 * @jobs: runner or NULL
 */
void jobs_free(struct jobs *jobs);
DEFINE_CLEANUP(struct jobs, jobs_free);

/**
 * jobs_add() - Add a job.
 * @jobs: runner
 * @job: job; copied, its strings must outlive the runner
 * @err: set on failure
 *
 * Return: 0, or -E2BIG when there are JOBS_MAX.
 */
int jobs_add(struct jobs *jobs, const struct job *job, struct error *err);

/**
 * jobs_start() - Run all jobs when they are due, and each again after its interval.
 * @jobs: runner
 */
void jobs_start(struct jobs *jobs);

/**
 * jobs_defer() - End a job that runs, and run it again later.
 * @jobs: runner; nothing happens unless the job runs
 * @name: job
 * @delay_ms: from now to its next begin, at least
 */
void jobs_defer(struct jobs *jobs, const char *name, uint32_t delay_ms);

/**
 * jobs_stop() - Run nothing more, and end what runs.
 * @jobs: runner
 * @grace_ms: how long it may take to end by itself; then it is killed
 * @stopped: called when nothing runs any more, perhaps at once; or NULL
 * @ctx: passed to @stopped
 */
void jobs_stop(struct jobs *jobs, uint32_t grace_ms, void (*stopped)(void *ctx), void *ctx);

/**
 * jobs_reap() - Take in which children have ended.
 * @jobs: runner
 */
void jobs_reap(struct jobs *jobs);
