/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two faces of a GPU in the class drm: card0 and renderD128 are entries of
 * one device, numbered independently of each other.
 *
 * Source: Linux Documentation/gpu/drm-uapi.rst, "Render nodes"
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "drivers/host.h"

#define DRM_CLASS_DIR "sys/class/drm"
#define DRM_CARD "card"
#define DRM_RENDER "renderD"

/**
 * drm_find() - Find an entry of the same device.
 * @host: host
 * @entry: an entry of the device, as in "sys/class/drm/renderD128"
 * @prefix: of the one that is wanted, DRM_CARD or DRM_RENDER
 * @ret: its number
 * @err: set on failure
 *
 * Return: 1 if there is one, 0 if not, or a negative errno that
 *   sysfs_is_shortage().
 */
int drm_find(const struct host *host, const char *entry, const char *prefix, uint32_t *ret,
	     struct error *err);
