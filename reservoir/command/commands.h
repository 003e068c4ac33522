/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rows of the table of commands run, each in the file of its name.
 *
 * Source: reservoir/command/command.h
 */
#pragma once

#include "base/error.h"
#include "reservoir/command/settings.h"

/**
 * init_run() - The command `init`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int init_run(const struct settings *settings, struct error *err);

/**
 * sync_run() - The command `sync`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int sync_run(const struct settings *settings, struct error *err);

/**
 * serve_run() - The command `serve`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int serve_run(const struct settings *settings, struct error *err);

/**
 * export_run() - The command `export`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int export_run(const struct settings *settings, struct error *err);

/**
 * import_run() - The command `import`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int import_run(const struct settings *settings, struct error *err);

/**
 * keygen_run() - The command `keygen`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int keygen_run(const struct settings *settings, struct error *err);

/**
 * watch_run() - The command `watch`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int watch_run(const struct settings *settings, struct error *err);

/**
 * verify_run() - The command `verify`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int verify_run(const struct settings *settings, struct error *err);

/**
 * gc_run() - The command `gc`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int gc_run(const struct settings *settings, struct error *err);

/**
 * status_run() - The command `status`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int status_run(const struct settings *settings, struct error *err);

/**
 * snapshot_run() - The command `snapshot`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int snapshot_run(const struct settings *settings, struct error *err);

/**
 * rollback_run() - The command `rollback`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int rollback_run(const struct settings *settings, struct error *err);

/**
 * recall_run() - The command `recall`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int recall_run(const struct settings *settings, struct error *err);

/**
 * diff_run() - The command `diff`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int diff_run(const struct settings *settings, struct error *err);

/**
 * explain_run() - The command `explain`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int explain_run(const struct settings *settings, struct error *err);

/**
 * client_config_run() - The command `client-config`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int client_config_run(const struct settings *settings, struct error *err);

/**
 * writer_run() - The command `writer`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int writer_run(const struct settings *settings, struct error *err);

/**
 * hash_password_run() - The command `hash-password`.
 * @settings: what the command line says
 * @err: set on failure
 *
 * Return: enum command_status, or negative errno.
 */
int hash_password_run(const struct settings *settings, struct error *err);
