/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/peer.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/parse.h"

/* Headers that are read, and where they go. */
#define HEADER(header, member)                                               \
	{                                                                    \
		header, sizeof(header) - 1, offsetof(struct request, member) \
	}
static const struct {
	const char *name;
	size_t len;
	size_t offset;
} headers[] = {
	HEADER("Accept", accept),
	HEADER("Accept-Encoding", accept_encoding),
	HEADER("Authorization", authorization),
	HEADER("If-Match", condition.if_match),
	HEADER("If-Unmodified-Since", condition.if_unmodified_since),
	HEADER("If-None-Match", condition.if_none_match),
	HEADER("If-Modified-Since", condition.if_modified_since),
	HEADER("If-Range", condition.if_range),
	HEADER("Range", condition.range),
	HEADER("Referer", referer),
	HEADER("User-Agent", user_agent),
	HEADER("X-Forwarded-For", forwarded_for),
};

#define IS_HEADER(name, len, header) ((len) == sizeof(header) - 1 && strcasecmp(name, header) == 0)

void peer_address(const struct sockaddr *from, struct limit_key *ret)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (from->sa_family == AF_INET6) {
		memcpy(ret->bytes, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr,
		       sizeof(ret->bytes));
		return;
	}
	memcpy(ret->bytes, mapped, sizeof(mapped));
	memcpy(ret->bytes + sizeof(mapped),
	       &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
}

static void format_address(const struct limit_key *key, char ret[INET6_ADDRSTRLEN])
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool is_v4 = memcmp(key->bytes, mapped, sizeof(mapped)) == 0;

	if (!inet_ntop(is_v4 ? AF_INET : AF_INET6, key->bytes + (is_v4 ? sizeof(mapped) : 0), ret,
		       INET6_ADDRSTRLEN))
		ret[0] = '\0';
}

int peer_new(struct core *core, struct MHD_Connection *connection, struct peer **ret)
{
	const union MHD_ConnectionInfo *info;
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return -ENOMEM;
	peer->core = core;
	peer->connection = connection;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (info && info->client_addr)
		peer_address(info->client_addr, &peer->address);
	format_address(&peer->address, peer->address_text);
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	peer->fd = info ? info->connect_fd : -1;
	atomic_init(&peer->waiting_ns, clock_ns());
	*ret = peer;
	return 0;
}

void peer_begin(struct peer *peer, const char *target)
{
	size_t len = strnlen(target, sizeof(peer->target) - 1);

	memset(&peer->request, 0, sizeof(peer->request));
	peer->begun = true;
	peer->read = false;
	peer->counts = false;
	peer->waited = CACHE_WAITED_NOT;
	peer->begun_ns = clock_ns();
	peer->method = "-";
	peer->version = "-";
	memcpy(peer->target, target, len);
	peer->target[len] = '\0';
	peer->client = peer->address;
	peer->login = _LOGIN_MAX;
	peer->user = USER_NONE;
	peer->user_name[0] = '-';
	peer->user_name[1] = '\0';
	peer->status = 400; /* what libmicrohttpd answers when it does not like a request */
	peer->slot = 0;
	peer->bytes = 0;
}

static enum MHD_Result read_header(void *cls, _unused_ enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	struct request *request = cls;
	size_t len = strlen(name);

	if (!value)
		return MHD_YES;
	if (IS_HEADER(name, len, "Content-Length"))
		request->has_body |= strcmp(value, "0") != 0;
	if (IS_HEADER(name, len, "Transfer-Encoding"))
		request->has_body = true;
	if (IS_HEADER(name, len, "Host"))
		request->hosts++;
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		const char **member = (const char **)(void *)((char *)request + headers[i].offset);

		if (len != headers[i].len || strcasecmp(name, headers[i].name) != 0)
			continue;
		/* A proxy may add a line of its own behind what a client made up. */
		if (!*member || headers[i].offset == offsetof(struct request, forwarded_for))
			*member = value;
		break;
	}
	return MHD_YES;
}

/* The library has made spaces of plus signs, and nothing else. */
static void read_format(struct peer *peer)
{
	const char *value =
		MHD_lookup_connection_value(peer->connection, MHD_GET_ARGUMENT_KIND, "format");

	if (value && place_decode_value(value, peer->format, sizeof(peer->format)))
		value = peer->format;
	peer->request.format = value;
}

void peer_read(struct peer *peer, const char *target, const char *method, const char *version)
{
	struct request *request = &peer->request;

	atomic_store_explicit(&peer->waiting_ns, 0, memory_order_relaxed);
	peer->read = true;
	peer->method = method;
	peer->version = version;
	request->target = target;
	request->head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
	(void)MHD_get_connection_values(peer->connection, MHD_HEADER_KIND, read_header, request);
	if (strchr(peer->target, '?'))
		read_format(peer);
}

/* Some proxies write "192.0.2.1:4711" and "[2001:db8::1]:4711". */
static char *without_port(char *text)
{
	char *colon = strchr(text, ':');

	if (text[0] == '[') {
		text[strcspn(text, "]")] = '\0';
		return text + 1;
	}
	if (colon && !strchr(colon + 1, ':'))
		*colon = '\0';
	return text;
}

/* The last address that is not that of a proxy, of "CLIENT, PROXY, PROXY". */
static void read_forwarded(const char *list, const struct setup *setup, struct limit_key *ret)
{
	size_t end = strlen(list);

	while (end > 0) {
		char text[INET6_ADDRSTRLEN + sizeof("[]:65535")];
		struct limit_key address;
		size_t begin = end;

		while (begin > 0 && list[begin - 1] != ',')
			begin--;
		if (end - begin >= sizeof(text))
			return;
		memcpy(text, list + begin, end - begin);
		text[end - begin] = '\0';
		(void)str_trim(text);
		if (!setup_address(without_port(text), &address))
			return;
		*ret = address;
		if (!setup_is_proxy(setup, &address))
			return;
		end = begin > 0 ? begin - 1 : 0;
	}
}

void peer_identify(struct peer *peer, const struct setup *setup)
{
	peer->client = peer->address;
	if (setup->n_proxies > 0 && peer->request.forwarded_for &&
	    setup_is_proxy(setup, &peer->address))
		read_forwarded(peer->request.forwarded_for, setup, &peer->client);
	peer->counted = limit_key_of(&peer->client);
}

static void log_request(struct peer *peer, const struct worker *worker)
{
	char text[INET6_ADDRSTRLEN];
	const char *address = peer->address_text;

	if (!peer->core->log)
		return;
	if (memcmp(&peer->client, &peer->address, sizeof(peer->client)) != 0) {
		format_address(&peer->client, text);
		address = text;
	}
	access_log_add(
		peer->core->log, worker->number,
		&(struct access_line) {
			.address = address,
			.user = peer->user_name,
			.method = peer->method,
			.target = peer->target,
			.version = peer->version,
			.status = peer->status,
			.bytes = peer->bytes,
			.referer = peer->request.referer,
			.user_agent = peer->request.user_agent,
			.repository = peer->slot
					      ? follow_slots(peer->core->follow)->names[peer->slot]
					      : "-",
			.duration_ns = clock_ns() - peer->begun_ns,
			.time = (int64_t)time(NULL),
		});
}

void peer_end(struct peer *peer, struct worker *worker, bool whole)
{
	picture_unref(peer->picture);
	peer->picture = NULL;
	if (worker && peer->begun) {
		struct worker_counts *counts = &worker->totals.repositories[peer->slot];

		worker_add(&counts->requests[peer->status / 100 % STATUS_CLASSES], 1);
		worker_add(&counts->bytes, peer->bytes);
		if (peer->status == 304)
			worker_add(&counts->unchanged, 1);
		if (!whole)
			worker_add(&worker->totals.aborted, 1);
		worker_add(&worker->totals.ended, 1);
		log_request(peer, worker);
		if (peer->counts && whole)
			statistics_count(peer->core->statistics, peer->ecosystem,
					 follow_slots(peer->core->follow)->names[peer->slot],
					 peer->path, peer->bytes);
	}
	peer->begun = false;
	atomic_store_explicit(&peer->waiting_ns, clock_ns(), memory_order_relaxed);
}
