/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubernetes/secret.h"

#include <fcntl.h>
#include <stdbool.h>

#include "api/kubernetes/kube_config.h"
#include "base/file.h"
#include "base/parse.h"

/* The buffer is as long as the longest file, of which only what is read costs memory. */
int secret_read(const char *path, char **ret, struct error *err)
{
	_cleanup_free_ char *buf = malloc(KUBE_CREDENTIAL_MAX + 1);
	_cleanup_secret_ char *text = NULL;
	ssize_t len;
	bool whole;

	if (!buf)
		return error_set(err, ENOMEM, "no memory to read '%s'", path);
	len = file_read(AT_FDCWD, path, buf, KUBE_CREDENTIAL_MAX + 1, err);
	if (len < 0) {
		if (len == -EFBIG)
			explicit_bzero(buf, KUBE_CREDENTIAL_MAX + 1);
		return (int)len;
	}
	whole = len > 0 && memchr(buf, '\0', (size_t)len) == NULL;
	text = whole ? strdup(buf) : NULL;
	explicit_bzero(buf, (size_t)len);
	if (!whole)
		return error_set(err, EINVAL, "'%s' is empty, or no text", path);
	if (!text)
		return error_set(err, ENOMEM, "no memory to read '%s'", path);
	*ret = TAKE_PTR(text);
	return 0;
}

int secret_check_token(const char *token)
{
	if (token[0] == '\0' || !str_is_printable(token) || strchr(token, ' '))
		return -EINVAL;
	return 0;
}

int secret_read_token(const char *path, char **ret, struct error *err)
{
	_cleanup_secret_ char *token = NULL;
	int r = secret_read(path, &token, err);

	if (r < 0)
		return r;
	(void)str_trim(token);
	if (secret_check_token(token) < 0)
		return error_set(err, EINVAL, "'%s' has no token", path);
	*ret = TAKE_PTR(token);
	return 0;
}
