/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/setup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"

#define BITS 64u
#define IPV4_BITS 32u
#define IPV6_BITS 128u
/* Ten at once and one every six seconds after: too few to guess, enough to mistype. */
#define FAILURES_BURST 10u
#define BURST_SECONDS 2u /* what a client can save up */

static int no_memory(struct error *err)
{
	return error_set(err, ENOMEM, "no memory for the configuration");
}

static int read_readers(const struct setup *setup, const struct config_word *names, size_t n,
			uint64_t **ret, struct error *err)
{
	uint64_t *bits;

	if (n == 0)
		return 0;
	bits = calloc(setup->config.serve.n_users / BITS + 1, sizeof(*bits));
	if (!bits)
		return no_memory(err);
	*ret = bits;
	for (size_t i = 0; i < n; i++) {
		uint32_t user = users_find(setup->users, names[i].text);

		if (user == USER_NONE)
			return error_set(err, EINVAL, "the reader '%s' is no user in 'serve.users'",
					 names[i].text);
		bits[user / BITS] |= UINT64_C(1) << user % BITS;
	}
	return 0;
}

static int make_limit(uint64_t per_second, struct limit **ret, struct error *err)
{
	return per_second ? limit_new(per_second, per_second * BURST_SECONDS, ret, err) : 0;
}

static int read_repository(const struct setup *setup, const struct repository *config,
			   struct setup_repository *ret, struct error *err)
{
	int r;

	ret->config = config;
	r = read_readers(setup, config->readers, config->n_readers, &ret->readers, err);
	if (r == 0)
		r = make_limit(config->bytes_per_second, &ret->bytes, err);
	if (r == 0)
		r = make_limit(config->requests_per_second, &ret->requests, err);
	return r < 0 ? error_wrap(err, r, "repository '%s'", config->name) : 0;
}

static int read_repositories(struct setup *setup, struct error *err)
{
	const struct reservoir_config *config = &setup->config;
	int r = 0;

	setup->repositories = calloc(config->n_repositories + 1, sizeof(*setup->repositories));
	if (!setup->repositories)
		return no_memory(err);
	for (size_t i = 0; i < config->n_repositories && r == 0; i++)
		r = read_repository(setup, &config->repositories[i], &setup->repositories[i], err);
	return r;
}

static int read_limits(struct setup *setup, struct error *err)
{
	const struct config_serve *serve = &setup->config.serve;
	int r = make_limit(serve->client_bytes_per_second, &setup->bytes, err);

	if (r == 0)
		r = make_limit(serve->client_requests_per_second, &setup->requests, err);
	if (r == 0)
		r = limit_new(1, FAILURES_BURST * SETUP_FAILURE_TOKENS, &setup->failures, err);
	return r;
}

/* An address, or one with a length behind it, as in 10.0.0.0/8. */
static bool read_network(const char *text, struct setup_network *ret)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	unsigned int most = strchr(text, ':') ? IPV6_BITS : IPV4_BITS;
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	uint64_t bits = most;

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (slash && (parse_u64(slash + 1, 10, &bits) < 0 || bits > most))
		return false;
	ret->bits = IPV6_BITS - most + (unsigned int)bits; /* IPv4 is mapped */
	return setup_address(address, &ret->address);
}

static bool is_in(const struct setup_network *network, const struct limit_key *address)
{
	size_t bytes = network->bits / 8;
	unsigned int rest = network->bits % 8;

	if (memcmp(network->address.bytes, address->bytes, bytes) != 0)
		return false;
	return rest == 0 ||
	       (network->address.bytes[bytes] ^ address->bytes[bytes]) >> (8 - rest) == 0;
}

static int read_proxies(struct setup *setup, struct error *err)
{
	const struct config_serve *serve = &setup->config.serve;

	setup->proxies = calloc(serve->n_proxies + 1, sizeof(*setup->proxies));
	if (!setup->proxies)
		return no_memory(err);
	for (size_t i = 0; i < serve->n_proxies; i++)
		if (!read_network(serve->proxies[i].text, &setup->proxies[i]))
			return error_set(err, EINVAL, "the proxy '%s' is no IP address or network",
					 serve->proxies[i].text);
	setup->n_proxies = serve->n_proxies;
	return 0;
}

static int fill(struct setup *setup, struct error *err)
{
	const struct config_serve *serve = &setup->config.serve;
	int r = users_new(serve, &setup->users, err);

	if (r == 0)
		r = read_repositories(setup, err);
	if (r == 0)
		r = read_readers(setup, serve->status_readers, serve->n_status_readers,
				 &setup->status_readers, err);
	if (r == 0)
		r = read_limits(setup, err);
	if (r == 0)
		r = read_proxies(setup, err);
	if (r == 0 && !serve->certificate.text[0] != !serve->private_key.text[0])
		r = error_set(err, EINVAL, "'certificate' and 'privateKey' need one another");
	return r;
}

int setup_new(struct reservoir_config *config, struct setup **ret, struct error *err)
{
	_cleanup_(setup_unrefp) struct setup *setup = calloc(1, sizeof(*setup));
	int r;

	if (!setup)
		return no_memory(err);
	atomic_init(&setup->refs, 1);
	setup->config = *config;
	r = fill(setup, err);
	if (r < 0) {
		setup->config = (struct reservoir_config) { 0 }; /* stays the caller's */
		return r;
	}
	*config = (struct reservoir_config) { 0 };
	*ret = TAKE_PTR(setup);
	return 0;
}

struct setup *setup_ref(struct setup *setup)
{
	atomic_fetch_add_explicit(&setup->refs, 1, memory_order_relaxed);
	return setup;
}

static void free_repositories(struct setup_repository *repositories)
{
	for (struct setup_repository *row = repositories; row && row->config; row++) {
		free(row->readers);
		limit_free(row->requests);
		limit_free(row->bytes);
	}
	free(repositories);
}

void setup_unref(struct setup *setup)
{
	if (!setup || atomic_fetch_sub_explicit(&setup->refs, 1, memory_order_acq_rel) != 1)
		return;
	free_repositories(setup->repositories);
	users_free(setup->users);
	limit_free(setup->requests);
	limit_free(setup->bytes);
	limit_free(setup->failures);
	free(setup->status_readers);
	free(setup->proxies);
	reservoir_config_done(&setup->config);
	free(setup);
}

const struct setup_repository *setup_repository(const struct setup *setup, const char *name)
{
	for (size_t i = 0; i < setup->config.n_repositories; i++)
		if (strcmp(setup->config.repositories[i].name, name) == 0)
			return &setup->repositories[i];
	return NULL;
}

static bool is_among(const uint64_t *bits, uint32_t user)
{
	return user != USER_NONE && (bits[user / BITS] >> user % BITS & 1);
}

bool setup_may_read(const struct setup *setup, const struct setup_repository *repository,
		    uint32_t user)
{
	if (repository && repository->readers)
		return is_among(repository->readers, user);
	/* It may be one whose readers went with its configuration: not open by that. */
	if (!repository && setup->config.serve.n_users > 0)
		return user != USER_NONE;
	return user != USER_NONE || setup->config.serve.anonymous;
}

bool setup_may_watch(const struct setup *setup, uint32_t user)
{
	return !setup->status_readers || is_among(setup->status_readers, user);
}

bool setup_is_proxy(const struct setup *setup, const struct limit_key *address)
{
	for (size_t i = 0; i < setup->n_proxies; i++)
		if (is_in(&setup->proxies[i], address))
			return true;
	return false;
}

bool setup_address(const char *text, struct limit_key *ret)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET6, text, ret->bytes) == 1)
		return true;
	memcpy(ret->bytes, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, ret->bytes + sizeof(mapped)) == 1;
}
