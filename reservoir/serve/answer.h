/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers a request: who asks, whether they may, how often, and with what.
 *
 * Source: RFC 9110; RFC 6585 for 429
 */
#pragma once

#include <microhttpd.h>

#include "reservoir/serve/peer.h"

/**
 * answer_request() - Answer a request whose headers are there.
 * @peer: peer; its request is read
 * @worker: of the calling thread
 *
 * Called again when the connection slept.
 *
 * Return: MHD_YES, or MHD_NO to close the connection.
 */
enum MHD_Result answer_request(struct peer *peer, struct worker *worker);

/**
 * answer_text() - Answer with a status and a line of text.
 * @peer: peer
 * @status: HTTP status
 * @text: what a person reads
 *
 * Return: as answer_request().
 */
enum MHD_Result answer_text(struct peer *peer, unsigned int status, const char *text);

/**
 * answer_cut() - Tell of an answer that this end has cut off, if it was this one.
 * @peer: client; its connection has failed
 * @worker: of the calling thread
 */
void answer_cut(const struct peer *peer, struct worker *worker);
