/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a value of the configuration must be, beside its type and size.
 *
 * Source: the specifications that each check names
 */
#pragma once

#include "base/error.h"

/**
 * reservoir_check_name() - A repository's name.
 * @value: NUL-terminated text: [a-z0-9] and inside also [._-]; not what the server needs
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int reservoir_check_name(const void *value, struct error *err);

/**
 * reservoir_check_url() - An http, https or file URL without credentials.
 * @value: NUL-terminated text
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int reservoir_check_url(const void *value, struct error *err);

/**
 * reservoir_check_python() - A version of Python, as in "3.11".
 * @value: NUL-terminated text
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int reservoir_check_python(const void *value, struct error *err);

/**
 * reservoir_check_platform() - A platform tag of wheels.
 * @value: NUL-terminated text
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int reservoir_check_platform(const void *value, struct error *err);

/**
 * reservoir_check_window() - Two times of the day, as in "22:00-06:00".
 * @value: NUL-terminated text
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int reservoir_check_window(const void *value, struct error *err);

/**
 * reservoir_check_hub() - Whether a hub can be believed at all.
 * @value: struct trusted_hub
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int reservoir_check_hub(const void *value, struct error *err);

/**
 * reservoir_check_apt() - The options of an APT repository together.
 * @value: struct apt_options
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int reservoir_check_apt(const void *value, struct error *err);

/**
 * reservoir_check_repository() - The options of a repository together.
 * @value: struct repository
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int reservoir_check_repository(const void *value, struct error *err);
