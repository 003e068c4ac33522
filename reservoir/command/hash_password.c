/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/macro.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/serve/users.h"

#define PASSWORD_MAX 256 /* bytes with the NUL */

/* Reads a line; nothing of it is shown when somebody types it. */
static int read_password(char password[PASSWORD_MAX], struct error *err)
{
	bool typed = isatty(STDIN_FILENO) == 1;
	struct termios before, silent;
	char *line;

	if (typed && tcgetattr(STDIN_FILENO, &before) == 0) {
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		(void)fputs("Password: ", stderr);
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	line = fgets(password, PASSWORD_MAX, stdin);
	if (typed) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		(void)fputs("\n", stderr);
	}
	if (!line)
		return error_set(err, EINVAL, "there is no password on the standard input");
	if (!strchr(password, '\n') && strlen(password) == PASSWORD_MAX - 1)
		return error_set(err, EINVAL, "a password has 1 to %d bytes", PASSWORD_MAX - 1);
	password[strcspn(password, "\n")] = '\0';
	return 0;
}

int hash_password_run(_unused_ const struct settings *settings, struct error *err)
{
	char password[PASSWORD_MAX] = "";
	char hash[CONFIG_KEY_SIZE];
	int r = read_password(password, err);

	if (r == 0)
		r = users_hash(password, hash, err);
	explicit_bzero(password, sizeof(password));
	if (r < 0)
		return r;
	return puts(hash) < 0 || fflush(stdout) != 0 ? COMMAND_FAILED : COMMAND_DONE;
}
