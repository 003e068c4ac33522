/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of labels for Node Feature Discovery: its worker reads every file of its directory
 * features.d, once a minute, and asks its master to put what they say on the node.
 *
 *	# +expiry-time=2026-01-02T03:04:05Z
 *	silica.dev/accelerator=true
 *
 * After the time in the comment the file counts for nothing, so labels go when whoever
 * keeps them has gone.
 *
 * Source: Node Feature Discovery documentation, Customization guide, "Local feature
 * source"; source/local/local.go, for the size and for the names that are passed over
 */
#pragma once

#include <stddef.h>
#include <time.h>

#include "base/error.h"
#include "base/strbuf.h"

#define NFD_FILE_MAX ((size_t)64 * 1024) /* bytes; NFD passes over what is longer */
#define NFD_NAME_MAX 128		 /* bytes of a file's name, with the NUL */

/* Where NFD's own charts have the directory, on the host. */
#define NFD_FEATURES_DIR "/etc/kubernetes/node-feature-discovery/features.d"

struct nfd_label {
	const char *key;
	const char *value;
};

/**
 * nfd_feature_text() - Write labels as NFD reads them.
 * @labels: array of @n labels that Kubernetes accepts
 * @n: number of labels
 * @expires: when the file shall count for nothing any more; 0 for never
 * @out: empty; appended to
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  a key or a value has a byte that would end it
 *   -E2BIG   more than NFD_FILE_MAX bytes
 *   -ERANGE  @expires is a time that has no such form
 *   -ENOMEM  no memory
 */
int nfd_feature_text(const struct nfd_label *labels, size_t n, time_t expires, struct strbuf *out,
		     struct error *err);

/**
 * nfd_feature_publish() - Put a file of labels in the place of the last one.
 * @directory: features.d; must exist
 * @name: name of the file there; does not begin with a dot
 * @text: contents, as nfd_feature_text() writes them
 * @err: set on failure; says what to do about a directory that is not there or read only
 *
 * Readers see the old or the new one.  What is written meanwhile begins with a dot, and
 * NFD passes it over.
 *
 * Context: blocks on writing the file.
 * Return: 0, or
 *   -EINVAL  @name will not do
 *   -ENOENT  there is no such directory
 *   -EROFS, -EACCES  it cannot be written to
 *   -errno   as file_publish()
 */
int nfd_feature_publish(const char *directory, const char *name, const struct strbuf *text,
			struct error *err);

/**
 * nfd_feature_remove() - Take the file of labels away; one that is not there is no error.
 * @directory: features.d
 * @name: name of the file there
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  @name will not do
 *   -errno   as unlink(2) leaves it
 */
int nfd_feature_remove(const char *directory, const char *name, struct error *err);
