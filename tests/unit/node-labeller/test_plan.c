/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent next, until the node is what it shall be. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node-labeller/plan.h"
#include "node-labeller/taints.h"
#include "tests/test.h"

#define OWNS(labels, annotations)                                                       \
	"\"managedFields\":[{\"manager\":\"" PLAN_MANAGER "\",\"operation\":\"Apply\"," \
	"\"fieldsV1\":{\"f:metadata\":{\"f:labels\":{" labels "},"                      \
	"\"f:annotations\":{" annotations "}}}}]"
#define OWNED_IS(value) ("\"" PLAN_OWNED_ANNOTATION "\":" value)
#define NODE(metadata) "{\"metadata\":{\"name\":\"n\",\"resourceVersion\":\"7\"," metadata "}}"

struct fixture {
	struct picture picture;
	struct json_t *node;
	struct plan_input input;
	struct plan plan;
};

static void begin(struct fixture *fixture, const char *text)
{
	*fixture = (struct fixture) { .plan = PLAN_INIT };
	picture_empty(&fixture->picture);
	assert_int_equal(kube_object_parse(text, strlen(text), &fixture->node, NULL), 0);
	fixture->input = (struct plan_input) {
		.name = "n", .node = fixture->node, .picture = &fixture->picture, .now_s = 1000
	};
}

static void done(struct fixture *fixture)
{
	picture_done(&fixture->picture);
	kube_object_free(fixture->node);
	plan_done(&fixture->plan);
}

static void want(struct fixture *fixture, const char *key, const char *value)
{
	assert_int_equal(label_set_add(&fixture->picture.labels, key, value, NULL), 0);
}

static void expect(struct fixture *fixture, enum plan_step step, const char *path,
		   const char *const *parts)
{
	assert_int_equal(plan_next(&fixture->input, &fixture->plan, NULL), 0);
	assert_int_equal(fixture->plan.step, step);
	if (step == PLAN_NOTHING)
		return;
	assert_string_equal(strbuf_str(&fixture->plan.path), path);
	for (; *parts; parts++)
		if (!strstr(fixture->plan.body, *parts))
			fail_msg("'%s' is not in %s", *parts, fixture->plan.body);
}

#define APPLY "/api/v1/nodes/n?fieldManager=" PLAN_MANAGER "&force=true"

static void labels_are_applied(_unused_ void **state)
{
	static const struct {
		const char *node;
		enum plan_step step;
	} cases[] = {
		{ NODE("\"labels\":{}"), PLAN_MAPS },
		/* it is there, and somebody else's */
		{ NODE("\"labels\":{\"a.b/c\":\"1\"}"), PLAN_MAPS },
		{ NODE("\"labels\":{\"a.b/c\":\"1\"}," OWNS("\"f:a.b/c\":{}", "")), PLAN_NOTHING },
		{ NODE("\"labels\":{\"a.b/c\":\"2\"}," OWNS("\"f:a.b/c\":{}", "")), PLAN_MAPS },
		/* we have more than we shall have */
		{ NODE("\"labels\":{\"a.b/c\":\"1\",\"a.b/d\":\"1\"}," OWNS(
			  "\"f:a.b/c\":{},\"f:a.b/d\":{}", "")),
		  PLAN_MAPS },
		{ NODE("\"labels\":{\"a.b/c\":\"1\"}," OWNS("\"f:a.b/c\":{}", "\"f:x/y\":{}")),
		  PLAN_MAPS },
		/* somebody else has more */
		{ NODE("\"labels\":{\"a.b/c\":\"1\",\"a.b/d\":\"1\"}," OWNS("\"f:a.b/c\":{}", "")),
		  PLAN_NOTHING },
	};
	const char *const parts[] = { "\"a.b/c\":\"1\"", NULL };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture fixture;

		begin(&fixture, cases[i].node);
		want(&fixture, "a.b/c", "1");
		expect(&fixture, cases[i].step, APPLY, parts);
		done(&fixture);
	}
}

static void an_empty_picture_takes_all_of_ours_away(_unused_ void **state)
{
	const char *const parts[] = { "\"kind\":\"Node\"", NULL };
	struct fixture fixture;

	begin(&fixture, NODE("\"labels\":{\"a.b/c\":\"1\"}," OWNS("\"f:a.b/c\":{}", "")));
	expect(&fixture, PLAN_MAPS, APPLY, parts);
	assert_null(strstr(fixture.plan.body, "a.b/c"));
	done(&fixture);
	begin(&fixture, NODE("\"labels\":{\"a.b/c\":\"1\"}"));
	expect(&fixture, PLAN_NOTHING, NULL, NULL);
	done(&fixture);
}

static void a_server_without_apply_gets_a_merge_patch(_unused_ void **state)
{
	const char *const parts[] = { "\"a.b/c\":\"1\"", "\"a.b/old\":null", "\"a.b/note\":null",
				      OWNED_IS("\"a.b/c\""), NULL };
	struct fixture fixture;

	begin(&fixture, NODE("\"labels\":{\"a.b/old\":\"1\"},\"annotations\":{\"a.b/"
			     "note\":\"x\",\"" PLAN_OWNED_ANNOTATION "\":\"a.b/old,@a.b/note\"}"));
	fixture.input.merge = true;
	want(&fixture, "a.b/c", "1");
	expect(&fixture, PLAN_MAPS, "/api/v1/nodes/n", parts);
	assert_string_equal(fixture.plan.content_type, KUBE_MERGE_PATCH);
	done(&fixture);
	begin(&fixture,
	      NODE("\"labels\":{\"a.b/c\":\"1\"},\"annotations\":{\"" PLAN_OWNED_ANNOTATION
		   "\":\"a.b/c\"}"));
	fixture.input.merge = true;
	want(&fixture, "a.b/c", "1");
	expect(&fixture, PLAN_NOTHING, NULL, NULL);
	done(&fixture);
}

/* As after an upgrade of the server, or when another process cleans up. */
static void what_was_merged_is_taken_over_by_apply(_unused_ void **state)
{
	const char *const parts[] = { "\"a.b/old\":null", OWNED_IS("null"), NULL };
	struct fixture fixture;

	begin(&fixture, NODE("\"labels\":{\"a.b/c\":\"1\",\"a.b/old\":\"1\"},"
			     "\"annotations\":{\"" PLAN_OWNED_ANNOTATION
			     "\":\"a.b/c,a.b/old\"}," OWNS("\"f:a.b/c\":{}", "")));
	want(&fixture, "a.b/c", "1");
	expect(&fixture, PLAN_MAPS, "/api/v1/nodes/n", parts);
	assert_null(strstr(fixture.plan.body, "a.b/c"));
	done(&fixture);
}

static const char *resources[] = { "a.b/x" };

/* The annotation that says whose they are comes first. */
static void taints_come_after_their_annotation(_unused_ void **state)
{
	const char *const annotation[] = { "\"" TAINTS_ANNOTATION "\":\"a.b/x\"", NULL };
	const char *const taints[] = { "\"op\":\"test\"", "\"exclusive\"", NULL };
	struct fixture fixture;

	begin(&fixture, NODE("\"labels\":{}"));
	fixture.picture.resources = resources;
	fixture.picture.n_resources = 1;
	fixture.picture.exclusive_taints = true;
	expect(&fixture, PLAN_MAPS, APPLY, annotation);
	done(&fixture);
	begin(&fixture, NODE("\"annotations\":{\"" TAINTS_ANNOTATION
			     "\":\"a.b/x\"}," OWNS("", "\"f:" TAINTS_ANNOTATION "\":{}")));
	fixture.picture.resources = resources;
	fixture.picture.n_resources = 1;
	fixture.picture.exclusive_taints = true;
	expect(&fixture, PLAN_TAINTS, "/api/v1/nodes/n", taints);
	assert_string_equal(fixture.plan.content_type, KUBE_JSON_PATCH);
	done(&fixture);
}

static void a_condition_is_applied_to_the_status(_unused_ void **state)
{
	const char *const parts[] = { "\"AcceleratorsHealthy\"", "\"False\"", "\"it is ill\"",
				      NULL };
	struct fixture fixture;

	begin(&fixture, NODE("\"labels\":{}"));
	fixture.picture.condition = true;
	fixture.picture.n_devices = 2;
	fixture.picture.n_unhealthy = 1;
	(void)snprintf(fixture.picture.message, sizeof(fixture.picture.message), "it is ill");
	expect(&fixture, PLAN_CONDITION,
	       "/api/v1/nodes/n/status?fieldManager=" PLAN_MANAGER "&force=true", parts);
	done(&fixture);
}

static void what_was_refused_is_left_out(_unused_ void **state)
{
	struct fixture fixture;

	begin(&fixture, NODE("\"labels\":{}"));
	want(&fixture, "a.b/c", "1");
	fixture.picture.condition = true;
	fixture.input.skip = 1U << PLAN_MAPS | 1U << PLAN_CONDITION;
	expect(&fixture, PLAN_NOTHING, NULL, NULL);
	done(&fixture);
}

static void a_name_that_is_none_is_refused(_unused_ void **state)
{
	struct fixture fixture;

	begin(&fixture, NODE("\"labels\":{}"));
	want(&fixture, "a.b/c", "1");
	fixture.input.name = "../../pods";
	assert_int_equal(plan_next(&fixture.input, &fixture.plan, NULL), -EINVAL);
	done(&fixture);
}

static void marks_are_found(_unused_ void **state)
{
	static const struct {
		const char *node;
		bool marked;
	} cases[] = {
		{ NODE("\"labels\":{\"silica.dev/x\":\"1\"}"), false },
		{ NODE(OWNS("\"f:a.b/c\":{}", "")), true },
		{ NODE("\"annotations\":{\"" TAINTS_ANNOTATION "\":\"\"}"), true },
		{ NODE("\"annotations\":{\"" PLAN_OWNED_ANNOTATION "\":\"x\"}"), true },
		{ "{\"status\":{\"conditions\":[{\"type\":\"AcceleratorsHealthy\"}]}}", false },
		{ "{}", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture fixture;

		begin(&fixture, cases[i].node);
		assert_int_equal(plan_is_marked(fixture.node), cases[i].marked);
		done(&fixture);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_applied),
		cmocka_unit_test(an_empty_picture_takes_all_of_ours_away),
		cmocka_unit_test(a_server_without_apply_gets_a_merge_patch),
		cmocka_unit_test(what_was_merged_is_taken_over_by_apply),
		cmocka_unit_test(taints_come_after_their_annotation),
		cmocka_unit_test(a_condition_is_applied_to_the_status),
		cmocka_unit_test(what_was_refused_is_left_out),
		cmocka_unit_test(a_name_that_is_none_is_refused),
		cmocka_unit_test(marks_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
