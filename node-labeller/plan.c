/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "node-labeller/condition.h"
#include "node-labeller/taints.h"

/* Our own two annotations come to those of the picture. */
#define ANNOTATIONS_MAX (LABEL_SET_MAX + 2)
/* Keys to set and keys to remove. */
#define PAIRS_MAX (2 * ANNOTATIONS_MAX)
/* Bytes of a list of keys: what all annotations of an object may have. */
#define KEYS_TEXT_MAX (256 * 1024)
#define ANNOTATION_MARK '@'

/* What labels and annotations shall be; strings are borrowed, but for the two texts. */
struct maps {
	struct kube_pair pairs[_KUBE_MAP_MAX][PAIRS_MAX];
	size_t n[_KUBE_MAP_MAX];
	struct strbuf taints; /* value of the annotation about taints */
	struct strbuf owned;  /* value of the annotation about keys, where it is needed */
};

static void maps_free(struct maps *maps)
{
	if (!maps)
		return;
	strbuf_done(&maps->taints);
	strbuf_done(&maps->owned);
	free(maps);
}
DEFINE_CLEANUP(struct maps, maps_free);

static void add(struct maps *maps, enum kube_map map, const char *key, const char *value)
{
	if (maps->n[map] < PAIRS_MAX)
		maps->pairs[map][maps->n[map]++] = (struct kube_pair) { key, value };
}

static void add_set(struct maps *maps, enum kube_map map, const struct label_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		add(maps, map, set->items[i].key, set->items[i].value);
}

static bool has(const struct maps *maps, enum kube_map map, const char *key)
{
	for (size_t i = 0; i < maps->n[map]; i++)
		if (strcmp(maps->pairs[map][i].key, key) == 0)
			return true;
	return false;
}

static struct maps *make_maps(const struct plan_input *input)
{
	struct maps *maps = calloc(1, sizeof(*maps));

	if (!maps)
		return NULL;
	maps->taints = STRBUF_INIT(KEYS_TEXT_MAX);
	maps->owned = STRBUF_INIT(KEYS_TEXT_MAX);
	add_set(maps, KUBE_LABELS, &input->picture->labels);
	add_set(maps, KUBE_ANNOTATIONS, &input->picture->annotations);
	taints_annotation(input->node, input->picture, &maps->taints);
	if (maps->taints.len > 0)
		add(maps, KUBE_ANNOTATIONS, TAINTS_ANNOTATION, strbuf_str(&maps->taints));
	return maps;
}

/* --- a server that remembers what is ours --- */

struct search {
	const struct maps *maps;
	enum kube_map map;
	bool found;
};

static void look_for_surplus(void *ctx, const char *key)
{
	struct search *search = ctx;

	search->found = search->found || !has(search->maps, search->map, key);
}

static bool differs(const struct json_t *node, const struct maps *maps, enum kube_map map)
{
	struct search search = { maps, map, false };

	for (size_t i = 0; i < maps->n[map]; i++) {
		const struct kube_pair *pair = &maps->pairs[map][i];
		const char *value = kube_object_get(node, map, pair->key);

		if (!value || strcmp(value, pair->value) != 0 ||
		    !kube_object_owns(node, PLAN_MANAGER, map, pair->key))
			return true;
	}
	kube_object_each_owned(node, PLAN_MANAGER, map, look_for_surplus, &search);
	return search.found;
}

static struct kube_pairs pairs_of(const struct maps *maps, enum kube_map map)
{
	return (struct kube_pairs) { maps->pairs[map], maps->n[map] };
}

static int apply_maps(const struct plan_input *input, const struct maps *maps, struct plan *ret,
		      struct error *err)
{
	int r;

	if (!differs(input->node, maps, KUBE_LABELS) &&
	    !differs(input->node, maps, KUBE_ANNOTATIONS))
		return 0;
	ret->step = PLAN_MAPS;
	ret->content_type = KUBE_APPLY_PATCH;
	r = kube_path_apply(input->name, NULL, PLAN_MANAGER, true, &ret->path, err);
	return r < 0 ? r
		     : kube_node_apply_maps(input->name, pairs_of(maps, KUBE_LABELS),
					    pairs_of(maps, KUBE_ANNOTATIONS), &ret->body, err);
}

/* --- one that does not --- */

static void put_keys(struct maps *maps, enum kube_map map, const char *mark)
{
	for (size_t i = 0; i < maps->n[map]; i++)
		strbuf_printf(&maps->owned, "%s%s%s", maps->owned.len > 0 ? "," : "", mark,
			      maps->pairs[map][i].key);
}

/* Cuts a copied list into its keys; those that are not wanted any more are removed. */
static void add_removals(const struct maps *wanted, struct maps *to, char *list)
{
	const char *key;

	while ((key = strsep(&list, ","))) {
		enum kube_map map = key[0] == ANNOTATION_MARK ? KUBE_ANNOTATIONS : KUBE_LABELS;
		const char *name = key + (map == KUBE_ANNOTATIONS);

		if (name[0] && !has(wanted, map, name))
			add(to, map, name, NULL);
	}
}

static bool is_as_merged(const struct json_t *node, const struct maps *maps, enum kube_map map)
{
	for (size_t i = 0; i < maps->n[map]; i++) {
		const struct kube_pair *pair = &maps->pairs[map][i];
		const char *value = kube_object_get(node, map, pair->key);

		if (pair->value ? !value || strcmp(value, pair->value) != 0 : value != NULL)
			return false;
	}
	return true;
}

static int send_merge(const struct plan_input *input, const struct maps *maps, struct plan *ret,
		      struct error *err)
{
	int r = kube_path_node(input->name, NULL, &ret->path, err);

	ret->step = PLAN_MAPS;
	ret->content_type = KUBE_MERGE_PATCH;
	return r < 0 ? r
		     : kube_node_merge_maps(pairs_of(maps, KUBE_LABELS),
					    pairs_of(maps, KUBE_ANNOTATIONS), &ret->body, err);
}

/* The list of keys is written with what it lists, so one cannot be without the other. */
static int merge_maps(const struct plan_input *input, struct maps *maps, struct plan *ret,
		      struct error *err)
{
	const char *before = kube_object_get(input->node, KUBE_ANNOTATIONS, PLAN_OWNED_ANNOTATION);
	_cleanup_free_ char *list = strdup(before ? before : "");

	if (!list)
		return error_set(err, ENOMEM, "no memory for the labels");
	put_keys(maps, KUBE_LABELS, "");
	put_keys(maps, KUBE_ANNOTATIONS, "@");
	add_removals(maps, maps, list);
	add(maps, KUBE_ANNOTATIONS, PLAN_OWNED_ANNOTATION,
	    maps->owned.len > 0 ? strbuf_str(&maps->owned) : NULL);
	if (is_as_merged(input->node, maps, KUBE_LABELS) &&
	    is_as_merged(input->node, maps, KUBE_ANNOTATIONS))
		return 0;
	return send_merge(input, maps, ret, err);
}

/* What was written while the server knew no server-side apply, it does not remember. */
static int end_merging(const struct plan_input *input, const struct maps *wanted, struct plan *ret,
		       struct error *err)
{
	const char *before = kube_object_get(input->node, KUBE_ANNOTATIONS, PLAN_OWNED_ANNOTATION);
	_cleanup_(maps_freep) struct maps *gone = NULL;
	_cleanup_free_ char *list = NULL;

	if (!before)
		return 0;
	gone = calloc(1, sizeof(*gone));
	list = strdup(before);
	if (!gone || !list)
		return error_set(err, ENOMEM, "no memory for the labels");
	add_removals(wanted, gone, list);
	add(gone, KUBE_ANNOTATIONS, PLAN_OWNED_ANNOTATION, NULL);
	return send_merge(input, gone, ret, err);
}

/* --- the steps --- */

static int plan_maps(const struct plan_input *input, struct plan *ret, struct error *err)
{
	_cleanup_(maps_freep) struct maps *maps = make_maps(input);
	int r;

	if (!maps)
		return error_set(err, ENOMEM, "no memory for the labels");
	if (input->merge)
		return merge_maps(input, maps, ret, err);
	r = apply_maps(input, maps, ret, err);
	return r < 0 || ret->step != PLAN_NOTHING ? r : end_merging(input, maps, ret, err);
}

static int plan_taints(const struct plan_input *input, struct plan *ret, struct error *err)
{
	struct kube_taint taints[KUBE_TAINTS_MAX];
	size_t n;
	int r = taints_plan(input->node, input->picture, taints, &n, err);

	if (r <= 0)
		return r;
	ret->step = PLAN_TAINTS;
	ret->content_type = KUBE_JSON_PATCH;
	r = kube_path_node(input->name, NULL, &ret->path, err);
	return r < 0 ? r : kube_node_patch_taints(input->node, taints, n, &ret->body, err);
}

/* A condition cannot be taken away where nobody remembers that it is ours. */
static int plan_condition(const struct plan_input *input, struct plan *ret, struct error *err)
{
	struct kube_condition condition = { 0 };
	enum condition_change change =
		condition_plan(input->node, input->picture, input->now_s, &condition);
	int r;

	if (change == CONDITION_SAME || (change == CONDITION_REMOVE && input->merge))
		return 0;
	ret->step = PLAN_CONDITION;
	ret->content_type = input->merge ? KUBE_STRATEGIC_PATCH : KUBE_APPLY_PATCH;
	r = input->merge
		    ? kube_path_node(input->name, "status", &ret->path, err)
		    : kube_path_apply(input->name, "status", PLAN_MANAGER, true, &ret->path, err);
	return r < 0 ? r
		     : kube_node_apply_condition(input->name,
						 change == CONDITION_WRITE ? &condition : NULL,
						 &ret->body, err);
}

int plan_next(const struct plan_input *input, struct plan *ret, struct error *err)
{
	static int (*const steps[_PLAN_STEP_MAX])(const struct plan_input *, struct plan *,
						  struct error *) = {
		[PLAN_MAPS] = plan_maps,
		[PLAN_TAINTS] = plan_taints,
		[PLAN_CONDITION] = plan_condition,
	};

	ret->step = PLAN_NOTHING;
	for (size_t i = PLAN_MAPS; i < _PLAN_STEP_MAX && ret->step == PLAN_NOTHING; i++) {
		int r = input->skip & 1U << i ? 0 : steps[i](input, ret, err);

		if (r < 0)
			return r;
	}
	return 0;
}

const char *plan_step_name(enum plan_step step)
{
	static const char *const names[_PLAN_STEP_MAX] = {
		[PLAN_NOTHING] = "nothing",
		[PLAN_MAPS] = "labels",
		[PLAN_TAINTS] = "taints",
		[PLAN_CONDITION] = "condition",
	};

	return names[step];
}

static void note(void *ctx, _unused_ const char *key)
{
	bool *found = ctx;

	*found = true;
}

bool plan_is_marked(const struct json_t *node)
{
	bool found = false;

	for (int map = 0; map < _KUBE_MAP_MAX; map++)
		kube_object_each_owned(node, PLAN_MANAGER, (enum kube_map)map, note, &found);
	return found || kube_object_get(node, KUBE_ANNOTATIONS, PLAN_OWNED_ANNOTATION) ||
	       kube_object_get(node, KUBE_ANNOTATIONS, TAINTS_ANNOTATION) ||
	       kube_object_owns_condition(node, PLAN_MANAGER, CONDITION_TYPE);
}

void plan_done(struct plan *plan)
{
	strbuf_done(&plan->path);
	free(plan->body);
	plan->body = NULL;
}
