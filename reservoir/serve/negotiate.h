/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which content coding an answer has.
 *
 * Source: RFC 9110, section 12.5.3
 */
#pragma once

#include "reservoir/store/media.h"

#define ENCODING_BIT(encoding) (1u << (encoding))

/**
 * negotiate_encoding() - Choose among the codings that there are.
 * @accept: Accept-Encoding of the request, or NULL: then nothing but identity is sent
 * @offered: ENCODING_BIT() of each that there is
 *
 * Among those the client likes equally, zstd goes before gzip and gzip before none.
 *
 * Return: enum encoding, or -1 if the client takes none of them.
 */
int negotiate_encoding(const char *accept, unsigned int offered);
