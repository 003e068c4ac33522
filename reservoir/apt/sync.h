/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sync of a repository of APT.
 *
 * Source: reservoir/sync/sync.h
 */
#pragma once

#include "reservoir/sync/sync.h"

/**
 * apt_sync() - Collect a repository.
 * @sync: sync
 * @err: set on failure
 *
 * Return: SYNC_*, or
 *   -EBADMSG, -EKEYREJECTED, -ESTALE  what upstream signed is not to be believed
 *   negative errno of the system
 */
int apt_sync(struct sync *sync, struct error *err);
