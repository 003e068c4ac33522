/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the upstream of a repository has a path.
 *
 * Source: reservoir/ecosystem.h
 */
#pragma once

#include <stdbool.h>

#include "reservoir/ecosystem.h"

/**
 * origin_find() - Where a path is asked for that no index vouches for.
 * @ecosystem: ecosystem of @repository
 * @repository: repository with an upstream
 * @path: path below it, decoded
 * @ret: where; its URL is "" for what only an index can say
 *
 * Return: false for a path that no upstream has, or whose URL is too long.
 */
bool origin_find(const struct ecosystem *ecosystem, const struct repository *repository,
		 const char *path, struct origin *ret);
