/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP end: /metrics, /healthz and /readyz.
 *
 * /healthz asks every socket of the plugin the question that a kubelet asks first,
 * over gRPC, so it fails when the way that pods depend on does not work.  /readyz
 * says whether the kubelet watches every resource that has devices.
 *
 * Source: Kubernetes, "Configure Liveness, Readiness and Startup Probes";
 * k8s.io/kubelet pkg/apis/deviceplugin/v1beta1, GetDevicePluginOptions
 */
#pragma once

#include "api/grpc/rpc.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/loop.h"
#include "device-plugin/catalog.h"
#include "device-plugin/telemetry.h"

struct probes;

struct probes_setup {
	struct loop *loop;
	struct rpc *rpc;
	const struct catalog *catalog; /* borrowed */
	struct telemetry *telemetry;   /* borrowed */
	const char *address;	       /* as http_address_parse() takes it; borrowed */
};

/**
 * probes_new() - Begin to serve, or to wait until the address is free.
 * @setup: copied
 * @ret: the server, to be released with probes_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, or -EINVAL if the address is none.
 */
int probes_new(const struct probes_setup *setup, struct probes **ret, struct error *err);

/**
 * probes_check() - Try again to listen, if that has failed.
 * @probes: server or NULL
 */
void probes_check(struct probes *probes);

/**
 * probes_free() - Stop to serve.
 * @probes: server or NULL; the rpc must have been freed
 */
void probes_free(struct probes *probes);
DEFINE_CLEANUP(struct probes, probes_free);
