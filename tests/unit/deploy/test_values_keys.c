/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <regex.h>
#include <string.h>

#include "api/config/schema_scan.h"
#include "base/macro.h"
#include "deploy/helm/values_keys.h"

static void each_key(const struct schema_key *mapping, void (*check)(const struct schema_key *key))
{
	for (size_t i = 0; i < mapping->n_keys; i++) {
		check(&mapping->keys[i]);
		if (mapping->keys[i].type == SCHEMA_MAPPING)
			each_key(&mapping->keys[i], check);
	}
}

static void check_text(const struct schema_key *key)
{
	size_t len = key->text ? strlen(key->text) : 0;

	if (len == 0 || key->text[len - 1] != '.' || strchr(key->text, '|'))
		fail_msg("%s: '%s' is no text of a table", key->name, key->text);
}

/* values.yaml has a line for every one. */
static void check_default(const struct schema_key *key)
{
	if (key->type != SCHEMA_MAPPING && !key->default_value)
		fail_msg("%s has no default", key->name);
}

static void test_rows(void **state _unused_)
{
	each_key(&values_root, check_text);
	each_key(&values_root, check_default);
}

static bool matches(const char *pattern, const char *text)
{
	regex_t regex;
	bool found;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	found = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

/* A default is one that the schema accepts. */
static void check_pattern(const struct schema_key *key)
{
	const char *text = key->default_value && strcmp(key->default_value, "\"\"") != 0
				   ? key->default_value
				   : "";

	if (key->type != SCHEMA_STRING || !key->pattern)
		return;
	if (!matches(key->pattern, text) || strlen(text) < key->min || strlen(text) > key->max)
		fail_msg("%s: the default '%s' does not fit", key->name, text);
}

static void check_enum(const struct schema_key *key)
{
	uint32_t number;

	if (key->type == SCHEMA_ENUM && !schema_scan(key, key->default_value, &number))
		fail_msg("%s: the default '%s' is no value", key->name, key->default_value);
}

static void test_defaults(void **state _unused_)
{
	each_key(&values_root, check_pattern);
	each_key(&values_root, check_enum);
}

static const struct schema_key *find(const char *outer, const char *inner)
{
	return schema_sibling(schema_sibling(&values_root, outer), inner);
}

static void test_patterns(void **state _unused_)
{
	static const struct {
		const char *outer, *inner, *text;
		bool fits;
	} cases[] = {
		{ "kubelet", "rootDir", "/var/lib/kubelet", true },
		{ "kubelet", "rootDir", "/data/k.8s/..kubelet", true },
		{ "kubelet", "rootDir", "/", false },
		{ "kubelet", "rootDir", "var/lib", false },
		{ "kubelet", "rootDir", "/var/", false },
		{ "kubelet", "rootDir", "/var//lib", false },
		{ "kubelet", "rootDir", "/var/../lib", false },
		{ "kubelet", "rootDir", "/var/./lib", false },
		{ "kubelet", "rootDir", "/var lib", false },
		{ "image", "repository", "silica", true },
		{ "image", "repository", "example.com:5000/team/silica", true },
		{ "image", "repository", "Silica", false },
		{ "image", "repository", "-silica", false },
		{ "image", "tag", "v1.2_3-rc1", true },
		{ "image", "tag", "", true },
		{ "image", "tag", ".1", false },
		{ "image", "digest", "sha256:12", false },
		{ "nodeLabeller", "interval", "30s", true },
		{ "nodeLabeller", "interval", "30", false },
		{ "nodeLabeller", "interval", "", true },
		{ "nodeLabeller", "interval", "1s", true },
		{ "nodeLabeller", "interval", "0s", false },
		{ "nodeLabeller", "interval", "01s", false },
		{ "nodeLabeller", "interval", "1000ms", false },
		{ "nodeLabeller", "interval", "9999s", true },
		{ "nodeLabeller", "interval", "79999s", true },
		{ "nodeLabeller", "interval", "85999s", true },
		{ "nodeLabeller", "interval", "86399s", true },
		{ "nodeLabeller", "interval", "86400s", true },
		{ "nodeLabeller", "interval", "86401s", false },
		{ "nodeLabeller", "interval", "90000s", false },
		{ "nodeLabeller", "interval", "100000s", false },
		{ "nodeLabeller", "interval", "999m", true },
		{ "nodeLabeller", "interval", "1399m", true },
		{ "nodeLabeller", "interval", "1440m", true },
		{ "nodeLabeller", "interval", "1441m", false },
		{ "nodeLabeller", "interval", "0h", false },
		{ "nodeLabeller", "interval", "24h", true },
		{ "nodeLabeller", "interval", "25h", false },
		{ "nodeLabeller", "interval", "1d", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (matches(find(cases[i].outer, cases[i].inner)->pattern, cases[i].text) !=
		    cases[i].fits)
			fail_msg("%s.%s: '%s'", cases[i].outer, cases[i].inner, cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
