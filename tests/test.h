/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every unit test includes.  The order of the first block is cmocka's
 * demand, so clang-format is kept away from it.
 */
#pragma once

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/macro.h"
