/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_end.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"

#define COMPONENT "probes"

struct http_end {
	struct loop *loop;
	struct http_address address;
	const struct http_route *routes;
	void *ctx;
	struct http_server *server; /* NULL while the address is not free */
	bool complained;
};

void http_end_check(struct http_end *end)
{
	char text[HTTP_ADDRESS_TEXT_MAX];
	struct error err = { 0 };
	int r;

	if (!end || end->server)
		return;
	r = http_server_new(end->loop, &end->address, end->routes, NULL, end->ctx, &end->server,
			    &err);
	if (r < 0) {
		if (!end->complained)
			log_warning(COMPONENT, "%s; no metrics and probes until then",
				    error_text(&err, r));
		end->complained = true;
		return;
	}
	if (http_server_address(end->server, text) == 0)
		log_info(COMPONENT, "metrics and probes on '%s'", text);
}

int http_end_new(struct loop *loop, const char *address, const struct http_route *routes, void *ctx,
		 struct http_end **ret, struct error *err)
{
	_cleanup_(http_end_freep) struct http_end *end = calloc(1, sizeof(*end));
	int r;

	if (!end)
		return error_set(err, ENOMEM, "no memory for the probes");
	*end = (struct http_end) { .loop = loop, .routes = routes, .ctx = ctx };
	r = http_address_parse(address, &end->address, err);
	if (r < 0)
		return error_wrap(err, r, "--listen-metrics");
	http_end_check(end);
	*ret = TAKE_PTR(end);
	return 0;
}

struct http_server *http_end_server(const struct http_end *end)
{
	return end->server;
}

int http_end_metrics(int r, const struct error *err, struct strbuf *body)
{
	if (r == 0)
		return 200;
	log_error(COMPONENT, "cannot write the metrics: %s", error_text(err, r));
	strbuf_clear(body);
	strbuf_printf(body, "%s\n", error_text(err, r));
	return 500;
}

void http_end_free(struct http_end *end)
{
	int saved_errno = errno;

	if (!end)
		return;
	http_server_free(end->server);
	free(end);
	errno = saved_errno;
}
