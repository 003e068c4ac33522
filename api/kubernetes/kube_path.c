/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubernetes/kube_path.h"

#include <stddef.h>
#include <string.h>

#include "base/parse.h"

#define NAME_MAX_BYTES 253 /* of a DNS subdomain */
#define SHOWN_MAX 80	   /* bytes of a refused name that an error repeats */

#define NODES "/api/v1/nodes"

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* A label begins and ends with a letter or digit. */
static bool is_label(const char *label, size_t len)
{
	if (len == 0 || !is_alphanumeric(label[0]) || !is_alphanumeric(label[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alphanumeric(label[i]) && label[i] != '-')
			return false;
	return true;
}

static bool is_subdomain(const char *name)
{
	if (strlen(name) > NAME_MAX_BYTES)
		return false;
	for (;;) {
		size_t len = strcspn(name, ".");

		if (!is_label(name, len))
			return false;
		if (name[len] == '\0')
			return true;
		name += len + 1;
	}
}

int kube_name_check(const char *what, const char *name, struct error *err)
{
	if (name && is_subdomain(name))
		return 0;
	return error_set(err, EINVAL,
			 "%s '%.*s' is no name: lower-case letters, digits, '-' and '.', "
			 "at most %d bytes",
			 what, SHOWN_MAX, name && str_is_printable(name) ? name : "?",
			 NAME_MAX_BYTES);
}

/* Everything but what RFC 3986 calls unreserved. */
static void add_encoded(struct strbuf *sb, const char *text)
{
	for (; *text; text++) {
		bool upper = *text >= 'A' && *text <= 'Z';

		if (upper || is_alphanumeric(*text) || strchr("-._~", *text))
			strbuf_add(sb, text, 1);
		else
			strbuf_printf(sb, "%%%02X", (unsigned char)*text);
	}
}

static int finish(const struct strbuf *sb, struct error *err)
{
	int r = strbuf_error(sb);

	return r < 0 ? error_set(err, -r, "no memory for a path") : 0;
}

static int add_manager(struct strbuf *sb, const char *manager, struct error *err)
{
	if (manager[0] == '\0' || strlen(manager) > KUBE_MANAGER_MAX || !str_is_printable(manager))
		return error_set(err, EINVAL, "a field manager has 1 to %d printable bytes",
				 KUBE_MANAGER_MAX);
	strbuf_puts(sb, "?fieldManager=");
	add_encoded(sb, manager);
	return 0;
}

int kube_path_node(const char *name, const char *subresource, struct strbuf *ret, struct error *err)
{
	int r = kube_name_check("node", name, err);

	if (r == 0 && subresource)
		r = kube_name_check("subresource", subresource, err);
	if (r < 0)
		return r;
	strbuf_clear(ret);
	strbuf_puts(ret, NODES "/");
	add_encoded(ret, name);
	if (subresource) {
		strbuf_puts(ret, "/");
		add_encoded(ret, subresource);
	}
	return finish(ret, err);
}

int kube_path_apply(const char *name, const char *subresource, const char *manager, bool force,
		    struct strbuf *ret, struct error *err)
{
	int r = kube_path_node(name, subresource, ret, err);

	if (r == 0)
		r = add_manager(ret, manager, err);
	if (r < 0)
		return r;
	strbuf_puts(ret, force ? "&force=true" : "&force=false");
	return finish(ret, err);
}

int kube_path_one_node(const char *name, struct strbuf *ret, struct error *err)
{
	int r = kube_name_check("node", name, err);

	if (r < 0)
		return r;
	strbuf_clear(ret);
	strbuf_puts(ret, NODES "?fieldSelector=metadata.name%3D");
	add_encoded(ret, name);
	return finish(ret, err);
}

int kube_path_nodes(unsigned int limit, const char *next, struct strbuf *ret, struct error *err)
{
	strbuf_clear(ret);
	strbuf_printf(ret, NODES "?limit=%u", limit);
	if (next) {
		strbuf_puts(ret, "&continue=");
		add_encoded(ret, next);
	}
	return finish(ret, err);
}

int kube_path_event(const char *namespace_, const char *name, const char *manager,
		    struct strbuf *ret, struct error *err)
{
	int r = kube_name_check("namespace", namespace_, err);

	if (r == 0 && name)
		r = kube_name_check("event", name, err);
	if (r < 0)
		return r;
	strbuf_clear(ret);
	strbuf_puts(ret, "/api/v1/namespaces/");
	add_encoded(ret, namespace_);
	strbuf_puts(ret, "/events");
	if (name) {
		strbuf_puts(ret, "/");
		add_encoded(ret, name);
	}
	if (manager)
		r = add_manager(ret, manager, err);
	return r < 0 ? r : finish(ret, err);
}

int kube_path_lease(const char *namespace_, const char *name, struct strbuf *ret, struct error *err)
{
	int r = kube_name_check("namespace", namespace_, err);

	if (r == 0 && name)
		r = kube_name_check("lease", name, err);
	if (r < 0)
		return r;
	strbuf_clear(ret);
	strbuf_puts(ret, "/apis/coordination.k8s.io/v1/namespaces/");
	add_encoded(ret, namespace_);
	strbuf_puts(ret, "/leases");
	if (name) {
		strbuf_puts(ret, "/");
		add_encoded(ret, name);
	}
	return finish(ret, err);
}
