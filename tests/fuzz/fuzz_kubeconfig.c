/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds arbitrary text to the reader of kubeconfigs.  What it accepts must keep the rules:
 * a client can be made of it, and no credential goes to a server in clear.  What it
 * refuses it says in one printable line.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/kubernetes/kube_config.h"
#include "api/kubernetes/kube_config_check.h"
#include "base/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_config(const struct kube_config *config)
{
	_cleanup_kube_server_ struct kube_server server = { 0 };

	require(config->server && config->namespace_ && config->namespace_[0]);
	require(kube_config_check(config, NULL) == 0);
	require(kube_server_parse(config->server, &server, NULL) == 0);
	require(strcmp(server.scheme, "https") == 0 ||
		(server.loopback && !config->token && !config->token_file));
	require(!config->token || str_is_printable(config->token));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_kube_config_ struct kube_config config = { 0 };
	struct error err = { 0 };
	char *copy = malloc(size > 0 ? size : 1);
	int r;

	if (!copy)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	r = kube_config_from_text(copy, size, "/etc/kube/config", &config, &err);
	free(copy);
	if (r == 0)
		check_config(&config);
	else
		require(err.code == -r && err.msg[0] != '\0' && strchr(err.msg, '\n') == NULL);
	return 0;
}
