/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubernetes/kube_config_check.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "api/kubernetes/secret.h"
#include "base/parse.h"

#define URL_MAX 2048 /* bytes: what is known to work everywhere */

static void url_cleanup(CURLU **url)
{
	curl_url_cleanup(*url);
}

void kube_server_done(struct kube_server *server)
{
	curl_free(server->scheme);
	curl_free(server->host);
	curl_free(server->port);
	curl_free(server->path);
	*server = (struct kube_server) { 0 };
}

static bool is_loopback(const char *host)
{
	struct in_addr v4;

	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

static bool has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	CURLUcode code = curl_url_get(url, part, &text, 0);

	curl_free(text);
	return code == CURLUE_OK;
}

static int get_parts(CURLU *url, struct kube_server *ret)
{
	const struct {
		CURLUPart part;
		unsigned int flags;
		char **ret;
	} parts[] = {
		{ CURLUPART_SCHEME, 0, &ret->scheme },
		{ CURLUPART_HOST, 0, &ret->host },
		{ CURLUPART_PORT, CURLU_DEFAULT_PORT, &ret->port },
		{ CURLUPART_PATH, 0, &ret->path },
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (curl_url_get(url, parts[i].part, parts[i].ret, parts[i].flags) != CURLUE_OK)
			return -ENOMEM;
	return 0;
}

/* Neither the address nor a part of it is repeated in an error: it may hold a password. */
static int parse_url(CURLU *url, const char *text, struct kube_server *ret, struct error *err)
{
	size_t len;

	if (strnlen(text, URL_MAX) == URL_MAX || !str_is_printable(text) ||
	    curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		return error_set(err, EINVAL, "the server is no URL of the form https://host:port");
	if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD) ||
	    has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT))
		return error_set(err, EINVAL, "the server's URL has a user, a query or a fragment");
	if (get_parts(url, ret) < 0)
		return error_set(err, ENOMEM, "no memory for the server's URL");
	if (strcmp(ret->scheme, "https") != 0 && strcmp(ret->scheme, "http") != 0)
		return error_set(err, EINVAL, "the server's URL is neither https nor http");
	for (len = strlen(ret->path); len > 0 && ret->path[len - 1] == '/'; len--)
		ret->path[len - 1] = '\0';
	ret->loopback = is_loopback(ret->host);
	return 0;
}

int kube_server_parse(const char *url, struct kube_server *ret, struct error *err)
{
	_cleanup_(url_cleanup) CURLU *parser = curl_url();
	_cleanup_kube_server_ struct kube_server server = { 0 };
	int r;

	if (!parser)
		return error_set(err, ENOMEM, "no memory for the server's URL");
	r = parse_url(parser, url, &server, err);
	if (r < 0)
		return r;
	*ret = server;
	server = (struct kube_server) { 0 };
	return 0;
}

static bool has_credentials(const struct kube_config *config)
{
	return config->token || config->token_file || config->client_cert_file ||
	       config->client_cert_data;
}

static int check_server(const struct kube_config *config, struct error *err)
{
	_cleanup_kube_server_ struct kube_server server = { 0 };
	int r = kube_server_parse(config->server ? config->server : "", &server, err);

	if (r < 0 || strcmp(server.scheme, "https") == 0)
		return r;
	if (!server.loopback)
		return error_set(err, EINVAL,
				 "the server is plain http, which is allowed on this machine only "
				 "(kubectl proxy); use https");
	if (has_credentials(config))
		return error_set(err, EINVAL,
				 "a token or certificate for a server that is plain http");
	return 0;
}

static int check_proxy(const char *url, struct error *err)
{
	static const char *const schemes[] = { "http://", "https://", "socks5://" };

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		const char *host = str_starts_with(url, schemes[i]);

		if (host && *host && strnlen(url, URL_MAX) < URL_MAX && str_is_printable(url))
			return 0;
	}
	return error_set(err, EINVAL, "proxy-url is no URL with http, https or socks5");
}

static bool is_server_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

	return name[0] != '\0' && strlen(name) <= 253 && name[strspn(name, letters)] == '\0';
}

int kube_config_check(const struct kube_config *config, struct error *err)
{
	bool ca = config->ca_file || config->ca_data;
	bool cert = config->client_cert_file || config->client_cert_data;
	bool key = config->client_key_file || config->client_key_data;
	int r = check_server(config, err);

	if (r < 0)
		return r;
	if (ca && config->insecure_skip_tls_verify)
		return error_set(err, EINVAL,
				 "insecure-skip-tls-verify is set beside a certificate authority; "
				 "remove one of both");
	if (cert != key)
		return error_set(err, EINVAL, "a client certificate and its key go together");
	if (config->token && secret_check_token(config->token) < 0)
		return error_set(err, EINVAL, "the token is none");
	if (config->tls_server_name && !is_server_name(config->tls_server_name))
		return error_set(err, EINVAL, "tls-server-name is no name of a host");
	return config->proxy_url ? check_proxy(config->proxy_url, err) : 0;
}
