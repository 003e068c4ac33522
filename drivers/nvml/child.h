/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that loads NVML, so that no other has to.
 *
 * It is the running program once more, under another name: no second program has to
 * be installed and found, none can be of another version, and what is executed is the
 * program that runs even after its file was replaced.  So every program that uses
 * drivers/nvml/nvml.h begins its main() with
 *
 *	if (nvml_child_is_asked(argc, argv))
 *		return nvml_child_main(argv);
 *
 * It writes what drivers/nvml/wire.h describes to descriptor NVML_CHILD_FD, by itself
 * and at once, and ends with its parent.
 *
 * Source: execve(2), proc(5) on /proc/self/exe, prctl(2) on PR_SET_PDEATHSIG
 */
#pragma once

#include <stdbool.h>

#define NVML_CHILD_NAME "silica-nvml"
#define NVML_CHILD_FD 3

/* argv: NVML_CHILD_NAME, the host's root, milliseconds between two reports. */
#define NVML_CHILD_ARGUMENTS 3

/**
 * nvml_child_is_asked() - Whether this process was started to load NVML.
 * @argc: of main()
 * @argv: of main()
 *
 * Return: true if so.
 */
bool nvml_child_is_asked(int argc, char *const *argv);

/**
 * nvml_child_is_possible() - Whether this program can be started to load NVML.
 *
 * Context: any thread.
 * Return: true if its main() has called nvml_child_is_asked(); any other program would
 *   begin its own work once more.
 */
bool nvml_child_is_possible(void);

/**
 * nvml_child_main() - Load NVML and tell what it says, until something is wrong.
 * @argv: of main()
 *
 * Return: exit status of the process.
 */
int nvml_child_main(char *const *argv);
