/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the status page and the metrics tell, gathered at once.
 *
 * Source: reservoir/serve/core.h
 */
#pragma once

#include "reservoir/serve/core.h"

#define STATUS_TOP_MAX 20u	       /* packages that are listed */
#define STATUS_QUARANTINE_MAX 1000000u /* files that are counted */

struct status_facts {
	const struct store *store; /* borrowed */
	struct picture *picture;   /* referenced, or NULL */
	struct error fault;	   /* why it is not what is published */
	bool reads;		   /* the store can be read */
	bool ready;
	int64_t now;
	uint64_t disk_free, disk_size;
	uint64_t quarantined;
	struct worker_totals totals;
	struct hot_counts hot;
	struct statistics_row top[STATUS_TOP_MAX];
	size_t n_top;
};

/**
 * status_is_ready() - Whether the server is to be sent requests.
 * @core: server
 * @picture: what it serves, or NULL
 *
 * A fault of the newest generation or of some repositories does not make it unready: what
 * it has is served, and all replicas of one store have the same.
 *
 * Context: any thread.
 * Return: false when it ends, when the store cannot be read, or nothing of it.
 */
bool status_is_ready(const struct core *core, const struct picture *picture);

/**
 * status_facts() - Gather what there is to tell.
 * @core: server
 *
 * Context: any thread.
 * Return: facts, to be released with status_facts_free(); or NULL without memory.
 */
struct status_facts *status_facts(struct core *core);

/**
 * status_facts_free() - Release facts.
 * @facts: facts or NULL
 */
void status_facts_free(struct status_facts *facts);
DEFINE_CLEANUP(struct status_facts, status_facts_free);

/**
 * status_state() - One word for a repository.
 * @repository: repository
 *
 * Return: "ok", "old", "damaged", "empty" or "cache"; static.
 */
const char *status_state(const struct picture_repository *repository);

/**
 * status_html() - Write the page for people.
 * @core: server
 * @facts: facts
 * @out: appended to
 */
void status_html(const struct core *core, const struct status_facts *facts, struct strbuf *out);
