/* SPDX-License-Identifier: Apache-2.0 */
#include "api/metrics/http_response.h"

#include "base/macro.h"

static const struct {
	int status;
	const char *text;
} statuses[] = {
	{ 200, "OK" },
	{ 400, "Bad Request" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};

const char *http_status_text(int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return "Unknown";
}

/* An IMF-fixdate; the names of days and months are written out, since strftime()
 * would take them from the locale. */
static void write_date(struct strbuf *out, time_t date)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;

	if (!gmtime_r(&date, &tm))
		return;
	strbuf_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday],
		      tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		      tm.tm_sec);
}

void http_response_write_head(struct strbuf *out, const struct http_response *response)
{
	strbuf_printf(out, "HTTP/1.1 %d %s\r\n", response->status,
		      http_status_text(response->status));
	write_date(out, response->date);
	strbuf_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", response->type,
		      response->len);
	/* RFC 9110, 15.5.6: a 405 says what would be allowed. */
	if (response->status == 405)
		strbuf_puts(out, "Allow: GET, HEAD\r\n");
	if (response->close)
		strbuf_puts(out, "Connection: close\r\n");
	else if (response->keeps_alive)
		strbuf_puts(out, "Connection: keep-alive\r\n");
	strbuf_puts(out, "\r\n");
}
