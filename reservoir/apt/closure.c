/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsolv reads a file with only the fields that count: what a package is called and
 * what it relates to. Of a package that is excluded it sees the name and nothing that
 * it depends on, so that it satisfies others and brings nothing in.
 */
#include "reservoir/apt/closure.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <solv/evr.h>
#include <solv/pool.h>
#include <solv/poolarch.h>
#include <solv/problems.h>
#include <solv/queue.h>
#include <solv/repo.h>
#include <solv/repo_deb.h>
#include <solv/solver.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "base/suggest.h"

struct closure {
	const struct apt_options *options;
	FILE *file;
	Pool *pool;
	Repo *repo;
	struct closure_result *result;
	const char *architecture;
};

bool closure_is_glob(const char *request)
{
	return strpbrk(request, "*?[") != NULL;
}

bool closure_is_excluded(const struct apt_options *options, const char *name)
{
	for (size_t i = 0; i < options->n_exclude; i++)
		if (fnmatch(options->exclude[i].text, name, 0) == 0)
			return true;
	return false;
}

size_t closure_key(const struct package_name *name, char *ret, size_t size)
{
	/* An epoch of 0 is the same as none. */
	const char *version = str_starts_with(name->version, "0:");
	int n = snprintf(ret, size, "%s %s %s", name->name, version ? version : name->version,
			 name->architecture);

	return n < 0 ? 0 : MIN((size_t)n, size - 1);
}

void closure_result_done(struct closure_result *result)
{
	seen_done(&result->chosen);
	seen_done(&result->names);
	strbuf_done(&result->note);
	free(result->found);
}

int closure_new(const struct apt_options *options, const char *architecture, FILE *file,
		struct closure **ret, struct error *err)
{
	_cleanup_(closure_freep) struct closure *closure = calloc(1, sizeof(*closure));

	if (!closure)
		return error_set(err, ENOMEM, "no memory for packages");
	closure->options = options;
	closure->architecture = architecture;
	closure->file = file;
	closure->pool = pool_create();
	if (!closure->pool)
		return error_set(err, ENOMEM, "no memory for packages");
	(void)pool_setdisttype(closure->pool, DISTTYPE_DEB);
	pool_setarch(closure->pool, architecture);
	closure->repo = repo_create(closure->pool, "upstream");
	*ret = TAKE_PTR(closure);
	return 0;
}

void closure_free(struct closure *closure)
{
	if (closure && closure->pool)
		pool_free(closure->pool);
	free(closure);
}

/* --- what libsolv reads --- */

/*
 * Bytes of ":any", ":native" or ":ARCHITECTURE" behind a name: where packages of only that
 * architecture are looked at, they say nothing.
 */
static size_t skip_qualifier(const struct closure *closure, const char *at, size_t left)
{
	const char *const words[] = { "any", "native", closure->architecture };
	size_t len = 1;

	if (*at != ':')
		return 0;
	while (len < left && (isalnum((unsigned char)at[len]) || at[len] == '-'))
		len++;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == len - 1 && memcmp(words[i], at + 1, len - 1) == 0)
			return len;
	return 0;
}

/* A relationship on one line. */
static int write_relation(const struct closure *closure, const char *name,
			  const struct deb822_value *value)
{
	const char *at = value->text;
	const char *end = at + value->len;

	if (fprintf(closure->file, "%s: ", name) < 0)
		return -EIO;
	for (; at < end; at++) {
		at += skip_qualifier(closure, at, (size_t)(end - at));
		if (at < end && fputc(*at == '\n' ? ' ' : *at, closure->file) == EOF)
			return -EIO;
	}
	return fputc('\n', closure->file) == EOF ? -EIO : 0;
}

static int write_relations(const struct closure *closure, const struct deb822_stanza *stanza,
			   bool excluded)
{
	static const struct {
		const char *name;
		bool brings_in;
	} fields[] = {
		{ "Provides", false },	{ "Depends", true },   { "Pre-Depends", true },
		{ "Recommends", true }, { "Conflicts", true }, { "Breaks", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		struct deb822_value value = deb822_get(stanza, fields[i].name);

		if (value.len == 0 || (excluded && fields[i].brings_in))
			continue;
		if (write_relation(closure, fields[i].name, &value) < 0)
			return -EIO;
	}
	return 0;
}

int closure_add(struct closure *closure, const struct deb822_stanza *stanza, struct error *err)
{
	struct package_name name;
	int r = package_name(stanza, &name, err);

	if (r < 0)
		return r;
	if (strcmp(name.architecture, "all") != 0 &&
	    strcmp(name.architecture, closure->architecture) != 0)
		return 0;
	if (fprintf(closure->file, "Package: %s\nVersion: %s\nArchitecture: %s\n", name.name,
		    name.version, name.architecture) < 0 ||
	    write_relations(closure, stanza, closure_is_excluded(closure->options, name.name)) <
		    0 ||
	    fputc('\n', closure->file) == EOF)
		return error_set(err, EIO, "write to a temporary file: %s", strerror(errno));
	return 0;
}

static int load(struct closure *closure, struct error *err)
{
	if (fflush(closure->file) != 0 || fseek(closure->file, 0, SEEK_SET) != 0)
		return error_set(err, errno, "temporary file: %s", strerror(errno));
	if (repo_add_debpackages(closure->repo, closure->file, 0) != 0)
		return error_set(err, EBADMSG, "packages: %s", pool_errstr(closure->pool));
	pool_createwhatprovides(closure->pool);
	return 0;
}

/* --- requests --- */

static const char *name_of(const struct closure *closure, Id p)
{
	return pool_id2str(closure->pool, closure->pool->solvables[p].name);
}

static struct package_name package_of(const struct closure *closure, Id p)
{
	const Solvable *solvable = &closure->pool->solvables[p];
	struct package_name name = { 0 };

	/* They were read into such fields before: they fit. */
	(void)str_copy(name.name, sizeof(name.name), name_of(closure, p));
	(void)str_copy(name.version, sizeof(name.version),
		       pool_id2str(closure->pool, solvable->evr));
	(void)str_copy(name.architecture, sizeof(name.architecture),
		       pool_id2str(closure->pool, solvable->arch));
	return name;
}

/* Jobs of a glob: every name once. */
static int ask_glob(struct closure *closure, const char *glob, Queue *jobs, struct error *err)
{
	_cleanup_seen_ struct seen names = { 0 };
	Id p;

	for (p = closure->repo->start; p < closure->repo->end; p++) {
		const char *name = name_of(closure, p);
		int r;

		if (fnmatch(glob, name, 0) != 0 || closure_is_excluded(closure->options, name))
			continue;
		r = seen_add(&names, name, strlen(name), 0, err);
		if (r < 0)
			return r;
		if (r == SEEN_NEW)
			queue_push2(jobs, SOLVER_INSTALL | SOLVER_SOLVABLE_NAME,
				    closure->pool->solvables[p].name);
	}
	return 0;
}

/* The job of one version. */
static void ask_version(struct closure *closure, const char *request, Queue *jobs)
{
	const char *equals = strchr(request, '=');
	const char *version = str_starts_with(equals + 1, "0:") ? equals + 3 : equals + 1;
	size_t len = (size_t)(equals - request);
	Id p;

	for (p = closure->repo->start; p < closure->repo->end; p++) {
		const char *name = name_of(closure, p);

		if (strlen(name) != len || memcmp(name, request, len) != 0 ||
		    strcmp(pool_id2str(closure->pool, closure->pool->solvables[p].evr), version) !=
			    0)
			continue;
		queue_push2(jobs, SOLVER_INSTALL | SOLVER_SOLVABLE, p);
		return;
	}
}

/* The job of a name, or of what some package provides. */
static void ask_name(struct closure *closure, const char *request, Queue *jobs)
{
	Pool *pool = closure->pool; /* FOR_PROVIDES() wants this name */
	Id id = pool_str2id(pool, request, 0);
	Id p, pp;

	if (id == 0)
		return;
	FOR_PROVIDES(p, pp, id)
	{
		if (pool->solvables[p].name != id)
			continue;
		queue_push2(jobs, SOLVER_INSTALL | SOLVER_SOLVABLE_NAME, id);
		return;
	}
	if (pool_whatprovides(pool, id) > 1)
		queue_push2(jobs, SOLVER_INSTALL | SOLVER_SOLVABLE_PROVIDES, id);
}

static int ask(struct closure *closure, const char *request, Queue *jobs, struct error *err)
{
	if (closure_is_glob(request))
		return ask_glob(closure, request, jobs, err);
	if (strchr(request, '='))
		ask_version(closure, request, jobs);
	else
		ask_name(closure, request, jobs);
	return 0;
}

/* --- solutions --- */

/* What brought a package in, and by which package. */
static const char *why(Solver *solver, Id p, Id *ret_by)
{
	Id info = 0, from = 0, to = 0, dep = 0;
	int reason = solver_describe_decision(solver, p, &info);

	*ret_by = 0;
	if (reason == SOLVER_REASON_WEAKDEP || reason == SOLVER_REASON_RECOMMENDED ||
	    reason == SOLVER_REASON_SUPPLEMENTED) {
		Queue why_queue;

		queue_init(&why_queue);
		solver_describe_weakdep_decision(solver, p, &why_queue);
		if (why_queue.count >= 2)
			*ret_by = why_queue.elements[1];
		queue_free(&why_queue);
		return CLOSURE_RECOMMENDED;
	}
	if (info > 0 &&
	    solver_ruleinfo(solver, info, &from, &to, &dep) == SOLVER_RULE_PKG_REQUIRES) {
		*ret_by = from;
		return CLOSURE_NEEDED;
	}
	return CLOSURE_ASKED;
}

static int choose(struct closure *closure, Solver *solver, Id p, struct error *err)
{
	struct closure_result *result = closure->result;
	struct package_name name = package_of(closure, p);
	char key[CLOSURE_KEY_MAX];
	size_t len = closure_key(&name, key, sizeof(key));
	Id by;
	const char *word = why(solver, p, &by);
	bool excluded = closure_is_excluded(closure->options, name.name);
	const char *by_name = by > 0 ? name_of(closure, by) : "-";
	int r = seen_add(&result->chosen, key, len, excluded, err);

	if (r != SEEN_NEW)
		return MIN(r, 0);
	strbuf_printf(&result->note, "%s %s %s\n", key, excluded ? CLOSURE_EXCLUDED : word,
		      by_name);
	if (excluded)
		return 0;
	r = seen_add(&result->names, name.name, strlen(name.name), 0, err);
	return MIN(r, 0);
}

static int take_solution(struct closure *closure, Solver *solver, struct error *err)
{
	Queue decisions;
	int r = 0;

	queue_init(&decisions);
	solver_get_decisionqueue(solver, &decisions);
	for (int i = 0; r == 0 && i < decisions.count; i++)
		if (decisions.elements[i] > 1)
			r = choose(closure, solver, decisions.elements[i], err);
	queue_free(&decisions);
	return r;
}

static void tell_problem(struct closure *closure, Solver *solver, const char *request, bool glob)
{
	Id from, to, dep;
	Id rule = solver_findproblemrule(solver, 1);
	SolverRuleinfo type = solver_ruleinfo(solver, rule, &from, &to, &dep);
	const char *text = solver_problemruleinfo2str(solver, type, from, to, dep);

	(glob ? closure->result->tell : closure->result->fail)(closure->result->ctx, request, text);
}

/* Returns 1 when the jobs can be had together, 0 when they cannot. */
static int solve(struct closure *closure, Queue *jobs, const char *request, bool glob,
		 struct error *err)
{
	Solver *solver = solver_create(closure->pool);
	int r;

	if (!solver)
		return error_set(err, ENOMEM, "no memory to look for dependencies");
	(void)solver_set_flag(solver, SOLVER_FLAG_IGNORE_RECOMMENDED,
			      !closure->options->recommends);
	if (solver_solve(solver, jobs) == 0) {
		r = take_solution(closure, solver, err);
		r = r < 0 ? r : 1;
	} else {
		if (request)
			tell_problem(closure, solver, request, glob);
		r = 0;
	}
	solver_free(solver);
	return r;
}

static int solve_each(struct closure *closure, Queue *jobs, const char *request, struct error *err)
{
	bool glob = closure_is_glob(request);
	int r = 0;

	for (int i = 0; r >= 0 && i + 1 < jobs->count; i += 2) {
		Queue one;

		queue_init(&one);
		queue_push2(&one, jobs->elements[i], jobs->elements[i + 1]);
		r = solve(closure, &one,
			  glob ? pool_id2str(closure->pool, jobs->elements[i + 1]) : request, glob,
			  err);
		queue_free(&one);
	}
	return MIN(r, 0);
}

/* All requests together, but those of a certain version, which may need old ones. */
static int solve_together(struct closure *closure, Queue *jobs, struct error *err)
{
	for (size_t i = 0; i < closure->options->n_packages; i++) {
		const char *request = closure->options->packages[i].text;
		int r = strchr(request, '=') ? 0 : ask(closure, request, jobs, err);

		if (r < 0)
			return r;
	}
	return jobs->count == 0 ? 1 : solve(closure, jobs, NULL, false, err);
}

static const char *nearest(const struct closure *closure, const char *request)
{
	size_t distance = SUGGEST_WORD_MAX;
	const char *best = NULL;

	for (Id p = closure->repo->start; p < closure->repo->end; p++) {
		size_t other = suggest_distance(request, name_of(closure, p));

		if (other < distance && suggest_is_close(other, request)) {
			best = name_of(closure, p);
			distance = other;
		}
	}
	return best;
}

static void tell_absent(struct closure *closure, const char *request)
{
	const char *near = closure_is_glob(request) ? NULL : nearest(closure, request);
	char text[ERROR_TEXT_MAX];

	(void)snprintf(text, sizeof(text),
		       near ? "there is none for architecture '%s', did you mean '%s'?"
			    : "there is none for architecture '%s'",
		       closure->architecture, near);
	closure->result->tell(closure->result->ctx, request, text);
}

static int solve_request(struct closure *closure, size_t i, bool done, struct error *err)
{
	const char *request = closure->options->packages[i].text;
	Queue jobs;
	int r;

	queue_init(&jobs);
	r = ask(closure, request, &jobs, err);
	if (r == 0 && jobs.count == 0)
		tell_absent(closure, request);
	else if (r == 0) {
		closure->result->found[i] = true;
		if (!done || strchr(request, '='))
			r = solve_each(closure, &jobs, request, err);
	}
	queue_free(&jobs);
	return r;
}

int closure_solve(struct closure *closure, struct closure_result *result, struct error *err)
{
	Queue jobs;
	int together;
	int r = load(closure, err);

	if (r < 0)
		return r;
	closure->result = result;
	queue_init(&jobs);
	together = solve_together(closure, &jobs, err);
	queue_free(&jobs);
	r = MIN(together, 0);
	for (size_t i = 0; r == 0 && i < closure->options->n_packages; i++)
		r = solve_request(closure, i, together == 1, err);
	if (r == 0 && strbuf_error(&result->note) < 0)
		r = error_set(err, -strbuf_error(&result->note), "too many packages");
	return r;
}
