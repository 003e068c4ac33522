/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon of libmicrohttpd cannot be given another certificate.  So a new one is
 * started on the same socket, and the old one takes no more connections and ends when
 * it has none.
 */
#include "reservoir/serve/server.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "api/metrics/metrics.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/parse.h"
#include "base/thread.h"
#include "reservoir/serve/answer.h"
#include "reservoir/serve/listen.h"
#include "reservoir/serve/status.h"

#define THREADS_MAX 8u			      /* of `threads: 0`; the network is slower than that */
#define CONNECTION_MEMORY ((size_t)16 * 1024) /* headers of a request and of its answer */
#define PEM_MAX ((size_t)256 * 1024)	      /* a chain of certificates has a few KiB */
#define LOGIN_THREADS 1u		      /* each takes 16 MiB while it hashes */
#define SAVE_NS UINT64_C(60000000000)	      /* statistics that a crash may lose */
#define PEM_CHECK_NS UINT64_C(5000000000)
#define CACHE_AGAIN_NS UINT64_C(5000000000)
#define OWN_FILES 64u			     /* of the store, the logs, and threads */
#define LAST_REQUEST_NS UINT64_C(1000000000) /* of a connection once it is to end */
#define HANDSHAKE_NS UINT64_C(300000000)     /* a round trip around the world */

/* What tells that a file was replaced. */
struct file_mark {
	ino_t inode;
	struct timespec mtime;
};

struct daemon {
	struct MHD_Daemon *mhd;
	int quiet_fd; /* what it listened on before it was quiesced, or -1 */
};

struct server {
	struct core core;
	struct setup *setup;
	char dir[CONFIG_PATH_SIZE]; /* of the store */
	int listen_fd;
	struct daemon now, before; /* @before ends */
	struct file_mark certificate, private_key;
	uint64_t pem_checked_ns, saved_ns;
	bool closed; /* to new connections; the socket is there until none waits in it */
	uint64_t closed_ns;
	uint32_t client_connections; /* 0: no limit */
	pthread_mutex_t peers_lock;
	struct peer *peers;
	char told[ERROR_TEXT_MAX]; /* of the store, last */
	char cache_told[ERROR_TEXT_MAX];
	uint64_t cache_tried_ns;
};

static void link_peer(struct server *server, struct peer *peer)
{
	(void)pthread_mutex_lock(&server->peers_lock);
	peer->next = server->peers;
	if (peer->next)
		peer->next->before = peer;
	server->peers = peer;
	(void)pthread_mutex_unlock(&server->peers_lock);
	atomic_fetch_add(&server->core.connections, 1);
}

static void unlink_peer(struct server *server, struct peer *peer)
{
	(void)pthread_mutex_lock(&server->peers_lock);
	if (peer->next)
		peer->next->before = peer->before;
	*(peer->before ? &peer->before->next : &server->peers) = peer->next;
	(void)pthread_mutex_unlock(&server->peers_lock);
	atomic_fetch_sub(&server->core.connections, 1);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct server *server = cls;
	struct peer *peer = *socket_context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		if (peer_new(&server->core, connection, &peer) == 0) {
			link_peer(server, peer);
			*socket_context = peer;
		}
	} else if (peer) {
		unlink_peer(server, peer);
		free(peer);
		*socket_context = NULL;
	}
}

/* Connections that two threads take at once may be one more. */
static enum MHD_Result on_accept(void *cls, const struct sockaddr *from, _unused_ socklen_t len)
{
	struct server *server = cls;
	struct limit_key address, key;
	uint32_t n = 0;

	if (server->client_connections == 0)
		return MHD_YES;
	peer_address(from, &address);
	key = limit_key_of(&address);
	(void)pthread_mutex_lock(&server->peers_lock);
	for (const struct peer *peer = server->peers; peer; peer = peer->next) {
		struct limit_key other = limit_key_of(&peer->address);

		n += memcmp(&other, &key, sizeof(key)) == 0;
	}
	(void)pthread_mutex_unlock(&server->peers_lock);
	return n < server->client_connections ? MHD_YES : MHD_NO;
}

static void *on_target(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct server *server = cls;
	struct worker *worker = workers_mine(server->core.workers);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct peer *peer = info ? info->socket_context : NULL;

	if (peer)
		peer_begin(peer, uri);
	if (peer && worker) /* on_completed() comes also for what the library refuses */
		worker_add(&worker->totals.begun, 1);
	return peer;
}

static enum MHD_Result on_request(void *cls, _unused_ struct MHD_Connection *connection,
				  const char *url, const char *method, const char *version,
				  _unused_ const char *upload_data, size_t *upload_data_size,
				  void **con_cls)
{
	struct server *server = cls;
	struct peer *peer = *con_cls;
	struct worker *worker = workers_mine(server->core.workers);

	if (!peer || !worker)
		return MHD_NO;
	*upload_data_size = 0;
	if (peer->read)
		return answer_request(peer, worker);
	peer_read(peer, url, method, version);
	if (!peer->request.head && strcmp(method, MHD_HTTP_METHOD_GET) != 0)
		return answer_text(peer, 405, "only GET and HEAD are answered here");
	if (peer->request.hosts > 1 ||
	    (peer->request.hosts == 0 && strcmp(version, MHD_HTTP_VERSION_1_1) == 0))
		return answer_text(peer, 400, "a request has one Host"); /* RFC 9112, section 3.2 */
	if (peer->request.has_body)
		return answer_text(peer, 413, "a request here has no body");
	return MHD_YES; /* an answer at this call would end the connection */
}

static void on_completed(void *cls, _unused_ struct MHD_Connection *connection, void **con_cls,
			 enum MHD_RequestTerminationCode code)
{
	struct server *server = cls;
	struct peer *peer = *con_cls;
	struct worker *worker;

	if (!peer || !peer->begun)
		return;
	worker = workers_mine(server->core.workers);
	if (worker && code == MHD_REQUEST_TERMINATED_WITH_ERROR)
		answer_cut(peer, worker);
	peer_end(peer, worker, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
}

/* Paths are decoded here, not by the library. */
static size_t on_unescape(_unused_ void *cls, _unused_ struct MHD_Connection *connection, char *s)
{
	return strlen(s);
}

_printf_(2, 0) static void on_log(_unused_ void *cls, const char *fmt, va_list ap)
{
	char text[512];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	(void)str_trim(text);
	log_debug("serve", "%s", text);
}

static unsigned int count_threads(const struct config_serve *config)
{
	return config->threads > 0 ? config->threads : MIN(thread_processors(), THREADS_MAX);
}

/* Reads a whole file; the rest of the buffer is zero. */
static int read_all(int fd, char *text, struct error *err)
{
	size_t len = 0;

	while (len < PEM_MAX) {
		ssize_t n = read(fd, text + len, PEM_MAX - len);

		if (n < 0)
			return error_set(err, errno, "%s", strerror(errno));
		if (n == 0)
			return 0;
		len += (size_t)n;
	}
	return error_set(err, EFBIG, "it is longer than any chain of certificates");
}

static int read_pem(const char *path, struct file_mark *mark, char **ret, struct error *err)
{
	_cleanup_free_ char *text = calloc(1, PEM_MAX + 1);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int r;

	if (!text)
		return error_set(err, ENOMEM, "no memory for a certificate");
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(err, errno, "'%s' cannot be read: %s", path, strerror(errno));
	r = read_all(fd, text, err);
	if (r < 0)
		return error_wrap(err, r, "'%s' cannot be read", path);
	*mark = (struct file_mark) { .inode = st.st_ino, .mtime = st.st_mtim };
	*ret = TAKE_PTR(text);
	return 0;
}

/*
 * A connection has a socket, and most answers at least one file.  Who takes connections that
 * there are no descriptors for is told so again and again, and does nothing else.
 */
static unsigned int count_connections(const struct reservoir_config *config)
{
	unsigned int wanted = MAX(config->serve.connections, count_threads(&config->serve));
	struct rlimit limit;
	uint64_t most;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return wanted;
	most = (uint64_t)limit.rlim_cur / 4 * 3; /* hot_new() keeps the rest open, and its cache */
	most -= MIN(most, OWN_FILES + 2 * (uint64_t)config->sync.total);
	if (most / 2 >= wanted)
		return wanted;
	most = MAX(most / 2, (uint64_t)count_threads(&config->serve));
	log_warning("serve", "serve.connections is lowered to %llu: %llu open files are allowed",
		    (unsigned long long)most, (unsigned long long)limit.rlim_cur);
	return (unsigned int)most;
}

/* Not STRICT_FOR_CLIENT: the library then looks for Host, and answers with two heads. */
static struct MHD_Daemon *start_daemon(struct server *server, int fd, char *certificate, char *key)
{
	const struct config_serve *config = &server->setup->config.serve;
	unsigned int threads = count_threads(config);
	unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			     MHD_USE_TURBO | MHD_USE_ERROR_LOG | (certificate ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, key },
		{ MHD_OPTION_END, 0, NULL },
	};

	return MHD_start_daemon(
		flags, 0, on_accept, server, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_log,
		NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
		threads > 1 ? threads : 0, MHD_OPTION_CONNECTION_LIMIT,
		count_connections(&server->setup->config), MHD_OPTION_CONNECTION_TIMEOUT,
		(config->idle_ms + 999) / 1000, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		CONNECTION_MEMORY, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_URI_LOG_CALLBACK,
		on_target, server, MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,
		MHD_OPTION_ARRAY, certificate ? tls : &tls[2], MHD_OPTION_END);
}

/* Starts a daemon with the certificate as its files are now. */
static int start(struct server *server, struct daemon *ret, struct error *err)
{
	const struct config_serve *config = &server->setup->config.serve;
	_cleanup_free_ char *certificate = NULL, *key = NULL;
	_cleanup_close_ int fd = -1;
	int r = 0;

	if (config->certificate.text[0]) {
		r = read_pem(config->certificate.text, &server->certificate, &certificate, err);
		if (r == 0)
			r = read_pem(config->private_key.text, &server->private_key, &key, err);
	}
	if (r < 0)
		return r;
	fd = fcntl(server->listen_fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return error_set(err, errno, "no descriptor: %s", strerror(errno));
	ret->mhd = start_daemon(server, fd, certificate, key);
	if (!ret->mhd)
		return error_set(err, EINVAL, "the server cannot start%s",
				 certificate ? "; are the certificate and its key right?" : "");
	ret->quiet_fd = -1;
	(void)TAKE_FD(fd);
	return 0;
}

static void quiesce(struct daemon *daemon)
{
	if (daemon->mhd && daemon->quiet_fd < 0)
		daemon->quiet_fd = MHD_quiesce_daemon(daemon->mhd);
}

static void stop(struct daemon *daemon)
{
	if (daemon->mhd)
		MHD_stop_daemon(daemon->mhd);
	if (daemon->quiet_fd >= 0)
		(void)close(daemon->quiet_fd);
	*daemon = (struct daemon) { .quiet_fd = -1 };
}

static unsigned int connections_of(const struct daemon *daemon)
{
	const union MHD_DaemonInfo *info =
		daemon->mhd ? MHD_get_daemon_info(daemon->mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
			    : NULL;

	return info ? info->num_connections : 0;
}

static bool wants_cache(const struct server *server)
{
	const struct reservoir_config *config = &server->setup->config;
	bool wanted = false;

	for (size_t i = 0; i < config->n_repositories; i++)
		wanted |= config->repositories[i].mode == REPOSITORY_CACHE;
	return wanted;
}

/* A server whose cache cannot be used still has its other repositories.  That of before may
 * have it still, or its disk be mounted later: so it is tried again. */
static void open_cache(struct server *server)
{
	const struct reservoir_config *config = &server->setup->config;
	char path[CONFIG_PATH_SIZE];
	struct cache *cache = NULL;
	struct error err = { 0 };
	int r = -ENAMETOOLONG;

	if (server->core.cache || !wants_cache(server))
		return;
	server->cache_tried_ns = clock_ns();
	if (config->serve.cache.text[0])
		r = str_copy(path, sizeof(path), config->serve.cache.text);
	else if ((size_t)snprintf(path, sizeof(path), "%s/cache", server->dir) < sizeof(path))
		r = 0;
	if (r == 0)
		r = cache_new(path, &config->sync, config->serve.memory / 2, &cache, &err);
	if (r < 0 && error_is_news(server->cache_told, error_text(&err, r)))
		log_error("serve", "repositories that cache are not served: %s",
			  error_text(&err, r));
	if (r == 0 && server->cache_told[0])
		log_info("serve", "repositories that cache are served now");
	/* Somebody may be looking whether there is one by now. */
	__atomic_store_n(&server->core.cache, cache, __ATOMIC_RELEASE);
}

static int make_core(struct server *server, const struct server_options *options, struct error *err)
{
	const struct config_serve *config = &server->setup->config.serve;
	struct core *core = &server->core;
	struct error told = { 0 };
	int r;

	r = str_copy(server->dir, sizeof(server->dir), options->dir);
	if (r < 0)
		return error_set(err, -r, "the name of the store is too long");
	server->client_connections = config->client_connections;
	core->store = options->store;
	core->started = (int64_t)time(NULL);
	r = statistics_new(config->statistics.text, &core->statistics, &told);
	if (r < 0)
		return error_wrap(err, r, "%s", told.msg);
	if (told.code)
		log_warning("serve", "%s; counting begins anew", told.msg);
	if (config->access_log.text[0])
		r = access_log_new(config->access_log.text, &core->log, err);
	if (r == 0)
		r = follow_new(core->store, server->setup, &core->follow, err);
	if (r == 0)
		r = workers_new(core->follow, &core->workers, err);
	if (r == 0)
		r = hot_new(core->store, config->memory, &core->hot, err);
	if (r == 0)
		open_cache(server);
	if (r == 0)
		r = pacer_new(&core->pacer, err);
	if (r == 0)
		r = helpers_new(LOGIN_THREADS, &core->logins, err);
	if (r == 0)
		r = status_metrics(core, &core->metrics, err);
	return r;
}

static void tell_store(struct server *server, bool changed)
{
	_cleanup_(picture_unrefp) struct picture *picture =
		follow_picture(server->core.follow, NULL);
	struct error fault;

	follow_fault(server->core.follow, &fault);
	for (size_t i = 0; picture && !fault.code && i < picture->n_repositories; i++)
		if (picture->repositories[i].fault.code)
			fault = picture->repositories[i].fault;
	if (error_is_news(server->told, fault.code ? fault.msg : "") && fault.code)
		log_error("serve", "what is published cannot be read: %s", fault.msg);
	if (changed && picture && !fault.code)
		log_info("serve", "serving generation %llu (%s)",
			 (unsigned long long)picture->number, picture->reason);
}

int server_new(const struct server_options *options, struct reservoir_config *config,
	       struct server **ret, struct error *err)
{
	_cleanup_(server_freep) struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return error_set(err, ENOMEM, "no memory for the server");
	server->listen_fd = -1;
	server->now.quiet_fd = server->before.quiet_fd = -1;
	(void)pthread_mutex_init(&server->peers_lock, NULL);
	server->listen_fd =
		listen_open(options->listen ? options->listen : config->serve.listen, err);
	if (server->listen_fd < 0)
		return server->listen_fd;
	r = setup_new(config, &server->setup, err);
	if (r == 0)
		r = make_core(server, options, err);
	if (r == 0)
		r = start(server, &server->now, err);
	if (r < 0)
		return r;
	tell_store(server, true);
	server->saved_ns = clock_ns();
	*ret = TAKE_PTR(server);
	return 0;
}

static void free_core(struct core *core)
{
	helpers_free(core->logins);
	pacer_free(core->pacer);
	if (core->statistics)
		statistics_save(core->statistics);
	statistics_free(core->statistics);
	cache_free(core->cache);
	hot_free(core->hot);
	workers_free(core->workers);
	follow_free(core->follow);
	access_log_free(core->log);
	metrics_free(core->metrics);
}

void server_free(struct server *server)
{
	if (!server)
		return;
	/* No connection may sleep when its daemon stops. */
	quiesce(&server->now);
	quiesce(&server->before);
	pacer_end(server->core.pacer);
	helpers_free(TAKE_PTR(server->core.logins));
	cache_stop(server->core.cache);
	stop(&server->before);
	stop(&server->now);
	free_core(&server->core);
	setup_unref(server->setup);
	if (server->listen_fd >= 0)
		(void)close(server->listen_fd);
	(void)pthread_mutex_destroy(&server->peers_lock);
	free(server);
}

uint16_t server_port(const struct server *server)
{
	return listen_port(server->listen_fd);
}

int server_reload(struct server *server, struct reservoir_config *config, struct error *err)
{
	struct error told = { 0 };
	struct setup *setup;
	int r = setup_new(config, &setup, err);

	if (r < 0)
		return r;
	setup_unref(server->setup);
	server->setup = setup;
	open_cache(server); /* before anybody can ask for what it has */
	follow_setup(server->core.follow, setup);
	if (access_log_reopen(server->core.log, &told) < 0)
		log_warning("serve", "%s", told.msg);
	tell_store(server, false);
	return 0;
}

/* Ends connections that ask for nothing: the socket is shut, the library sees to the
 * rest.  Once all are to end, that is soon. */
static void shut_waiting(struct server *server)
{
	uint64_t now = clock_ns();
	uint64_t limit = server->closed ? LAST_REQUEST_NS
					: (uint64_t)server->setup->config.serve.idle_ms * 1000000u;

	(void)pthread_mutex_lock(&server->peers_lock);
	for (struct peer *peer = server->peers; peer; peer = peer->next) {
		uint64_t since = atomic_load_explicit(&peer->waiting_ns, memory_order_relaxed);

		if (since != 0 && now > since && now - since > limit)
			(void)shutdown(peer->fd, SHUT_RDWR);
	}
	(void)pthread_mutex_unlock(&server->peers_lock);
}

static bool is_marked(const char *path, const struct file_mark *mark)
{
	struct stat st;

	return stat(path, &st) < 0 ||
	       (st.st_ino == mark->inode && st.st_mtim.tv_sec == mark->mtime.tv_sec &&
		st.st_mtim.tv_nsec == mark->mtime.tv_nsec);
}

static void check_certificate(struct server *server)
{
	const struct config_serve *config = &server->setup->config.serve;
	struct error err = { 0 };
	struct daemon daemon;
	uint64_t now = clock_ns();

	if (!config->certificate.text[0] || server->closed ||
	    now - server->pem_checked_ns < PEM_CHECK_NS || server->before.mhd)
		return;
	server->pem_checked_ns = now;
	if (is_marked(config->certificate.text, &server->certificate) &&
	    is_marked(config->private_key.text, &server->private_key))
		return;
	if (start(server, &daemon, &err) < 0) {
		log_error("serve", "the new certificate is not used: %s", err.msg);
		return;
	}
	server->before = server->now;
	server->now = daemon;
	quiesce(&server->before);
	log_info("serve", "using the new certificate");
}

static void save_statistics(struct server *server)
{
	if (clock_ns() - server->saved_ns < SAVE_NS)
		return;
	server->saved_ns = clock_ns();
	statistics_save(server->core.statistics);
}

void server_look(struct server *server)
{
	tell_store(server, follow_look(server->core.follow));
}

/* A connection that the system has taken would be reset with the socket, and its request
 * with it: so the queue gets no more first, and is emptied by who answers. */
static void close_socket(struct server *server)
{
	if (!server->closed || server->listen_fd < 0)
		return;
	if (server->closed_ns != 0 && (clock_ns() - server->closed_ns < HANDSHAKE_NS ||
				       listen_has_waiting(server->listen_fd)))
		return;
	quiesce(&server->now);
	quiesce(&server->before);
	(void)close(server->listen_fd);
	server->listen_fd = -1;
}

void server_tick(struct server *server)
{
	server_look(server);
	close_socket(server);
	shut_waiting(server);
	if (server->before.mhd && connections_of(&server->before) == 0)
		stop(&server->before);
	check_certificate(server);
	if (clock_ns() - server->cache_tried_ns >= CACHE_AGAIN_NS)
		open_cache(server);
	save_statistics(server);
}

uint32_t server_drain(struct server *server)
{
	atomic_store(&server->core.draining, true);
	return server->setup->config.serve.drain_ms;
}

void server_close(struct server *server)
{
	if (server->closed)
		return;
	server->closed = true;
	atomic_store(&server->core.draining, true);
	/* Where the system cannot do that, some may be reset. */
	if (listen_refuse(server->listen_fd) == 0)
		server->closed_ns = clock_ns();
	close_socket(server);
}

bool server_is_idle(const struct server *server)
{
	return server->listen_fd < 0 && connections_of(&server->now) == 0 &&
	       connections_of(&server->before) == 0;
}
