/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manual page silicactl(1), written from the table of commands.
 *
 * Source: man(7) of groff, whose macros mandoc knows as well
 */
#pragma once

#include "base/strbuf.h"

/**
 * silicactl_manual_write() - Write the manual page.
 * @out: appended to
 */
void silicactl_manual_write(struct strbuf *out);
