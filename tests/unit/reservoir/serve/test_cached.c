/* SPDX-License-Identifier: Apache-2.0 */
/* Repositories that cache, over real connections; the upstream is a directory. */
#include <sys/stat.h>

#include "tests/unit/reservoir/serve/http.h"
#include "tests/unit/reservoir/serve/site.h"

#define INDEX "dists/stable/main/i18n/Translation-en"
#define TEXT "Package: nothing\n"

struct fixture {
	struct scratch *scratch;
	struct store *reader;
	struct server *server;
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void make_upstream(const struct scratch *scratch)
{
	static const char *const folders[] = { "up", "up/dists", "up/dists/stable",
					       "up/dists/stable/main",
					       "up/dists/stable/main/i18n" };
	char path[256];

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", scratch->dir, folders[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	(void)snprintf(path, sizeof(path), "%s/up/" INDEX, scratch->dir);
	write_file(path, TEXT);
}

static void write_configuration(const struct fixture *fixture, char yaml[512])
{
	(void)snprintf(yaml, 512,
		       "serve:\n  threads: 1\n"
		       "repositories:\n"
		       "- name: deb\n"
		       "  ecosystem: apt\n"
		       "  mode: cache\n"
		       "  upstream: file://%s/up\n"
		       "  apt: {suites: stable, unverified: true}\n",
		       fixture->scratch->dir);
}

/* Starts the server, anew if there is one: nothing is kept ready in memory. */
static void serve(struct fixture *fixture)
{
	char yaml[512];

	server_free(TAKE_PTR(fixture->server));
	write_configuration(fixture, yaml);
	fixture->server = site_serve(fixture->reader, fixture->scratch->store, yaml);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	(void)scratch_setup((void **)&fixture->scratch);
	make_upstream(fixture->scratch);
	fixture->reader = scratch_open(fixture->scratch, STORE_READ);
	serve(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	server_free(fixture->server);
	store_close(fixture->reader);
	(void)scratch_teardown((void **)&fixture->scratch);
	free(fixture);
	return 0;
}

static void assert_index(struct fixture *fixture, const char *headers, int status, const char *text)
{
	_cleanup_close_ int fd = http_connect(fixture->server);
	struct http_reply reply;

	http_ask(fd, "GET", "/deb/" INDEX, headers, &reply);
	assert_int_equal(reply.status, status);
	assert_string_equal(reply.body, text);
	free(reply.body);
}

static void path_of_index(const struct fixture *fixture, char path[256])
{
	struct digest digest = digest_of(TEXT, strlen(TEXT));
	char text[DIGEST_TEXT_SIZE];

	(void)digest_format(&digest, text);
	(void)snprintf(path, 256, "%s/cache/objects/%.2s/%s", fixture->scratch->store, text, text);
}

static void fetches_for_a_part(void **state)
{
	struct fixture *fixture = *state;

	assert_index(fixture, "Range: bytes=0-4\r\n", 206, "Packa");
	assert_index(fixture, "", 200, TEXT);
	assert_int_equal(http_status(fixture->server, "/deb/dists/other/Translation-en", ""), 404);
	assert_int_equal(http_status(fixture->server, "/deb/pool/a/a.deb", ""), 404);
	assert_int_equal(http_status(fixture->server, "/snapshot/x/deb/" INDEX, ""), 404);
}

static void fetches_again_what_it_lost(void **state)
{
	struct fixture *fixture = *state;
	char path[256];

	assert_index(fixture, "", 200, TEXT);
	path_of_index(fixture, path);
	assert_int_equal(unlink(path), 0);
	serve(fixture);
	assert_index(fixture, "", 200, TEXT);
	assert_int_equal(chmod(path, 0600), 0);
	write_file(path, "Package: Nothing");
	serve(fixture);
	assert_index(fixture, "", 200, TEXT);
	/* Without its upstream it says so. */
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/up/" INDEX, fixture->scratch->dir);
	assert_int_equal(unlink(path), 0);
	serve(fixture);
	assert_int_equal(http_status(fixture->server, "/deb/" INDEX, ""), 404);
}

/* The first one comes with another configuration. */
static void begins_to_cache(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	struct error err;
	char yaml[512];

	server_free(TAKE_PTR(fixture->server));
	fixture->server =
		site_serve(fixture->reader, fixture->scratch->store, "serve: {threads: 1}\n");
	assert_int_equal(http_status(fixture->server, "/deb/" INDEX, ""), 404);
	write_configuration(fixture, yaml);
	assert_int_equal(reservoir_config_parse(yaml, strlen(yaml), "t", &config, &err), 0);
	assert_int_equal(server_reload(fixture->server, &config, &err), 0);
	assert_index(fixture, "", 200, TEXT);
}

#define WITH_CACHE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CACHE(fetches_for_a_part),
		WITH_CACHE(fetches_again_what_it_lost),
		WITH_CACHE(begins_to_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
