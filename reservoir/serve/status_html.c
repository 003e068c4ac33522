/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"
#include "base/size.h"
#include "reservoir/serve/status_facts.h"
#include "reservoir/store/synced.h"

static const char head[] =
	"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
	"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
	"<meta http-equiv=\"refresh\" content=\"30\"><title>Silica Reservoir</title><style>"
	":root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--text:#1b1f24;--dim:#667080;"
	"--line:#e3e6ea;--accent:#2563a8;--ok:#1a7f45;--warn:#a15c00;--bad:#b42318}"
	"@media(prefers-color-scheme:dark){:root{--bg:#111418;--card:#1a1f26;--text:#e6e9ed;"
	"--dim:#98a2b0;--line:#2b323b;--accent:#7ab3ef;--ok:#5fcf8b;--warn:#e5a54b;--bad:#ff8a80}}"
	"*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--text);"
	"font:15px/1.5 system-ui,sans-serif}main{max-width:72rem;margin:0 auto;padding:1.5rem}"
	"header{display:flex;flex-wrap:wrap;align-items:baseline;gap:.25rem 1rem;"
	"margin-bottom:1.25rem}h1{font-size:1.4rem;margin:0}h2{font-size:1.05rem;"
	"margin:0 0 .6rem}.dim{color:var(--dim)}"
	".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));"
	"gap:.75rem;margin-bottom:1.25rem}"
	".card,section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;"
	"padding:.8rem 1rem}section{margin-bottom:1.25rem;overflow-x:auto}"
	".card b{display:block;font-size:1.3rem;font-variant-numeric:tabular-nums}"
	"table{border-collapse:collapse;width:100%}th,td{padding:.35rem .6rem;text-align:left;"
	"border-bottom:1px solid var(--line);white-space:nowrap}tr:last-child td{border:0}"
	"th{font-weight:600;color:var(--dim);font-size:.85rem}"
	".n{text-align:right;font-variant-numeric:tabular-nums}"
	"a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}"
	".ok{color:var(--ok)}.old,.empty{color:var(--warn)}.damaged,.fault{color:var(--bad)}"
	".bar{height:.4rem;border-radius:.2rem;background:var(--line);margin-top:.45rem}"
	".bar i{display:block;height:100%;border-radius:.2rem;background:var(--accent)}"
	"</style></head><body><main>";
static const char tail[] = "</main></body></html>\n";

static void put_escaped(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			strbuf_puts(out, "&lt;");
			break;
		case '>':
			strbuf_puts(out, "&gt;");
			break;
		case '&':
			strbuf_puts(out, "&amp;");
			break;
		case '"':
			strbuf_puts(out, "&quot;");
			break;
		default:
			strbuf_add(out, text, 1);
		}
	}
}

static void put_bytes(struct strbuf *out, uint64_t bytes)
{
	char text[SIZE_TEXT_MAX];

	strbuf_puts(out, size_format(bytes, text));
}

static void put_number(struct strbuf *out, uint64_t number)
{
	if (number >= 1000) {
		put_number(out, number / 1000);
		strbuf_printf(out, "\xe2\x80\xaf%03" PRIu64, number % 1000); /* narrow space */
		return;
	}
	strbuf_printf(out, "%" PRIu64, number);
}

static void put_age(struct strbuf *out, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		int64_t n = seconds / units[i].seconds;

		if (n < 2 && i + 1 < ARRAY_SIZE(units))
			continue;
		n = MAX(n, 0);
		strbuf_printf(out, "%" PRIi64 " %s%s ago", n, units[i].name, n == 1 ? "" : "s");
		return;
	}
}

static void put_time(struct strbuf *out, int64_t when, int64_t now)
{
	time_t time = (time_t)when;
	char text[32] = "";
	struct tm tm;

	if (when <= 0) {
		strbuf_puts(out, "never");
		return;
	}
	if (gmtime_r(&time, &tm))
		(void)!strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm);
	strbuf_printf(out, "<span title=\"%s\">", text);
	put_age(out, now - when);
	strbuf_puts(out, "</span>");
}

static void card_begin(struct strbuf *out)
{
	strbuf_puts(out, "<div class=\"card\"><b>");
}

static void card_end(struct strbuf *out, const char *label)
{
	strbuf_printf(out, "</b><span class=\"dim\">%s</span></div>", label);
}

static void put_disk(struct strbuf *out, const struct status_facts *facts)
{
	uint64_t used = facts->disk_size - facts->disk_free;
	double share = facts->disk_size ? 100.0 * (double)used / (double)facts->disk_size : 0;

	card_begin(out);
	put_bytes(out, facts->disk_free);
	strbuf_puts(out, "</b><span class=\"dim\">free of ");
	put_bytes(out, facts->disk_size);
	strbuf_printf(out, "</span><div class=\"bar\"><i style=\"width:%.0f%%\"></i></div></div>",
		      share);
}

static uint64_t sum(const struct status_facts *facts, size_t class_from, size_t class_to)
{
	uint64_t n = 0;

	for (size_t slot = 0; slot < PICTURE_SLOTS; slot++)
		for (size_t i = class_from; i <= class_to; i++)
			n += facts->totals.repositories[slot].requests[i];
	return n;
}

static void put_cards(const struct core *core, const struct status_facts *facts, struct strbuf *out)
{
	uint64_t bytes = 0;

	for (size_t slot = 0; slot < PICTURE_SLOTS; slot++)
		bytes += facts->totals.repositories[slot].bytes;
	strbuf_puts(out, "<div class=\"cards\">");
	card_begin(out);
	put_number(out, facts->picture ? facts->picture->number : 0);
	card_end(out, "generation");
	card_begin(out);
	put_number(out, sum(facts, 0, STATUS_CLASSES - 1));
	card_end(out, "requests since the start");
	card_begin(out);
	put_bytes(out, bytes);
	card_end(out, "sent");
	card_begin(out);
	put_number(out, atomic_load(&core->connections));
	card_end(out, "connections");
	card_begin(out);
	put_number(out, sum(facts, 5, 5));
	card_end(out, "answers with 5xx");
	card_begin(out);
	put_number(out, facts->quarantined);
	card_end(out, "objects in quarantine");
	put_disk(out, facts);
	strbuf_puts(out, "</div>");
}

static void put_repository(const struct status_facts *facts, const struct picture_repository *row,
			   struct strbuf *out)
{
	const struct worker_counts *counts = &facts->totals.repositories[row->slot];
	const char *state = status_state(row);
	uint64_t requests = 0;

	for (size_t i = 0; i < STATUS_CLASSES; i++)
		requests += counts->requests[i];
	strbuf_puts(out, "<tr><td><strong>");
	put_escaped(out, row->info.name);
	strbuf_puts(out, "</strong></td><td>");
	put_escaped(out, row->ecosystem ? row->ecosystem->name : row->info.ecosystem);
	strbuf_printf(out, "</td><td class=\"%s\">%s</td><td>", state, state);
	put_time(out, synced_at(facts->store, &row->info), facts->now);
	strbuf_puts(out, "</td><td class=\"n\">");
	put_number(out, row->info.n_files);
	strbuf_puts(out, "</td><td class=\"n\">");
	put_bytes(out, row->info.bytes);
	strbuf_puts(out, "</td><td class=\"n\">");
	put_number(out, requests);
	strbuf_puts(out, "</td><td class=\"n\">");
	put_number(out, counts->unchanged);
	strbuf_puts(out, "</td><td class=\"n\">");
	put_bytes(out, counts->bytes);
	strbuf_puts(out, "</td></tr>");
	if (!row->fault.code)
		return;
	strbuf_puts(out, "<tr><td></td><td class=\"fault\" colspan=\"8\">");
	put_escaped(out, row->fault.msg);
	strbuf_puts(out, "</td></tr>");
}

static void put_repositories(const struct status_facts *facts, struct strbuf *out)
{
	strbuf_puts(out, "<section><h2>Repositories</h2>");
	if (!facts->picture) {
		strbuf_puts(out, "<p class=\"fault\">None can be read.</p></section>");
		return;
	}
	if (facts->picture->n_repositories == 0) {
		strbuf_puts(out, "<p class=\"dim\">There is none yet: sync or import one.</p>"
				 "</section>");
		return;
	}
	strbuf_puts(out, "<table><tr><th>Name</th><th>Ecosystem</th><th>State</th>"
			 "<th>Last sync</th><th class=\"n\">Files</th><th class=\"n\">Size</th>"
			 "<th class=\"n\">Requests</th><th class=\"n\">Unchanged</th>"
			 "<th class=\"n\">Sent</th></tr>");
	for (size_t i = 0; i < facts->picture->n_repositories; i++)
		put_repository(facts, &facts->picture->repositories[i], out);
	strbuf_puts(out, "</table></section>");
}

static void put_top(const struct status_facts *facts, struct strbuf *out)
{
	strbuf_puts(out, "<section><h2>Packages taken most</h2>");
	if (facts->n_top == 0) {
		strbuf_puts(out, "<p class=\"dim\">None yet.</p></section>");
		return;
	}
	strbuf_puts(out, "<table><tr><th>Package</th><th>Repository</th>"
			 "<th class=\"n\">Downloads</th><th class=\"n\">Sent</th></tr>");
	for (size_t i = 0; i < facts->n_top; i++) {
		strbuf_puts(out, "<tr><td>");
		put_escaped(out, facts->top[i].package);
		strbuf_puts(out, "</td><td>");
		put_escaped(out, facts->top[i].repository);
		strbuf_puts(out, "</td><td class=\"n\">");
		put_number(out, facts->top[i].downloads);
		strbuf_puts(out, "</td><td class=\"n\">");
		put_bytes(out, facts->top[i].bytes);
		strbuf_puts(out, "</td></tr>");
	}
	strbuf_puts(out, "</table></section>");
}

static void put_header(const struct core *core, const struct status_facts *facts,
		       struct strbuf *out)
{
	strbuf_printf(out,
		      "<header><h1>Silica Reservoir</h1><span class=\"%s\">%s</span>"
		      "<span class=\"dim\">store %.8s, version " SILICA_VERSION ", started ",
		      facts->ready ? "ok" : "damaged", facts->ready ? "ready" : "not ready",
		      store_id(core->store));
	put_time(out, core->started, facts->now);
	if (facts->picture) {
		strbuf_puts(out, ", published ");
		put_time(out, facts->picture->created, facts->now);
		strbuf_puts(out, " (");
		put_escaped(out, facts->picture->reason);
		strbuf_puts(out, ")");
	}
	strbuf_puts(out, "</span></header>");
	if (!facts->fault.code)
		return;
	strbuf_puts(out, "<section class=\"fault\">");
	strbuf_puts(out,
		    facts->reads ? "What is published cannot be read" : "The store cannot be read");
	strbuf_puts(out, !facts->picture ? ", and nothing is served: "
			 : facts->reads	 ? ", and what was before is served: "
					 : ", and only what is in memory is served: ");
	put_escaped(out, facts->fault.msg);
	strbuf_puts(out, "</section>");
}

void status_html(const struct core *core, const struct status_facts *facts, struct strbuf *out)
{
	strbuf_puts(out, head);
	put_header(core, facts, out);
	put_cards(core, facts, out);
	put_repositories(facts, out);
	put_top(facts, out);
	strbuf_puts(out, "<p class=\"dim\"><a href=\"/status.json\">JSON</a> &middot; "
			 "<a href=\"/metrics\">metrics</a></p>");
	strbuf_puts(out, tail);
}
