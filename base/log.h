/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines on standard error, as text for people or JSON for collectors.
 *
 * Programs log, libraries do not (above debug): a failure travels up as a
 * struct error and is logged once, where it is decided what happens next.
 * One line is one write(2), so lines of several threads do not mix (a pipe
 * promises that up to PIPE_BUF bytes).
 *
 * Source: times are those of RFC 3339, JSON is that of RFC 8259; write(2), pipe(7)
 */
#pragma once

#include "base/macro.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	_LOG_LEVEL_MAX,
};
#define LOG_LEVEL_CHOICES "error|warning|info|debug" /* for a command line */

enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
	_LOG_FORMAT_MAX,
};
#define LOG_FORMAT_CHOICES "text|json"

#define LOG_LINE_MAX 2048 /* bytes of one message; longer ones are cut */

/**
 * log_setup() - Choose what is logged and how; info as text until then.
 * @level: least important level that is written
 * @format: text or JSON
 *
 * Context: before other threads are started.
 */
void log_setup(enum log_level level, enum log_format format);

/**
 * log_write() - Write one line if its level is enabled.
 * @level: importance
 * @component: short name of the part that speaks, as in "registration"
 * @fmt: printf format of the message, without a newline
 *
 * Context: any thread.  errno is preserved.
 */
void log_write(enum log_level level, const char *component, const char *fmt, ...) _printf_(3, 4);

#define log_error(component, ...) log_write(LOG_LEVEL_ERROR, component, __VA_ARGS__)
#define log_warning(component, ...) log_write(LOG_LEVEL_WARNING, component, __VA_ARGS__)
#define log_info(component, ...) log_write(LOG_LEVEL_INFO, component, __VA_ARGS__)
#define log_debug(component, ...) log_write(LOG_LEVEL_DEBUG, component, __VA_ARGS__)
