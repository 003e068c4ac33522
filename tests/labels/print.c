/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print-labels HOST_ROOT [CONFIG]: what labels and annotations a node has, without an API
 * server and without any state.  Exit status 0, or 1 with a message.
 */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/output.h"
#include "drivers/nvml/child.h"
#include "inventory/inventory.h"
#include "node-labeller/labels.h"
#include "policy/node.h"
#include "policy/policy.h"

#define FIRST_ANSWER_MS 5000 /* of NVML's stand-in, with sanitizers on a busy machine */
#define OUTPUT_MAX (1024 * 1024)
#define DMI_MAX 128 /* bytes of a text of the firmware, with the NUL */

struct node {
	struct node_identity identity;
	struct policy *policy;
	struct host host;
	struct snapshot *snapshot;
	struct offer offer;
	char machine[DMI_MAX];
	char machine_vendor[DMI_MAX];
};

static void node_done(struct node *node)
{
	offer_done(&node->offer);
	snapshot_unref(node->snapshot);
	policy_free(node->policy);
	node_identity_done(&node->identity);
	host_close(&node->host);
}

static int make_policy(struct node *node, const char *path, struct error *err)
{
	_cleanup_config_ struct config config = { 0 };
	int r = path ? config_load(path, &config, err) : config_default(&config, err);

	if (r == 0)
		r = node_identity_load("", NULL, &node->identity, err);
	return r < 0 ? r : policy_new(&config, &node->identity.node, &node->policy, err);
}

static int scan(struct node *node, struct error *err)
{
	_cleanup_(inventory_freep) struct inventory *inventory = NULL;
	struct inventory_policy policy = policy_inventory(node->policy);
	const struct driver *const *drivers;
	size_t n;
	int r;

	drivers = policy_drivers(node->policy, &n);
	/* A node without NVML is one as well. */
	(void)drivers_ask(drivers, n, &node->host, FIRST_ANSWER_MS, NULL);
	r = inventory_new(&node->host, drivers, n, &policy, &inventory, err);
	if (r == 0)
		r = inventory_rescan(inventory, 0, err);
	if (r < 0)
		return r;
	node->snapshot = inventory_snapshot(inventory);
	return policy_offer(node->policy, node->snapshot, &node->offer, err);
}

static void read_dmi(const struct node *node, const char *path, char *text)
{
	if (file_read_text(node->host.root_fd, path, text, DMI_MAX, NULL) < 0)
		text[0] = '\0';
}

static int print(const struct node *node, struct strbuf *out, struct error *err)
{
	const struct labels_input input = {
		.snapshot = node->snapshot,
		.offer = &node->offer,
		.config = &policy_config(node->policy)->labels,
		.machine = node->machine,
		.machine_vendor = node->machine_vendor,
	};
	_cleanup_label_set_ struct label_set labels = { .kind = LABEL_SET_LABELS };
	_cleanup_label_set_ struct label_set annotations = { .kind = LABEL_SET_ANNOTATIONS };
	int r = labels_make(&input, &labels, &annotations, err);

	if (r < 0)
		return r;
	labels_print(&labels, &annotations, out);
	return strbuf_error(out);
}

int main(int argc, char **argv)
{
	_cleanup_(node_done) struct node node = { .host = { .root_fd = -1 } };
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUTPUT_MAX);
	struct error err = { 0 };
	int r;

	if (nvml_child_is_asked(argc, argv))
		return nvml_child_main(argv);
	if (argc < 2 || argc > 3)
		return fputs("print-labels HOST_ROOT [CONFIG]\n", stderr) < 0 ? 1 : 2;
	r = make_policy(&node, argv[2], &err);
	if (r == 0)
		r = host_open(&node.host, argv[1], &err);
	if (r == 0)
		r = scan(&node, &err);
	if (r == 0) {
		read_dmi(&node, "sys/class/dmi/id/product_name", node.machine);
		read_dmi(&node, "sys/class/dmi/id/sys_vendor", node.machine_vendor);
		r = print(&node, &out, &err);
	}
	if (r < 0) {
		(void)fprintf(stderr, "print-labels: %s\n", error_text(&err, r));
		return 1;
	}
	return output_write(&out, stdout, NULL) < 0;
}
