/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of the text format for Prometheus: names, labels, numbers.
 *
 * Source: prometheus.io, "Exposition formats", text-based format 0.0.4, and "Data
 * model", "Metric names and labels"; RFC 3629, 4, for UTF-8
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

/**
 * metrics_text_is_name() - Whether a family may have a name.
 * @name: NUL-terminated name
 *
 * Return: true if it is of letters, digits, '_' and ':' and no digit is in front.
 */
bool metrics_text_is_name(const char *name);

/**
 * metrics_text_is_label_name() - Whether a label of ours may have a name.
 * @name: NUL-terminated name
 *
 * Return: true if it is of letters, digits and '_', no digit is in front, and it
 *   is none of those that belong to Prometheus: "le", "quantile" and "__...".
 */
bool metrics_text_is_label_name(const char *name);

/**
 * metrics_text_is_utf8() - Whether text is UTF-8.
 * @text: NUL-terminated text
 *
 * Return: true if it is, without surrogates and overlong forms.
 */
bool metrics_text_is_utf8(const char *text);

/**
 * metrics_text_add_help() - Write the text of a HELP line.
 * @out: appended to
 * @help: NUL-terminated UTF-8
 */
void metrics_text_add_help(struct strbuf *out, const char *help);

/**
 * metrics_text_add_labels() - Write labels, without the braces.
 * @out: appended to, as in: resource="furiosa.ai/npu",method="Allocate"
 * @names: names, ends with NULL
 * @values: as many values, ends with NULL
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL        there are more values than names, or fewer
 *   -EILSEQ        a value is not UTF-8
 *   -ENAMETOOLONG  a value is longer than METRICS_LABEL_VALUE_MAX
 */
int metrics_text_add_labels(struct strbuf *out, const char *const *names, const char *const *values,
			    struct error *err);

/**
 * metrics_text_add_number() - Write a number so that reading gives the same one.
 * @out: appended to
 * @value: number; NaN and infinities have names in the format
 */
void metrics_text_add_number(struct strbuf *out, double value);

/**
 * metrics_text_add_seconds() - Write a duration in seconds, exactly.
 * @out: appended to
 * @ns: duration in nanoseconds
 */
void metrics_text_add_seconds(struct strbuf *out, uint64_t ns);
