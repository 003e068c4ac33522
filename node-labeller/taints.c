/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/taints.h"

#include <stdbool.h>
#include <string.h>

/* Nodes of Kubernetes' own taints are not ours to free, whatever a resource is called. */
#define RESERVED_DOMAIN "kubernetes.io"

static size_t domain_len(const char *name)
{
	return strcspn(name, "/");
}

static bool is_reserved(const char *key, size_t len)
{
	size_t reserved = strlen(RESERVED_DOMAIN);

	if (len < reserved || memcmp(key + len - reserved, RESERVED_DOMAIN, reserved) != 0)
		return false;
	return len == reserved || key[len - reserved - 1] == '.';
}

/* A quantity of an extended resource is a whole number, and may have a suffix. */
static bool is_registered(const struct json_t *node, const char *resource)
{
	const char *amount = kube_node_capacity(node, resource);

	return amount && amount[strspn(amount, "0")] != '\0';
}

/* Whether the domain of a taint has resources here, all of them registered. */
static bool is_ready(const struct json_t *node, const struct picture *picture, const char *key)
{
	size_t len = domain_len(key);
	size_t n = 0;

	for (size_t i = 0; i < picture->n_resources; i++) {
		const char *resource = picture->resources[i];

		if (domain_len(resource) != len || memcmp(resource, key, len) != 0)
			continue;
		if (!is_registered(node, resource))
			return false;
		n++;
	}
	return n > 0;
}

static bool is_startup(const struct kube_taint *taint)
{
	size_t len = domain_len(taint->key);

	return taint->key[len] == '/' && strcmp(taint->key + len + 1, TAINTS_STARTUP_NAME) == 0 &&
	       !is_reserved(taint->key, len);
}

static bool is_exclusive(const struct kube_taint *taint)
{
	return taint->value && strcmp(taint->value, TAINTS_EXCLUSIVE_VALUE) == 0 &&
	       strcmp(taint->effect, TAINTS_EXCLUSIVE_EFFECT) == 0;
}

/* Whether @key is one of the words of a list with commas. */
static bool is_listed(const char *list, const char *key)
{
	size_t len = strlen(key);

	while (list && *list) {
		size_t word = strcspn(list, ",");

		if (word == len && memcmp(list, key, len) == 0)
			return true;
		list += word + (list[word] == ',');
	}
	return false;
}

static bool is_wanted(const struct picture *picture, const char *key)
{
	if (!picture->exclusive_taints)
		return false;
	for (size_t i = 0; i < picture->n_resources; i++)
		if (strcmp(picture->resources[i], key) == 0)
			return true;
	return false;
}

/* Whether a taint that is there shall go. */
static bool shall_go(const struct json_t *node, const struct picture *picture,
		     const struct kube_taint *taint)
{
	const char *ours = kube_object_get(node, KUBE_ANNOTATIONS, TAINTS_ANNOTATION);

	if (picture->remove_startup_taints && is_startup(taint))
		return is_ready(node, picture, taint->key);
	return is_exclusive(taint) && is_listed(ours, taint->key) &&
	       !is_wanted(picture, taint->key);
}

static bool has_exclusive(const struct kube_taint *taints, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(taints[i].key, key) == 0 && is_exclusive(&taints[i]))
			return true;
	return false;
}

static int add_exclusive(const struct picture *picture, struct kube_taint *ret, size_t *ret_n,
			 struct error *err)
{
	size_t before = *ret_n;

	for (size_t i = 0; picture->exclusive_taints && i < picture->n_resources; i++) {
		const char *key = picture->resources[i];

		if (has_exclusive(ret, *ret_n, key))
			continue;
		if (*ret_n == KUBE_TAINTS_MAX)
			return error_set(err, EFBIG, "the node has %d taints, no room for '%s'",
					 KUBE_TAINTS_MAX, key);
		ret[(*ret_n)++] = (struct kube_taint) { .key = key,
							.value = TAINTS_EXCLUSIVE_VALUE,
							.effect = TAINTS_EXCLUSIVE_EFFECT };
	}
	return *ret_n > before;
}

int taints_plan(const struct json_t *node, const struct picture *picture, struct kube_taint *ret,
		size_t *ret_n, struct error *err)
{
	size_t n, kept = 0;
	int r = kube_node_taints(node, ret, &n, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (!shall_go(node, picture, &ret[i]))
			ret[kept++] = ret[i];
	*ret_n = kept;
	r = add_exclusive(picture, ret, ret_n, err);
	return r < 0 ? r : r > 0 || kept < n;
}

static void append(struct strbuf *ret, const char *key)
{
	strbuf_printf(ret, "%s%s", ret->len > 0 ? "," : "", key);
}

/* Those that are to go stay in the list until they have gone. */
static void append_remaining(const struct json_t *node, const struct picture *picture,
			     struct strbuf *ret)
{
	const char *ours = kube_object_get(node, KUBE_ANNOTATIONS, TAINTS_ANNOTATION);
	struct kube_taint taints[KUBE_TAINTS_MAX];
	size_t n;

	if (!ours || kube_node_taints(node, taints, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (is_exclusive(&taints[i]) && is_listed(ours, taints[i].key) &&
		    !is_wanted(picture, taints[i].key))
			append(ret, taints[i].key);
}

/* One that somebody else has set before is not ours. */
static bool is_foreign(const struct json_t *node, const char *key)
{
	const char *ours = kube_object_get(node, KUBE_ANNOTATIONS, TAINTS_ANNOTATION);
	struct kube_taint taints[KUBE_TAINTS_MAX];
	size_t n;

	return !is_listed(ours, key) && kube_node_taints(node, taints, &n, NULL) == 0 &&
	       has_exclusive(taints, n, key);
}

void taints_annotation(const struct json_t *node, const struct picture *picture, struct strbuf *ret)
{
	for (size_t i = 0; picture->exclusive_taints && i < picture->n_resources; i++)
		if (!is_foreign(node, picture->resources[i]))
			append(ret, picture->resources[i]);
	append_remaining(node, picture, ret);
}
