/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "reservoir/bundle/key.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"

int keygen_run(const struct settings *settings, struct error *err)
{
	char text[KEY_TEXT_SIZE];
	int r = key_generate(settings->words[0], text, err);

	if (r < 0)
		return r;
	(void)printf("The secret key is in %s, the public key in %s.pub:\n%s\n", settings->words[0],
		     settings->words[0], text);
	return COMMAND_DONE;
}
