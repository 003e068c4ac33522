/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys made for these tests, which nobody believes, and a text signed by one of them.
 *
 * Source: gpg --quick-gen-key, ed25519
 */
#pragma once

#include "base/macro.h"

#define KEY_PASSPHRASE "a long word" /* of other_secret */

/* Archive of a test */
_unused_ static const char archive_public[] =
	"-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
	"\n"
	"mDMEZZIAgBYJKwYBBAHaRw8BAQdAloewbKzLf+Y5QxPA5kTx7MzGQBFoKJRbD37u\n"
	"ggn4mE60J0FyY2hpdmUgb2YgYSB0ZXN0IDxhcmNoaXZlQGV4YW1wbGUub3JnPoiQ\n"
	"BBMWCAA4FiEEIwY89defqbD86l87uF7bjGx+7W8FAmWSAIACGwMFCwkIBwIGFQoJ\n"
	"CAsCBBYCAwECHgECF4AACgkQuF7bjGx+7W9U5wEAxnsLRiTTt5Cy8VCvVF9sZd6Y\n"
	"dU+iXCEBdYo+PXMhkz0A/3ELu2NtUndsrL8k+IitgGk+liy+OC9nLpd2jtaG+AoN\n"
	"=kHX6\n"
	"-----END PGP PUBLIC KEY BLOCK-----\n";

/* The same with its secret, not protected */
_unused_ static const char archive_secret[] =
	"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"
	"\n"
	"lFgEZZIAgBYJKwYBBAHaRw8BAQdAloewbKzLf+Y5QxPA5kTx7MzGQBFoKJRbD37u\n"
	"ggn4mE4AAP9bVfFZZL+ktj4mUnTSoDqOV/isNkNdA4AmTl7qpxYj1w+htCdBcmNo\n"
	"aXZlIG9mIGEgdGVzdCA8YXJjaGl2ZUBleGFtcGxlLm9yZz6IkAQTFggAOBYhBCMG\n"
	"PPXXn6mw/OpfO7he24xsfu1vBQJlkgCAAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4B\n"
	"AheAAAoJELhe24xsfu1vVOcBAMZ7C0Yk07eQsvFQr1RfbGXemHVPolwhAXWKPj1z\n"
	"IZM9AP9xC7tjbVJ3bKy/JPiIrYBpPpYsvjgvZy6Xdo7WhvgKDQ==\n"
	"=7tzD\n"
	"-----END PGP PRIVATE KEY BLOCK-----\n";

/* Another one */
_unused_ static const char other_public[] =
	"-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
	"\n"
	"mDMEZZIAgBYJKwYBBAHaRw8BAQdAaa6mW3+kPmbtwV0AadGAdttxG8Y6uVZowukh\n"
	"KMqRYzi0I090aGVyIG9mIGEgdGVzdCA8b3RoZXJAZXhhbXBsZS5vcmc+iJAEExYI\n"
	"ADgWIQQIFfK09mDpwGhU+g5FZD9RRN3PtwUCZZIAgAIbAwULCQgHAgYVCgkICwIE\n"
	"FgIDAQIeAQIXgAAKCRBFZD9RRN3Pt8jpAP9z6tMlvH5DDlQA4wpKZvmF3ycpGEhd\n"
	"hiu6w8f3VsnP4gEAigE54/nEycsIhUNpEaY0Xx2tT0p6kSJUH6vdKzXMEwk=\n"
	"=5ze2\n"
	"-----END PGP PUBLIC KEY BLOCK-----\n";

/* The same with its secret, protected by KEY_PASSPHRASE */
_unused_ static const char other_secret[] =
	"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"
	"\n"
	"lIYEZZIAgBYJKwYBBAHaRw8BAQdAaa6mW3+kPmbtwV0AadGAdttxG8Y6uVZowukh\n"
	"KMqRYzj+BwMCYE+xv0almVT/n1erRXYo49M+rvG8lNF9kjkRsfrr/n2898St5SwH\n"
	"jmr5/+BIKa0L2DMxx7gbEFHsvDZzIYpefyl32FsVFb8lVVbvRugNXbQjT3RoZXIg\n"
	"b2YgYSB0ZXN0IDxvdGhlckBleGFtcGxlLm9yZz6IkAQTFggAOBYhBAgV8rT2YOnA\n"
	"aFT6DkVkP1FE3c+3BQJlkgCAAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJ\n"
	"EEVkP1FE3c+3yOkA/3Pq0yW8fkMOVADjCkpm+YXfJykYSF2GK7rDx/dWyc/iAQCK\n"
	"ATnj+cTJywiFQ2kRpjRfHa1PSnqRIlQfq90rNcwTCQ==\n"
	"=6ObI\n"
	"-----END PGP PRIVATE KEY BLOCK-----\n";

/* What is signed */
_unused_ static const char signed_text[] = "Origin: Example\n"
					   "Suite: stable\n"
					   "- a dash\n";

/* The same, signed by the archive */
_unused_ static const char signed_clear[] =
	"-----BEGIN PGP SIGNED MESSAGE-----\n"
	"Hash: SHA256\n"
	"\n"
	"Origin: Example\n"
	"Suite: stable\n"
	"- - a dash\n"
	"-----BEGIN PGP SIGNATURE-----\n"
	"\n"
	"iHUEARYIAB0WIQQjBjz115+psPzqXzu4XtuMbH7tbwUCZZNSAAAKCRC4XtuMbH7t\n"
	"b5byAPwJLpvYdf/iWqPYIv8ka29/Rm+Wg6zDXQ7t3kna6jX21wD+OEosT+LEQ3b9\n"
	"tBhkI89DbbJqKcaoz4lLXB5nGUPpEwE=\n"
	"=ugKs\n"
	"-----END PGP SIGNATURE-----\n";
