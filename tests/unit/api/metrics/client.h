/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of the HTTP server under test, with sockets that block.  One that waits
 * in vain times out.  Whatever goes wrong fails the test.
 */
#pragma once

#include <stddef.h>

#include "api/metrics/http_listener.h"
#include "base/strbuf.h"

#define PATIENCE_S 20
#define TEXT_MAX (8 * 1024 * 1024)

/**
 * client_open() - Connect.
 * @address: where the server listens
 *
 * Return: the socket, to be closed.
 */
int client_open(const struct http_address *address);

/**
 * client_send_bytes() - Send bytes.
 * @fd: socket
 * @data: @len bytes
 * @len: number of bytes
 */
void client_send_bytes(int fd, const void *data, size_t len);

/**
 * client_send() - Send text.
 * @fd: socket
 * @text: NUL-terminated text
 */
void client_send(int fd, const char *text);

/**
 * client_read_all() - Read until the server closes.
 * @fd: socket
 * @out: appended to
 */
void client_read_all(int fd, struct strbuf *out);

/**
 * client_read_answer() - Read one answer, and not a byte more.
 * @fd: socket
 * @out: the answer
 */
void client_read_answer(int fd, struct strbuf *out);

/**
 * client_content_length() - Find out how long the body of an answer is.
 * @answer: the answer, at least its head
 *
 * Return: what the head says.
 */
size_t client_content_length(const struct strbuf *answer);

/**
 * client_assert_answer() - Compare an answer.
 * @answer: the answer
 * @status: expected status
 * @body: expected body
 */
void client_assert_answer(const struct strbuf *answer, int status, const char *body);

/**
 * client_ask() - Send a request and compare the answer.
 * @fd: socket
 * @request: request; "" when it was sent before
 * @status: expected status
 * @body: expected body
 */
void client_ask(int fd, const char *request, int status, const char *body);

/**
 * client_assert_closed() - Wait until the server closes, with nothing to read.
 * @fd: socket
 */
void client_assert_closed(int fd);

/**
 * client_wait_for_hang_up() - Wait until the server hangs up, without reading.
 * @fd: socket of a unix server
 */
void client_wait_for_hang_up(int fd);
