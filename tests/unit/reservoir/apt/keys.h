/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys made for these tests, which nobody believes, and a text signed by one of them.
 *
 * Source: gpg --quick-gen-key, ed25519
 */
#pragma once

#include <stdint.h>

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

/* One whose subkey signs; it was made in 2024, and renewed at RENEWED, its subkey last. */
#define RENEWED INT64_C(1751328000)
_unused_ static const char renewed_secret[] =
	"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"
	"\n"
	"lFgEZZIAgBYJKwYBBAHaRw8BAQdAe/mnMC9phd1/n/BKjAeAsgGVcw98frxJtu8P\n"
	"c0H+19oAAP0RnF0bMKhRU9gbgQzZfgz5yqbH98LhqWMuvD876raTYBFOtCdSZW5l\n"
	"d2VkIG9mIGEgdGVzdCA8cmVuZXdlZEBleGFtcGxlLm9yZz6IkAQTFggAOAIbAQUL\n"
	"CQgHAgYVCgkICwIEFgIDAQIeAQIXgBYhBHHfE2XM7r0Jkjww/Dr2aTr+/6I0BQJo\n"
	"O5gAAAoJEDr2aTr+/6I0siYBAL+J+wI6uhDLttIcRQKf2Xd+0v75Rm6ctc7LH1Op\n"
	"h3lRAQDgtMt/LpoFK6TLvyKNYDyqHs/ckb79Ee6b8R4MXX7rCZxYBGW63wAWCSsG\n"
	"AQQB2kcPAQEHQNDhsQJ2C09i0SV7Gk8srSjfC9XfggYoSp3YbGOWwaTYAAEA4HsC\n"
	"T4eiwRI8OHT/w0IIqWZXmyq/qX1Hs/tlA9hDWwoOiojvBBgWCAAgAhsCFiEEcd8T\n"
	"ZczuvQmSPDD8OvZpOv7/ojQFAmhjJQAAgXYgBBkWCAAdFiEEqya1tWt9/jZdOZjM\n"
	"KCPSDz0Kf34FAmW63wAACgkQKCPSDz0Kf34BGwEApQtzfrH1UvgE3Hr0ykpmJyQh\n"
	"vJp9UPFblUMxibuwuSIA/RT14MLksLqJQ1/x6DIbfCyAr7i8a6dNeyy08u4qtdIF\n"
	"CRA69mk6/v+iNHvnAP0evOL1XqXdblovLYbo50zKkjahS5qxTTBIFX9HB7xwogEA\n"
	"vJx0xrX4jIoa0toWhmETkWGzQCQCQ5NKEBohq0SZQQc=\n"
	"=LmMJ\n"
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

/* One that was good for 365 days from 2024 on, and ended at EXPIRED */
#define EXPIRED INT64_C(1735603200)
_unused_ static const char expired_secret[] =
	"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"
	"\n"
	"lFgEZZIAgBYJKwYBBAHaRw8BAQdACtlzsau9fdSYVWdogLLGYNFEEVfbgRM4lppi\n"
	"Vh9STe4AAP9js5B0r4wxdzhraDBfj8WdaKSzDX3gjYXD1kUURsUwdRBktCdFeHBp\n"
	"cmVkIG9mIGEgdGVzdCA8ZXhwaXJlZEBleGFtcGxlLm9yZz6IlgQTFggAPhYhBFan\n"
	"aBFmTPaXqW0Uofp0ClpQwQmWBQJlkgCAAhsDBQkB4TOABQsJCAcCBhUKCQgLAgQW\n"
	"AgMBAh4BAheAAAoJEPp0ClpQwQmWr+4BAMZgUagQoLE4Nen0j5lCngchA/jzK03n\n"
	"kcCf8y8eYitLAQC5mMY2D6KotSG29qPRZdROzg5TMnQtRmkrlS5m+DFQCQ==\n"
	"=0ziG\n"
	"-----END PGP PRIVATE KEY BLOCK-----\n";

/* One without an end, whose subkey signs and ended at EXPIRED */
_unused_ static const char expired_subkey_secret[] =
	"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"
	"\n"
	"lFgEZZIAgBYJKwYBBAHaRw8BAQdA0Z8jPOgszwFbYOYl207dK+xWcbxceWKllzS1\n"
	"v9zvznAAAP4xJCy5p6joAg7wpJG4my8oyEJUS50zGAwomj0K0e5ONA41tCVTdWJr\n"
	"ZXkgb2YgYSB0ZXN0IDxzdWJrZXlAZXhhbXBsZS5vcmc+iJAEExYIADgWIQTU66U+\n"
	"Wsqk1hQhpYanuqWdO1/SJAUCZZIAgAIbAQULCQgHAgYVCgkICwIEFgIDAQIeAQIX\n"
	"gAAKCRCnuqWdO1/SJLqbAP4wX2RiJYKul3gWujB8i/SSlmW8b38OaMggfsK8Jjz9\n"
	"wgD+JYnZmQvLQp+tM626iuOG+qmrDGL7oMf8Efu4CNXH6A2cWARlkgCAFgkrBgEE\n"
	"AdpHDwEBB0BuvhoODYBn3kLAwza8h9M9XgoVtkf3ddDIrsjyY0iiIwABALSGtmlC\n"
	"i55sOG80H4Je8Q6wjdN1GGxAVz/Mn/jS7fXtEO2I9QQYFggAJhYhBNTrpT5ayqTW\n"
	"FCGlhqe6pZ07X9IkBQJlkgCAAhsCBQkB4TOAAIEJEKe6pZ07X9IkdiAEGRYIAB0W\n"
	"IQRqIodSNrOYBP0POjlqXQq8Ux2A1gUCZZIAgAAKCRBqXQq8Ux2A1ihQAP41IGfO\n"
	"U1zPczByJU7NrTCtqeAfLaVkQk8f3HxfmixkOwD9E3X0iNZCGhn9TQKVkqcmZuEq\n"
	"qWH10p42OhFl3pGDOgFDWQEA09BIktGlkjPPxWKqpqDgMhaWtD/F8lb4F7wgSLZo\n"
	"dDkBAIE08oHpDXnY8qHOPrbaxH++sS4hXyuHXm3ISO+0+qMA\n"
	"=rbCk\n"
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
