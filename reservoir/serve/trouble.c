/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/trouble.h"

#include "base/log.h"

void trouble_note(struct trouble *trouble, int r, const struct error *err)
{
	int before = atomic_exchange(&trouble->code, r);

	if (r < 0)
		atomic_fetch_add(&trouble->n, 1);
	if (r == before)
		return;
	if (r < 0)
		log_error("serve", "%s cannot be written: %s", trouble->what, error_text(err, r));
	else
		log_info("serve", "%s can be written again", trouble->what);
}
