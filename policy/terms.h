/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On what terms the units of a resource are handed out.
 *
 * Source: k8s.io/kubelet pkg/apis/deviceplugin/v1beta1, ContainerAllocateResponse,
 * for the ways; the tiers of enforcement are those by which the project judges
 * systems that share GPUs: what a program that tries cannot break
 */
#pragma once

#include <stdbool.h>

#include "inventory/preferred.h"
#include "inventory/unit.h"

#define TERMS_PATH_MAX 256 /* bytes with the NUL; what the configuration takes */
#define TERMS_KIND_MAX 320 /* bytes with the NUL: a domain of 253, '/', a class of 63 */

/* How a container gets at its devices; bits of a set. */
enum terms_way {
	TERMS_DEVICE_NODES = 1 << 0, /* the device files themselves */
	TERMS_ENV = 1 << 1,	     /* variables of the vendor's runtime, and Silica's own */
	TERMS_CDI = 1 << 2,	     /* names of CDI devices, whose specs are published */
	TERMS_ANNOTATIONS = 1 << 3,  /* the same names as an annotation, for older runtimes */
};

/* What keeps a container within its unit. */
enum terms_tier {
	TERMS_TIER_NONE,	/* nothing: a share is a count */
	TERMS_TIER_COOPERATIVE, /* software in the container, which can be left out */
	TERMS_TIER_DRIVER,	/* the kernel driver */
	TERMS_TIER_HARDWARE,	/* a partition of the hardware, or a whole device */
	_TERMS_TIER_MAX,
};

struct terms {
	unsigned int ways; /* of enum terms_way */
	enum preferred_policy preferred;
	bool one_share;			   /* a container may have one share only */
	char mps_pipe_dir[TERMS_PATH_MAX]; /* of NVIDIA's MPS daemon, on the host; "" without */
	char cdi_kind[TERMS_KIND_MAX];	   /* "vendor.com/class"; "" where CDI is not used */
};

/**
 * terms_tier() - What keeps a container within a unit.
 * @terms: terms of the resource
 * @rule: rule of the resource
 * @device: device of the unit
 *
 * Return: the weakest of what applies.
 */
enum terms_tier terms_tier(const struct terms *terms, const struct unit_rule *rule,
			   const struct device *device);

/**
 * terms_tier_name() - The word for a tier.
 * @tier: tier
 *
 * Return: "none", "cooperative", "driver" or "hardware"; static.
 */
const char *terms_tier_name(enum terms_tier tier);
