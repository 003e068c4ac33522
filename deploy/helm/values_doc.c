/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silica-values-doc: writes values.yaml, values.schema.json or README.md of the Helm
 * chart on standard output.
 */
#include <stdio.h>
#include <string.h>

#include "api/config/schema_json.h"
#include "base/macro.h"
#include "base/output.h"
#include "deploy/helm/values_keys.h"

#define COLUMNS 90 /* of a comment in values.yaml */
#define INDENT 2

static const char values_intro[] =
	"# Written by silica-values-doc; do not edit.\n"
	"# Every value is checked against values.schema.json, which is strict.\n";

static const char readme_intro[] =
	"<!-- Written by silica-values-doc; do not edit. -->\n"
	"# Silica, the Helm chart\n\n"
	"Installs the device plugin and the node labeller on every node, or on those that\n"
	"`nodeSelector` and `affinity` choose.\n\n"
	"    kubectl create namespace silica\n"
	"    kubectl label namespace silica pod-security.kubernetes.io/enforce=privileged\n"
	"    helm install silica deploy/helm/silica --namespace silica --set image.repository=...\n"
	"    helm test silica --namespace silica --logs\n\n"
	"The pods mount directories of the host, which of the Pod Security Standards only\n"
	"`privileged` admits. No container is privileged, though.\n\n"
	"## What runs as what\n\n"
	"| | user | capabilities | host, read-only | host, writable | API server |\n"
	"|---|---|---|---|---|---|\n"
	"| device plugin | 0, as the kubelet's directories are root's | none | parts of `/sys`, "
	"`/dev`, `/proc/driver`, PodResources | the kubelet's device plugin directory; its plugin "
	"registry with `registration: watcher` or `both`; the CDI directory when a resource is "
	"allocated by CDI | no token |\n"
	"| node labeller | 65532 | none | parts of `/sys`, `/dev`, `/proc/driver` | none | "
	"`nodes`: get, watch, patch; `nodes/status`: patch; Events unless `config.node.events` is "
	"false |\n"
	"| node labeller, `output: nfd` | 0, as NFD's directory is root's | none | the same | "
	"NFD's directory | no token |\n"
	"| cleanup, while `helm uninstall` runs | 65532 | none | none | none | `nodes`: get, list, "
	"patch; `nodes/status`: patch |\n\n"
	"Every container has a read-only root, the runtime's default seccomp profile and no way "
	"to\n"
	"gain privileges. The device plugin looks at device files and opens none, so it needs\n"
	"neither the devices nor a capability.\n\n"
	"Where the cluster has ValidatingAdmissionPolicies (Kubernetes 1.30 and newer, whose\n"
	"service account tokens also name the node), a labeller can change only its own node, and\n"
	"there only labels outside of Kubernetes' domains (and Intel's\n"
	"`intel.feature.node.kubernetes.io/gpu`), annotations, Silica's taints and its\n"
	"condition. A cluster that does not put the node into tokens refuses the labeller every\n"
	"write then; `admissionPolicy.enabled=never` lets it work.\n\n"
	"There is no PodDisruptionBudget: `kubectl drain` leaves the pods of DaemonSets alone, "
	"and\n"
	"a budget cannot count them as a share, for a DaemonSet has no scale.\n\n"
	"## Updates and removal\n\n"
	"A change of `config` reaches the running pods without a restart, within the minute that\n"
	"the kubelet takes to update a ConfigMap. A new image is rolled out pod by pod: the new\n"
	"plugin of a node is ready, which means that the kubelet watches its resources, before\n"
	"the old one ends.\n\n"
	"`helm uninstall` removes all, also what labellers wrote on nodes: a Job does that when\n"
	"they have lost the right to write it again. It has four minutes, of helm's own five. On "
	"a\n"
	"cluster of thousands of nodes give both more time, before it is removed:\n\n"
	"    helm upgrade silica deploy/helm/silica --namespace silica --reset-then-reuse-values "
	"\\\n"
	"        --set cleanup.deadlineSeconds=1800\n"
	"    helm uninstall silica --namespace silica --timeout 35m\n\n"
	"What a Job that failed did not reach stays on the nodes; `manifests/cleanup` does the "
	"same\n"
	"without helm. Two more things stay:\n\n"
	"- with `output: nfd` the file `silica` in `nodeLabeller.nfdDir` of each node; Node "
	"Feature\n"
	"  Discovery drops its labels when it expires, ten intervals after it was last written "
	"and\n"
	"  ten minutes at least\n"
	"- the pod of `helm test`, whose log helm reads when the test is over:\n"
	"  `kubectl delete pod --namespace silica silica-test`\n\n"
	"## Looking at a node\n\n"
	"The pods have the command line tool in them, too:\n\n"
	"    kubectl exec --namespace silica POD -- /usr/bin/silicactl status \\\n"
	"        --config=/etc/silica/config.yaml --host-root=/host\n\n"
	"## Metrics\n\n"
	"The pods serve `/metrics`, `/healthz` and `/readyz` on port 9420 of their own address. A\n"
	"probe that ran a program in the container instead would start one every few seconds on\n"
	"every node. The NetworkPolicy keeps everybody but the node itself away until\n"
	"`networkPolicy.metricsFrom` says who may read.\n\n"
	"## Values\n\n";

/* A line of words, broken after the last one that fits. */
static size_t line_length(const char *text, size_t max)
{
	size_t len = strlen(text), at = max;

	if (len <= max)
		return len;
	while (at > 0 && text[at] != ' ')
		at--;
	return at > 0 ? at : max;
}

static void add_comment(struct strbuf *out, int indent, const char *text)
{
	size_t max = COLUMNS - (size_t)indent - 2;

	while (*text) {
		size_t len = line_length(text, max);

		strbuf_printf(out, "%*s# %.*s\n", indent, "", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
}

static void add_range(struct strbuf *out, int indent, const struct schema_key *key)
{
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT(COLUMNS);

	if (key->type != SCHEMA_ENUM)
		return;
	for (size_t i = 0; key->values[i]; i++)
		strbuf_printf(&names, "%s%s", i == 0 ? "One of: " : ", ", key->values[i]);
	add_comment(out, indent, strbuf_str(&names));
}

static void add_values(struct strbuf *out, int indent, const struct schema_key *mapping)
{
	for (size_t i = 0; i < mapping->n_keys; i++) {
		const struct schema_key *key = &mapping->keys[i];

		if (indent == 0)
			strbuf_puts(out, "\n");
		add_comment(out, indent, key->text);
		add_range(out, indent, key);
		strbuf_printf(out, "%*s%s:", indent, "", key->name);
		if (key->type != SCHEMA_MAPPING) {
			strbuf_printf(out, " %s\n", key->default_value);
			continue;
		}
		strbuf_puts(out, "\n");
		add_values(out, indent + INDENT, key);
	}
}

static int put_values(struct strbuf *out, struct error *err _unused_)
{
	strbuf_puts(out, values_intro);
	add_values(out, 0, &values_root);
	return 0;
}

static int put_schema(struct strbuf *out, struct error *err)
{
	return schema_json(&values_root, "Values of the chart silica", out, err);
}

static int put_readme(struct strbuf *out, struct error *err _unused_)
{
	strbuf_puts(out, readme_intro);
	schema_describe(&values_root, out);
	return 0;
}

static const struct {
	const char *name;
	output_fn put;
} pages[] = {
	{ "values", put_values },
	{ "schema", put_schema },
	{ "readme", put_readme },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(pages); i++)
		if (strcmp(pages[i].name, argv[1]) == 0)
			return output_page_main("silica-values-doc", pages[i].put);
	(void)fputs("usage: silica-values-doc values|schema|readme\n", stderr);
	return 2;
}
