/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/fetch/allowance.h"

#include "base/macro.h"

#define PARTS 10u	 /* a tenth of a second may be taken at once */
#define ELAPSED_MS 1000u /* that counts, at most */

void allowance_fill(struct allowance *allowance, uint64_t now_ms)
{
	uint64_t elapsed = MIN(now_ms - allowance->filled_ms, (uint64_t)ELAPSED_MS);
	int64_t most = (int64_t)(allowance->per_second / PARTS) + 1;
	int64_t brought = (int64_t)(allowance->per_second * elapsed / 1000);

	/* Time that has not brought a byte yet is not lost. */
	if (brought == 0)
		return;
	allowance->left = MIN(allowance->left + brought, most);
	allowance->filled_ms = now_ms;
}

bool allowance_take(struct allowance *allowance, size_t len)
{
	if (allowance->per_second == 0)
		return true;
	if (allowance->left <= 0)
		return false;
	allowance->left -= (int64_t)len;
	return true;
}
