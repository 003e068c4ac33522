/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/publisher.h"

int publisher_open(const struct publisher_setup *setup, struct publisher **ret, struct error *err)
{
	static const struct publisher_class *const classes[_OPTIONS_OUTPUT_MAX] = {
		[OPTIONS_OUTPUT_API] = &api_publisher,
		[OPTIONS_OUTPUT_NFD] = &nfd_publisher,
		[OPTIONS_OUTPUT_STDOUT] = &stdout_publisher,
	};

	return classes[setup->options->output]->open(setup, ret, err);
}

void publisher_close(struct publisher *publisher)
{
	if (publisher)
		publisher->class->close(publisher);
}
