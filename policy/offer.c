/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes rules of the configured resources.  A name with placeholders is a pattern
 * for rules: one for each combination of words that the node's devices fill in.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "policy/internal.h"
#include "policy/policy.h"

#define RULES_MAX (POLICY_RESOURCES_MAX + CONFIG_EXCLUDES_MAX)
#define PROBLEMS_MAX 16		    /* that are told; there may be as many as devices */
#define WORD_MAX DEVICE_PRODUCT_MAX /* bytes with the NUL; the longest of the three */
#define CDI_VENDOR_PREFIX "silica."

/* What placeholders stand for; NULL for those that the name does not have. */
struct words {
	const char *of[_RESOURCE_PLACEHOLDER_MAX];
};

struct work {
	const struct policy *policy;
	const struct snapshot *snapshot;
	struct offer *offer;
	int failed; /* negative errno */
};

static void *take(struct work *work, size_t size)
{
	void *piece = arena_alloc(&work->offer->arena, size);

	if (!piece)
		work->failed = -ENOMEM;
	return piece;
}

static const char *take_text(struct work *work, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = take(work, size);

	return copy ? memcpy(copy, text, size) : NULL;
}

static const char *take_word(struct work *work, const char *word)
{
	return word ? take_text(work, word) : NULL;
}

static void add_problem(struct work *work, const char *fmt, ...) _printf_(2, 3);

static void add_problem(struct work *work, const char *fmt, ...)
{
	struct offer *offer = work->offer;
	char text[ERROR_TEXT_MAX];
	const char *copy;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (size_t i = 0; i < offer->n_problems; i++)
		if (strcmp(offer->problems[i], text) == 0)
			return;
	copy = take_text(work, text);
	if (copy && offer->n_problems < PROBLEMS_MAX)
		offer->problems[offer->n_problems++] = copy;
}

static const struct offer_resource *find_resource(const struct offer *offer, const char *name)
{
	for (size_t i = 0; i < offer->n_resources; i++)
		if (strcmp(offer->resources[i].name, name) == 0)
			return &offer->resources[i];
	return NULL;
}

static struct terms terms_of(const struct config_resource *resource, const char *name)
{
	static const struct {
		enum config_allocate config;
		enum terms_way way;
	} ways[] = {
		{ CONFIG_ALLOCATE_DEVICE_NODES, TERMS_DEVICE_NODES },
		{ CONFIG_ALLOCATE_ENV, TERMS_ENV },
		{ CONFIG_ALLOCATE_CDI, TERMS_CDI },
		{ CONFIG_ALLOCATE_ANNOTATIONS, TERMS_ANNOTATIONS },
	};
	static const enum preferred_policy preferred[_CONFIG_PREFERRED_MAX] = {
		[CONFIG_PREFERRED_ALIGNED] = PREFERRED_ALIGNED,
		[CONFIG_PREFERRED_PACKED] = PREFERRED_PACKED,
		[CONFIG_PREFERRED_DISTRIBUTED] = PREFERRED_DISTRIBUTED,
	};
	struct terms terms = {
		.preferred = preferred[resource->preferred],
		.one_share = resource->fail_requests_greater_than_one,
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (resource->allocate & (1U << ways[i].config))
			terms.ways |= ways[i].way;
	(void)str_copy(terms.mps_pipe_dir, sizeof(terms.mps_pipe_dir),
		       resource->mps.pipe_directory);
	if (terms.ways & (TERMS_CDI | TERMS_ANNOTATIONS))
		(void)snprintf(terms.cdi_kind, sizeof(terms.cdi_kind), CDI_VENDOR_PREFIX "%s",
			       name);
	return terms;
}

static bool has_room(struct work *work)
{
	if (work->offer->n_resources < POLICY_RESOURCES_MAX)
		return true;
	work->failed = -E2BIG;
	return false;
}

/* A '+', as in the profile "1g.10gb+me", cannot be in the name of a resource. */
static int write_word(const char *word, char text[WORD_MAX], struct error *err)
{
	if (str_copy(text, WORD_MAX, word) < 0)
		return error_set(err, EINVAL, "'%s' is too long for the name of a resource", word);
	for (char *plus = strchr(text, '+'); plus; plus = strchr(plus, '+'))
		*plus = '.';
	return 0;
}

static int write_name(const char *template, const struct words *words, char *ret, struct error *err)
{
	char texts[_RESOURCE_PLACEHOLDER_MAX][WORD_MAX];
	const char *of[_RESOURCE_PLACEHOLDER_MAX] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		if (!words->of[i])
			continue;
		if (write_word(words->of[i], texts[i], err) < 0)
			return -EINVAL;
		of[i] = texts[i];
	}
	return resource_name_expand(template, of, ret, err);
}

static void report_name(struct work *work, const struct words *words, const struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(ERROR_TEXT_MAX);

	for (size_t i = 0; i < ARRAY_SIZE(words->of); i++)
		if (words->of[i])
			strbuf_printf(&text, "%s'%s'", text.len > 0 ? ", " : "", words->of[i]);
	add_problem(work, "%s; filled in: %s", err->msg, strbuf_str(&text));
}

/* Adds the resource that a configured one becomes with these words. */
static void add_resource(struct work *work, size_t number, const struct words *words)
{
	const struct policy_rule *source = &work->policy->rules[number];
	const struct config_resource *resource = source->resource;
	struct offer *offer = work->offer;
	struct unit_rule rule = source->rule;
	char name[RESOURCE_NAME_MAX];
	struct error err = { 0 };

	if (write_name(resource->name, words, name, &err) < 0) {
		report_name(work, words, &err);
		return;
	}
	if (find_resource(offer, name) || !has_room(work))
		return;
	rule.resource = take_text(work, name);
	rule.product = take_word(work, words->of[RESOURCE_PRODUCT]);
	rule.architecture = take_word(work, words->of[RESOURCE_ARCHITECTURE]);
	if (words->of[RESOURCE_PROFILE])
		rule.profile = take_word(work, words->of[RESOURCE_PROFILE]);
	if (work->failed)
		return;
	offer->rules[offer->n_rules] = rule;
	offer->resources[offer->n_resources++] =
		(struct offer_resource) { rule.resource, offer->n_rules++,
					  terms_of(resource, rule.resource) };
	offer->overlap |= rule.overlap;
}

/* One resource for each profile that the rule finds on a device. */
static void add_profiles(struct work *work, size_t number, const struct device *device,
			 struct words *words)
{
	const struct unit_rule *rule = &work->policy->rules[number].rule;

	for (size_t i = 0; i < device->n_partitions && !work->failed; i++) {
		if (!unit_rule_wants(rule, device, &device->partitions[i]))
			continue;
		words->of[RESOURCE_PROFILE] = device->partitions[i].profile;
		add_resource(work, number, words);
	}
}

static void add_for_device(struct work *work, size_t number, const struct device *device)
{
	const struct policy_rule *source = &work->policy->rules[number];
	const char *name = source->resource->name;
	struct words words = { 0 };

	if (!unit_rule_matches(&source->rule, device) ||
	    unit_rule_fits(&source->rule, device, NULL) < 0)
		return;
	if (resource_name_uses(name, RESOURCE_PRODUCT))
		words.of[RESOURCE_PRODUCT] = device->product;
	if (resource_name_uses(name, RESOURCE_ARCHITECTURE))
		words.of[RESOURCE_ARCHITECTURE] = device->architecture;
	if (resource_name_uses(name, RESOURCE_PROFILE))
		add_profiles(work, number, device, &words);
	else
		add_resource(work, number, &words);
}

static void add_rule(struct work *work, size_t number)
{
	const struct policy_rule *source = &work->policy->rules[number];
	static const struct words no_words;

	if (!source->resource)
		work->offer->rules[work->offer->n_rules++] = source->rule;
	else if (!strchr(source->resource->name, '{'))
		add_resource(work, number, &no_words);
	else
		for (size_t i = 0; i < work->snapshot->n_devices && !work->failed; i++)
			add_for_device(work, number, work->snapshot->devices[i].device);
}

static int fail(const struct work *work, struct error *err)
{
	if (work->failed == -E2BIG)
		return error_set(err, E2BIG, "the configuration makes more than %d resources",
				 POLICY_RESOURCES_MAX);
	return error_set(err, -work->failed, "no memory for the resources");
}

int policy_offer(const struct policy *policy, const struct snapshot *snapshot, struct offer *ret,
		 struct error *err)
{
	_cleanup_offer_ struct offer offer = { .arena = arena_init(OFFER_MEMORY_MAX) };
	struct work work = { .policy = policy, .snapshot = snapshot, .offer = &offer };

	offer.rules = take(&work, RULES_MAX * sizeof(*offer.rules));
	offer.resources = take(&work, POLICY_RESOURCES_MAX * sizeof(*offer.resources));
	offer.problems = take(&work, PROBLEMS_MAX * sizeof(*offer.problems));
	for (size_t i = 0; i < policy->n_rules && !work.failed; i++)
		add_rule(&work, i);
	if (work.failed)
		return fail(&work, err);
	*ret = offer;
	offer = (struct offer) { 0 };
	return 0;
}

void offer_done(struct offer *offer)
{
	arena_done(&offer->arena);
	*offer = (struct offer) { 0 };
}
