/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/command/command.h"

#include <stddef.h>
#include <unistd.h>

#include "base/about.h"
#include "base/log.h"
#include "base/macro.h"
#include "reservoir/command/commands.h"
#include "reservoir/store/mapping.h"

static const struct command commands[] = {
	{
		.name = "init",
		.words = "",
		.summary = "make a store and its configuration",
		.text = "Makes the directory of the store, and reservoir.yaml in it. With "
			"--from-host that names the upstreams which this machine's apt and pip are "
			"configured with: look it through before the first sync.",
		.tables = { settings_init, settings_store, settings_common, NULL },
		.run = init_run,
	},
	{
		.name = "sync",
		.words = "[REPOSITORY...]",
		.summary = "bring repositories up to their upstreams",
		.text = "Brings repositories up to their upstreams: those named, or all that have "
			"one.\n\n"
			"Each is published when all of it is here and is what its indexes say; one "
			"that misses something stays as it was, and what was fetched for it is "
			"kept. Files that the upstream lists and does not have are left out "
			"once the run before found the same. The same command goes on after an "
			"interruption of any kind. Exits with 3 when a repository is not what its "
			"upstream is, and says what is missing.",
		.tables = { settings_sync, settings_store, settings_common, NULL },
		.max_words = SETTINGS_WORDS_MAX,
		.run = sync_run,
	},
	{
		.name = "serve",
		.words = "",
		.summary = "answer apt, pip, uv and browsers",
		.text = "Answers apt, pip, uv and browsers.\n\n"
			"The store is only read. SIGHUP reads the configuration again; SIGTERM "
			"makes /readyz fail, goes on for serve.drain, and ends.",
		.tables = { settings_serve, settings_store, settings_common, NULL },
		.run = serve_run,
	},
	{
		.name = "export",
		.words = "",
		.summary = "write a signed bundle of what changed",
		.text = "Writes what the store has, or what changed since a generation, as a "
			"manifest that bundles.secretKeys sign, and chunks. One that was "
			"interrupted is run again, and "
			"takes what is there already.",
		.tables = { settings_export, settings_store, settings_common, NULL },
		.run = export_run,
	},
	{
		.name = "import",
		.words = "MANIFEST...",
		.summary = "apply bundles, or say why not",
		.text = "Applies bundles by their manifests, or says why not. Nothing is written "
			"before the signature is that of a configured key. Exits with 3 when a "
			"bundle is refused.",
		.tables = { settings_import, settings_store, settings_common, NULL },
		.min_words = 1,
		.max_words = SETTINGS_WORDS_MAX,
		.run = import_run,
	},
	{
		.name = "watch",
		.words = "[DIRECTORY]",
		.summary = "apply the bundles that arrive in a directory",
		.text = "Applies the bundles that arrive in DIRECTORY, or in bundles.drop, as soon "
			"as all of their files are there, until it is told to end. What was "
			"applied is moved to done/, and what was refused to rejected/, with the "
			"reason.",
		.tables = { settings_watch, settings_store, settings_common, NULL },
		.max_words = 1,
		.run = watch_run,
	},
	{
		.name = "writer",
		.words = "",
		.summary = "sync and look after the store on a schedule, and apply what arrives",
		.text = "Runs 'watch' for what arrives in bundles.drop, 'sync' every "
			"sync.interval, 'gc' every keep.interval and 'verify' every "
			"verify.interval, until it is told to end. A bundle that arrives ends a "
			"sync, which goes on afterwards. With --lease, they run only while this "
			"replica holds that Lease of Kubernetes; when it loses it, they are ended "
			"at once.",
		.tables = { settings_writer, settings_store, settings_common, NULL },
		.run = writer_run,
	},
	{
		.name = "keygen",
		.words = "FILE",
		.summary = "make a pair of keys for bundles or receipts",
		.text = "Makes a pair of keys: FILE, which stays secret, and FILE.pub.\n\n"
			"The files are those of minisign without a password.",
		.tables = { settings_common, NULL },
		.min_words = 1,
		.max_words = 1,
		.run = keygen_run,
	},
	{
		.name = "verify",
		.words = "[REPOSITORY...]",
		.summary = "read every object, and find what is damaged",
		.text = "Reads every object, and looks for all that generations name. What is "
			"damaged is moved to the directory quarantine of the store, and given to "
			"no client any more; with --repair it is fetched again from where it came. "
			"With names, only what the current generation of these repositories has is "
			"read. Exits with 3 while something is damaged.",
		.tables = { settings_verify, settings_store, settings_common, NULL },
		.max_words = SETTINGS_WORDS_MAX,
		.run = verify_run,
	},
	{
		.name = "gc",
		.words = "",
		.summary = "remove what no kept generation needs",
		.text = "Removes the generations that the configuration does not keep "
			"(keep.generations, keep.for) and no snapshot keeps, and the objects that "
			"nothing needs any more. Runs beside servers and beside a sync.",
		.tables = { settings_gc, settings_store, settings_common, NULL },
		.run = gc_run,
	},
	{
		.name = "status",
		.words = "",
		.summary = "show repositories, generations, disk and last syncs",
		.text = "Shows the store's id, the generation that is published, each repository "
			"with its size and the age of its last sync, the snapshots, the disk, who "
			"writes, and why clients are refused a repository, or will be before long. "
			"Works beside a writer and in a store that cannot be written.",
		.tables = { settings_report, settings_store, settings_common, NULL },
		.run = status_run,
	},
	{
		.name = "snapshot",
		.words = "[NAME [GENERATION]]",
		.summary = "keep a generation under a name, or list those kept",
		.text = "Keeps a generation under a name: it is served below /snapshot/NAME/ and "
			"'gc' leaves it alone. GENERATION is a number, another snapshot or "
			"\"current\", which it is when left out. Without NAME all snapshots are "
			"listed.",
		.tables = { settings_snapshot, settings_store, settings_common, NULL },
		.max_words = 2,
		.run = snapshot_run,
	},
	{
		.name = "rollback",
		.words = "GENERATION",
		.summary = "publish an earlier generation again",
		.text = "Publishes the repositories of an earlier generation again, as a new one. "
			"GENERATION is a number or a snapshot. With --repository only that one "
			"goes back.",
		.tables = { settings_repository, settings_store, settings_common, NULL },
		.min_words = 1,
		.max_words = 1,
		.run = rollback_run,
	},
	{
		.name = "recall",
		.words = "[PACKAGE...]",
		.summary = "give a package to nobody any more, or list those recalled",
		.text = "Gives packages to nobody any more: from now on their files are answered "
			"with 410, in what is published now, in every snapshot and after every "
			"rollback, and 'gc' removes their content. PACKAGE is REPOSITORY/PATH "
			"with * and ?, as in 'pypi/packages/evil/*', or the SHA-256 of a file. "
			"The next bundle carries it to the sites. Pages of PyPI, and indexes "
			"that the site signs itself, leave it out from the next 'sync' on. "
			"Without PACKAGE all that was recalled is listed.",
		.tables = { settings_recall, settings_store, settings_common, NULL },
		.max_words = SETTINGS_WORDS_MAX,
		.run = recall_run,
	},
	{
		.name = "diff",
		.words = "GENERATION GENERATION",
		.summary = "list what changed between two generations",
		.text = "Lists the paths that were added (+), removed (-) and changed (*) from the "
			"first generation to the second, with their sizes, and the sums. A "
			"generation is a number, a snapshot or \"current\". With --json each path "
			"is a line of JSON.",
		.tables = { settings_repository, settings_store, settings_common, NULL },
		.min_words = 2,
		.max_words = 2,
		.run = diff_run,
	},
	{
		.name = "explain",
		.words = "PACKAGE",
		.summary = "say why a package is here, or is not",
		.text = "Says of each repository why PACKAGE is in it, or is not, and which of its "
			"files nobody gets: what was recalled, is damaged or lost.",
		.tables = { settings_repository, settings_store, settings_common, NULL },
		.min_words = 1,
		.max_words = 1,
		.run = explain_run,
	},
	{
		.name = "hash-password",
		.words = "",
		.summary = "hash a password for the configuration",
		.text = "Reads a password from the standard input, and prints what stands for it "
			"in the configuration.",
		.tables = { settings_common, NULL },
		.run = hash_password_run,
	},
	{
		.name = "client-config",
		.words = "apt|pip|uv",
		.choices = "apt|pip|uv",
		.summary = "print what to put on a client",
		.text = "Prints what to put on a client, and where, for each repository that it "
			"can use.",
		.tables = { settings_client, settings_store, settings_common, NULL },
		.min_words = 1,
		.max_words = 1,
		.run = client_config_run,
	},
	{ ABOUT_COMPLETION, .tables = { settings_common, NULL } },
	{ ABOUT_HELP, .tables = { settings_common, NULL } },
	{ ABOUT_VERSION, .tables = { settings_common, NULL } },
	{ 0 },
};

static const struct command_exit exits[] = {
	{ COMMAND_DONE, "all went well" },
	{ COMMAND_FAILED, "something failed; what was changed is told" },
	{ COMMAND_MISUSED, "the command line is wrong" },
	{ COMMAND_INCOMPLETE,
	  "sync: a repository misses something, published without it or not; verify: something "
	  "is damaged; import and watch: a bundle was refused" },
	{ 0 },
};

static const struct command_program program = {
	.name = "silica-reservoir",
	.about = "Mirrors packages for sites without the internet.",
	.commands = commands,
	.exits = exits,
	.common = settings_common,
};

const struct command_program *command_program(void)
{
	return &program;
}

/* In the handler of a signal: only what may be done there. */
static void end_without_store(void)
{
	static const char text[] = "silica-reservoir: a file of the store cannot be read any more: "
				   "its disk fails, or it was cut short\n";
	ssize_t ignored _unused_ = write(STDERR_FILENO, text, sizeof(text) - 1);

	_exit(COMMAND_FAILED);
}

int command_run(const char *const *argv, struct settings *settings, struct strbuf *out,
		struct error *err)
{
	struct options_words words = { .list = settings->words, .max = SETTINGS_WORDS_MAX };
	struct command_line line = {
		.program = settings->program,
		.settings = settings,
		.words = &words,
		.help = &settings->help,
	};
	const struct command *command;
	int r = command_choose(&program, argv, &line, &command, out, err);

	if (!command)
		return r;
	settings->n_words = words.n;
	log_setup(settings->log_level, settings->log_format);
	(void)mapping_guard(end_without_store);
	r = command->answer ? command->answer(settings, out, err) : command->run(settings, err);
	return r < 0 ? COMMAND_FAILED : r;
}
