/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/validate.h"

#include <stdio.h>

#include "api/config/config.h"
#include "base/parse.h"
#include "cli/command.h"
#include "cli/table.h"
#include "cli/text.h"
#include "policy/policy.h"

/* Writes a line of a verdict, which is a comment when YAML follows. */
static void say(const struct settings *settings, enum paint paint, const char *head,
		const char *text, struct strbuf *out)
{
	strbuf_puts(out, settings->print ? "# " : "");
	table_paint(out, settings->paint && !settings->print, paint, head);
	text_escape(out, text);
	strbuf_puts(out, "\n");
}

/* The text of a refusal begins with the file where a place in it is known. */
static int refuse(const struct settings *settings, const char *file, const char *text,
		  struct strbuf *out)
{
	char whole[ERROR_TEXT_MAX * 2];

	if (str_starts_with(text, file))
		(void)snprintf(whole, sizeof(whole), "%s", text);
	else
		(void)snprintf(whole, sizeof(whole), "%s: %s", file, text);
	say(settings, PAINT_BAD, "refused: ", whole, out);
	return COMMAND_FAILED;
}

static void accept_file(const struct settings *settings, const char *file,
			const struct config *config, struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(ERROR_TEXT_MAX * 2);

	strbuf_printf(&text, "%s: %zu resource%s%s", file, config->n_resources,
		      text_plural(config->n_resources),
		      config->resources_are_default ? " (the default)" : "");
	if (config->n_exclude > 0)
		strbuf_printf(&text, ", %zu exclusion%s", config->n_exclude,
			      text_plural(config->n_exclude));
	say(settings, PAINT_GOOD, "ok: ", strbuf_str(&text), out);
	for (size_t i = 0; i < config->n_notes; i++)
		say(settings, PAINT_WARNING, "note: ", config->notes[i].text, out);
}

static int validate_file(const struct settings *settings, const char *file, struct strbuf *out)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_config_ struct config config = { 0 };
	const struct policy_node node = { .name = "" };
	struct error err = { 0 };
	int r = config_load(file, &config, &err);

	/* Names of drivers are checked whatever the node is. */
	if (r == 0)
		r = policy_new(&config, &node, &policy, &err);
	if (r < 0)
		return refuse(settings, file, error_text(&err, r), out);
	accept_file(settings, file, policy_config(policy), out);
	if (settings->print) {
		strbuf_puts(out, "---\n");
		config_print(policy_config(policy), out);
	}
	return COMMAND_DONE;
}

int validate_run(const struct settings *settings, struct strbuf *out, _unused_ struct error *err)
{
	int status = COMMAND_DONE;

	for (size_t i = 0; i < settings->n_words; i++)
		if (validate_file(settings, settings->words[i], out) != COMMAND_DONE)
			status = COMMAND_FAILED;
	return status;
}
