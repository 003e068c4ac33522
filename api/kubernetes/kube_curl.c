/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubernetes/kube_curl.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "api/kubernetes/kube_config_check.h"
#include "api/kubernetes/kube_path.h"
#include "api/kubernetes/secret.h"
#include "base/macro.h"
#include "base/parse.h"

#define CONNECT_TIMEOUT_MS \
	5000L /* for name, TCP and TLS: a server that is there needs less than 1 s */

/* A connection whose other end is gone without a word is noticed after twice this. */
#define SILENCE_S 30L
#define SILENCE_PROBE_S 10L

#define ADDRESS_SIZE 2400 /* bytes: a URL of 2048, and a name of 253 in front of it */
#define AGENT_MAX 256	  /* bytes of a user agent */

struct kube_target {
	struct kube_config config; /* strings of its own */
	struct kube_server server;
	char *user_agent;
	char *base;		       /* what is put in front of every path */
	char *origin;		       /* scheme, host and port, for errors */
	char *authority;	       /* of the Host header; NULL when it follows from @base */
	char *proxy;		       /* NULL when the environment may name one */
	bool direct;		       /* no proxy, whatever the environment says */
	struct curl_slist *connect_to; /* NULL when the host of @base is the server's */
};

/* OpenSSL writes without MSG_NOSIGNAL, also to a connection that has just been closed. */
static void ignore_broken_pipes(void)
{
	struct sigaction action;

	if (sigaction(SIGPIPE, NULL, &action) < 0 || action.sa_handler != SIG_DFL)
		return;
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
}

int kube_curl_init(struct error *err)
{
	static const int needed = CURL_VERSION_SSL | CURL_VERSION_ASYNCHDNS;
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	if ((info->features & needed) != needed)
		return error_set(err, EOPNOTSUPP,
				 "libcurl %s lacks TLS, or resolves names without a thread",
				 info->version);
	/* Counted and, since 7.84, safe with threads; it is not undone, as a program has one
	 * client for its life. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return error_set(err, ENOMEM, "libcurl cannot be initialised");
	ignore_broken_pipes();
	return 0;
}

static int copy_text(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? -ENOMEM : 0;
}

static int copy_config(const struct kube_config *config, struct kube_config *ret)
{
	const struct {
		const char *text;
		char **ret;
	} texts[] = {
		{ config->server, &ret->server },
		{ config->namespace_, &ret->namespace_ },
		{ config->ca_file, &ret->ca_file },
		{ config->ca_data, &ret->ca_data },
		{ config->client_cert_file, &ret->client_cert_file },
		{ config->client_cert_data, &ret->client_cert_data },
		{ config->client_key_file, &ret->client_key_file },
		{ config->client_key_data, &ret->client_key_data },
		{ config->token, &ret->token },
		{ config->token_file, &ret->token_file },
		{ config->tls_server_name, &ret->tls_server_name },
		{ config->proxy_url, &ret->proxy_url },
	};
	int r = 0;

	ret->insecure_skip_tls_verify = config->insecure_skip_tls_verify;
	for (size_t i = 0; i < ARRAY_SIZE(texts) && r == 0; i++)
		r = copy_text(texts[i].text, texts[i].ret);
	return r;
}

/*
 * The name in the certificate is that of the URL, so another one becomes the URL's
 * host, and libcurl is told to connect to the server instead.
 */
static int set_address(struct kube_target *target)
{
	const struct kube_server *server = &target->server;
	const char *name = target->config.tls_server_name;
	char text[ADDRESS_SIZE];

	if (asprintf(&target->origin, "%s://%s:%s", server->scheme, server->host, server->port) < 0)
		return -ENOMEM;
	if (!name)
		return asprintf(&target->base, "%s%s", target->origin, server->path) < 0 ? -ENOMEM
											 : 0;
	if (asprintf(&target->base, "%s://%s:%s%s", server->scheme, name, server->port,
		     server->path) < 0 ||
	    asprintf(&target->authority, "%s:%s", server->host, server->port) < 0)
		return -ENOMEM;
	if (snprintf(text, sizeof(text), "%s:%s:%s:%s", name, server->port, server->host,
		     server->port) >= (int)sizeof(text))
		return -EINVAL;
	target->connect_to = curl_slist_append(NULL, text);
	return target->connect_to ? 0 : -ENOMEM;
}

/* A proxy shall resolve names, as it does with kubectl; libcurl has a scheme for that. */
static int set_proxy(struct kube_target *target)
{
	const char *url = target->config.proxy_url;
	const char *socks = url ? str_starts_with(url, "socks5://") : NULL;

	target->direct = !url && target->server.loopback;
	if (!socks)
		return copy_text(url, &target->proxy);
	return asprintf(&target->proxy, "socks5h://%s", socks) < 0 ? -ENOMEM : 0;
}

int kube_target_new(const struct kube_config *config, const char *user_agent,
		    struct kube_target **ret, struct error *err)
{
	_cleanup_(kube_target_freep) struct kube_target *target = calloc(1, sizeof(*target));
	int r = kube_config_check(config, err);

	if (r < 0)
		return r;
	if (!target)
		return error_set(err, ENOMEM, "no memory for a client");
	if (strlen(user_agent) > AGENT_MAX || !str_is_printable(user_agent))
		return error_set(err, EINVAL, "the user agent is none");
	r = kube_server_parse(config->server, &target->server, err);
	if (r < 0)
		return r;
	r = copy_config(config, &target->config);
	if (r == 0)
		r = copy_text(user_agent, &target->user_agent);
	if (r == 0)
		r = set_address(target);
	if (r == 0)
		r = set_proxy(target);
	if (r < 0)
		return error_set(err, -r, "no memory for a client");
	*ret = TAKE_PTR(target);
	return 0;
}

void kube_target_free(struct kube_target *target)
{
	if (!target)
		return;
	kube_config_done(&target->config);
	kube_server_done(&target->server);
	free(target->user_agent);
	free(target->base);
	free(target->origin);
	free(target->authority);
	secret_free(target->proxy);
	curl_slist_free_all(target->connect_to);
	free(target);
}

const char *kube_target_server(const struct kube_target *target)
{
	return target->origin;
}

int kube_headers_add(struct curl_slist **headers, const char *name, const char *value)
{
	_cleanup_secret_ char *line = NULL;
	struct curl_slist *list;

	if (asprintf(&line, value ? "%s: %s" : "%s:", name, value) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	list = curl_slist_append(*headers, line);
	if (!list)
		return -ENOMEM;
	*headers = list;
	return 0;
}

void kube_headers_free(struct curl_slist *headers)
{
	for (struct curl_slist *at = headers; at; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(headers);
}

/* The kernel ends a connection whose other end is silent: HTTP/2 would go on using it. */
static int set_socket(void *ctx _unused_, curl_socket_t fd, curlsocktype purpose _unused_)
{
	unsigned int timeout_ms = SILENCE_S * 1000;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
	return CURL_SOCKOPT_OK;
}

static const struct {
	CURLoption option;
	long value;
} numbers[] = {
	{ CURLOPT_NOSIGNAL, 1 }, /* else SIGPIPE is switched to and fro all the time */
	{ CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS },
	{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS },
	{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
	{ CURLOPT_FOLLOWLOCATION, 0 },
	{ CURLOPT_PATH_AS_IS, 1 },
	{ CURLOPT_DISALLOW_USERNAME_IN_URL, 1 },
	{ CURLOPT_HTTP09_ALLOWED, 0 },
	{ CURLOPT_TCP_KEEPALIVE, 1 },
	{ CURLOPT_TCP_KEEPIDLE, SILENCE_S },
	{ CURLOPT_TCP_KEEPINTVL, SILENCE_PROBE_S },
	/* Without it a resolver that hangs is waited for when a request is given up. */
	{ CURLOPT_QUICK_EXIT, 1 },
};

static CURLcode set_numbers(CURL *easy)
{
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < ARRAY_SIZE(numbers) && code == CURLE_OK; i++)
		code = curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
	return code;
}

static CURLcode set_texts(const struct kube_target *target, CURL *easy)
{
	const struct {
		CURLoption option;
		const char *value;
	} texts[] = {
		{ CURLOPT_PROTOCOLS_STR, target->server.scheme },
		{ CURLOPT_USERAGENT, target->user_agent },
		{ CURLOPT_PROXY, target->proxy },
		{ CURLOPT_NOPROXY, target->direct ? "*" : NULL },
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < ARRAY_SIZE(texts) && code == CURLE_OK; i++)
		if (texts[i].value)
			code = curl_easy_setopt(easy, texts[i].option, texts[i].value);
	if (code == CURLE_OK && target->connect_to)
		code = curl_easy_setopt(easy, CURLOPT_CONNECT_TO, target->connect_to);
	return code;
}

static CURLcode set_verify(const struct kube_target *target, CURL *easy)
{
	bool verify = !target->config.insecure_skip_tls_verify;
	CURLcode code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);

	return code != CURLE_OK ? code
				: curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
}

static int set_url(const struct kube_target *target, CURL *easy, const char *path)
{
	_cleanup_free_ char *url = NULL;

	if (asprintf(&url, "%s%s", target->base, path) < 0) {
		url = NULL;
		return -ENOMEM;
	}
	return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK ? 0 : -ENOMEM;
}

static int set_blob(CURL *easy, CURLoption option, char *text)
{
	struct curl_blob blob = { .data = text, .len = strlen(text), .flags = CURL_BLOB_COPY };

	return curl_easy_setopt(easy, option, &blob) == CURLE_OK ? 0 : -ENOMEM;
}

/* What was rotated is other bytes, and for libcurl another connection. */
static int set_certificates(const struct kube_config *config, CURL *easy, struct error *err)
{
	const struct {
		CURLoption option;
		const char *file;
		char *data;
	} certificates[] = {
		{ CURLOPT_CAINFO_BLOB, config->ca_file, config->ca_data },
		{ CURLOPT_SSLCERT_BLOB, config->client_cert_file, config->client_cert_data },
		{ CURLOPT_SSLKEY_BLOB, config->client_key_file, config->client_key_data },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(certificates) && r == 0; i++) {
		_cleanup_secret_ char *text = NULL;
		char *data = certificates[i].data;

		/* As with kubectl, data goes before a file. */
		if (!data && certificates[i].file) {
			r = secret_read(certificates[i].file, &text, err);
			data = text;
		}
		if (r == 0 && data && set_blob(easy, certificates[i].option, data) < 0)
			r = error_set(err, ENOMEM, "no memory for a certificate");
	}
	return r;
}

static int add_token(const struct kube_config *config, struct curl_slist **headers,
		     struct error *err)
{
	_cleanup_secret_ char *read = NULL;
	_cleanup_secret_ char *value = NULL;
	const char *token = config->token;
	int r;

	if (config->token_file) {
		r = secret_read_token(config->token_file, &read, err);
		if (r < 0)
			return r;
		token = read;
	}
	if (!token)
		return 0;
	if (asprintf(&value, "Bearer %s", token) < 0)
		value = NULL;
	if (!value || kube_headers_add(headers, "Authorization", value) < 0)
		return error_set(err, ENOMEM, "no memory for a token");
	return 0;
}

int kube_target_prepare(const struct kube_target *target, CURL *easy, const char *path,
			struct curl_slist **headers, struct error *err)
{
	int r = set_certificates(&target->config, easy, err);

	if (r == 0)
		r = add_token(&target->config, headers, err);
	if (r < 0)
		return r;
	if (set_numbers(easy) != CURLE_OK || set_texts(target, easy) != CURLE_OK ||
	    set_verify(target, easy) != CURLE_OK || set_url(target, easy, path) < 0 ||
	    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, set_socket) != CURLE_OK ||
	    (target->authority && kube_headers_add(headers, "Host", target->authority) < 0))
		return error_set(err, ENOMEM, "no memory for a request, or libcurl refuses it");
	return 0;
}

#define CERTIFICATE "; is the certificate authority that of this cluster, and the clock right?"

static const struct {
	CURLcode code;
	int error;
	const char *advice;
} failures[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, EHOSTUNREACH, "" },
	{ CURLE_COULDNT_RESOLVE_PROXY, EHOSTUNREACH, "" },
	{ CURLE_COULDNT_CONNECT, ECONNREFUSED, "" },
	{ CURLE_OPERATION_TIMEDOUT, ETIMEDOUT, "" },
	{ CURLE_OUT_OF_MEMORY, ENOMEM, "" },
	{ CURLE_PEER_FAILED_VERIFICATION, EKEYREJECTED, CERTIFICATE },
	{ CURLE_SSL_CACERT_BADFILE, EKEYREJECTED, CERTIFICATE },
	{ CURLE_SSL_CERTPROBLEM, EKEYREJECTED,
	  "; is the client certificate whole, and its key its own?" },
	{ CURLE_SSL_CONNECT_ERROR, EPROTO, "; does the server speak TLS 1.2 or later?" },
	{ CURLE_GOT_NOTHING, ECONNRESET, "" },
	{ CURLE_SEND_ERROR, ECONNRESET, "" },
	{ CURLE_RECV_ERROR, ECONNRESET, "" },
	{ CURLE_PARTIAL_FILE, EPROTO, "" },
	{ CURLE_BAD_CONTENT_ENCODING, EPROTO, "" },
	{ CURLE_UNSUPPORTED_PROTOCOL, EPROTO, "" },
	{ CURLE_WEIRD_SERVER_REPLY, EPROTO, "" },
	{ CURLE_HTTP2, EPROTO, "" },
	{ CURLE_HTTP2_STREAM, EPROTO, "" },
};

int kube_curl_explain(CURLcode code, const char *detail, struct error *err)
{
	const char *text = *detail ? detail : curl_easy_strerror(code);

	/* libcurl repeats the URL, and with it a password. */
	if (strstr(detail, "Unsupported proxy"))
		return error_set(err, EINVAL, "the URL of the proxy is none that libcurl knows");
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
		if (failures[i].code == code)
			return error_set(err, failures[i].error, "%s%s", text, failures[i].advice);
	return error_set(err, EIO, "%s", text);
}
