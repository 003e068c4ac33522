/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row of PyPI.
 *
 * Source: reservoir/ecosystem.h
 */
#pragma once

#include "reservoir/ecosystem.h"

extern const struct ecosystem pypi_ecosystem;
