/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/config/window.h"

#include <stdio.h>
#include <time.h>

int window_parse(const char *text, struct window *ret, struct error *err)
{
	unsigned int from_h, from_m, to_h, to_m;
	char end;

	*ret = (struct window) { .always = true };
	if (!text[0])
		return 0;
	if (sscanf(text, "%2u:%2u-%2u:%2u%c", &from_h, &from_m, &to_h, &to_m, &end) != 4 ||
	    from_h > 23 || from_m > 59 || to_h > 23 || to_m > 59)
		return error_set(err, EINVAL,
				 "'%s' is not two times of the day, as in '22:00-06:00'", text);
	*ret = (struct window) {
		.always = from_h == to_h && from_m == to_m,
		.from_s = from_h * 3600 + from_m * 60,
		.to_s = to_h * 3600 + to_m * 60,
	};
	return 0;
}

uint32_t window_opens_in(const struct window *window, uint32_t now_s)
{
	uint32_t length = (window->to_s + WINDOW_DAY_S - window->from_s) % WINDOW_DAY_S;
	uint32_t since = (now_s % WINDOW_DAY_S + WINDOW_DAY_S - window->from_s) % WINDOW_DAY_S;

	return window->always || since < length ? 0 : WINDOW_DAY_S - since;
}

uint32_t window_now(void)
{
	time_t now = time(NULL);
	struct tm tm = { 0 };

	if (!localtime_r(&now, &tm))
		return 0;
	return (uint32_t)(tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec) % WINDOW_DAY_S;
}
