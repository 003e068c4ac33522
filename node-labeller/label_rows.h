/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row of a label: its name, whose cards it is about, and what it says of them.
 *
 * A key is a template.  "{vendor}" stands for the name of the driver, and any other word in
 * braces for what @split says of a card: there is one label then for each such word.
 *
 * Source: none outside the project; what a row's names and values are taken from stands
 * in its file
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/config/config.h"
#include "node-labeller/view.h"

#define LABEL_TEXT_MAX 256 /* bytes with the NUL: a product, and what is put behind it */
#define LABEL_SPLIT_MAX 64 /* labels of one row and vendor: the cards of the fullest node */

/* When a row counts. */
enum label_when {
	LABEL_ALWAYS,
	LABEL_FURIOSA_CODE,	 /* `furiosa: code` or `both` */
	LABEL_FURIOSA_DOCS,	 /* `furiosa: docs` or `both` */
	LABEL_FURIOSA_DOCS_ONLY, /* `furiosa: docs` */
	LABEL_BETA,		 /* `betaNames: true` */
	_LABEL_WHEN_MAX,
};

/**
 * typedef label_fact_fn - Says something of a card or partition.
 * @item: card or partition
 * @arg: as in the row
 * @text: LABEL_TEXT_MAX bytes, for what it says
 *
 * Return: false if there is nothing to say.
 */
typedef bool (*label_fact_fn)(const struct label_item *item, int arg, char *text);

/**
 * typedef label_value_fn - Says something of all cards of a group together.
 * @group: cards or partitions, which may be none
 * @arg: as in the row
 * @text: LABEL_TEXT_MAX bytes, for what it says
 *
 * Return: false if there is nothing to say.
 */
typedef bool (*label_value_fn)(const struct label_group *group, int arg, char *text);

struct label_row {
	const char *key;
	enum config_label_family family;
	enum label_when when;
	const char *driver; /* name; NULL: each vendor has the label */
	bool node;	    /* one label for all vendors together */

	/* Which cards and partitions it is about; NULL: the cards. */
	bool (*select)(const struct label_item *item);
	label_fact_fn split; /* NULL: one label; more than LABEL_SPLIT_MAX: none at all */
	int split_arg;

	/* One of the two.  A fact is the label's value when all agree on it. */
	label_fact_fn fact;
	label_value_fn value;
	int arg;
	label_fact_fn also; /* what all have to agree on besides, with the argument 0; or NULL */

	/* For the manual; Markdown. */
	const char *text;    /* what it says */
	const char *example; /* a value */
};

struct label_table {
	const char *title; /* in the manual */
	const char *text;  /* paragraph in the manual: what the names rest on, what is left out */
	const struct label_row *rows;
	size_t n;
};

/**
 * label_tables() - All labels there are.
 * @ret_n: number of tables
 *
 * Return: array of @ret_n tables; static.
 */
const struct label_table *const *label_tables(size_t *ret_n);

/* The tables, for rows.c; everyone else asks label_tables(). */
extern const struct label_table label_table_neutral;
extern const struct label_table label_table_furiosa;
extern const struct label_table label_table_nvidia;
extern const struct label_table label_table_amd;
extern const struct label_table label_table_intel;
extern const struct label_table label_table_rebellions;
extern const struct label_table label_table_tenstorrent;
