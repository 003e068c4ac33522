/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silicactl devices: every device of the node, and where it is.
 *
 * Source: none outside the project
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"
#include "cli/settings.h"
#include "inventory/snapshot.h"

/* A device of a snapshot with what it says of its load. */
struct devices_input {
	const char *node; /* its name, "" when not known */
	const struct snapshot *snapshot;
	const struct device_readings *readings; /* of each device of the snapshot */
};

/**
 * devices_run() - Do what `silicactl devices` does.
 * @settings: command line
 * @out: appended to
 * @err: set on failure
 *
 * Return: enum command_status, or as view_open().
 */
int devices_run(const struct settings *settings, struct strbuf *out, struct error *err);

/**
 * devices_print() - Write the devices in the form that is asked for.
 * @settings: command line
 * @input: what to write
 * @out: appended to
 *
 * Return: 0, or -ENOMEM.
 */
int devices_print(const struct settings *settings, const struct devices_input *input,
		  struct strbuf *out);

/**
 * devices_partitions() - Say which partitions a device has or can be cut into.
 * @device: device
 * @out: appended to, as in "8x1core.6gb 4x2core.12gb"; "" without any
 */
void devices_partitions(const struct device *device, struct strbuf *out);
