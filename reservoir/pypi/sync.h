/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sync of a Python package index.
 *
 * Source: reservoir/ecosystem.h
 */
#pragma once

#include "reservoir/sync/sync.h"

/**
 * pypi_sync() - Collect an index.
 * @sync: sync
 * @err: set on failure
 *
 * Return: SYNC_*, or negative errno.
 */
int pypi_sync(struct sync *sync, struct error *err);
