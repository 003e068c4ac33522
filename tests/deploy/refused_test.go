// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"strings"
	"testing"
)

// Values that the schema or a template refuses, and what the message names.
func TestDeploy_refused(t *testing.T) {
	for values, named := range map[string][]string{
		`devicePlugins: {}`:                                    {"devicePlugins"},
		`devicePlugin: {enable: true}`:                         {"/devicePlugin", "enable"},
		`devicePlugin: {enabled: "yes"}`:                       {"/devicePlugin/enabled"},
		`devicePlugin: {registration: new}`:                    {"/devicePlugin/registration", "watcher"},
		`devicePlugin: {extraHostPaths: [/etc/../root]}`:       {"/devicePlugin/extraHostPaths"},
		`devicePlugin: {resources: none}`:                      {"/devicePlugin/resources"},
		`kubelet: {rootDir: kubelet}`:                          {"/kubelet/rootDir"},
		`kubelet: {rootDir: /var//kubelet}`:                    {"/kubelet/rootDir"},
		`kubelet: {rootDir: /}`:                                {"/kubelet/rootDir"},
		`image: {digest: "sha256:0"}`:                          {"/image/digest"},
		`image: {pullPolicy: Sometimes}`:                       {"/image/pullPolicy"},
		`log: {level: trace}`:                                  {"/log/level"},
		`tolerations: {operator: Exists}`:                      {"/tolerations"},
		`nodeSelector: {"a b": c}`:                             {"propertyName 'a b'"},
		`nodeLabeller: {output: stdout}`:                       {"/nodeLabeller/output"},
		`nodeLabeller: {interval: often}`:                      {"/nodeLabeller/interval"},
		`nodeLabeller: {interval: 0s}`:                         {"/nodeLabeller/interval"},
		`nodeLabeller: {interval: 25h}`:                        {"/nodeLabeller/interval"},
		`nodeLabeller: {interval: 86401s}`:                     {"/nodeLabeller/interval"},
		`cleanup: {tolerations: {operator: Exists}}`:           {"/cleanup/tolerations"},
		`networkPolicy: {apiServerPorts: [0]}`:                 {"/networkPolicy/apiServerPorts"},
		`admissionPolicy: {enabled: true}`:                     {"/admissionPolicy/enabled"},
		`cleanup: {deadlineSeconds: 1}`:                        {"/cleanup/deadlineSeconds"},
		`config: {resourses: []}`:                              {"/config", "resourses"},
		`config: {version: v2}`:                                {"/config/version"},
		`config: {partitioning: none}`:                         {"/config", "partitioning"},
		`config: {resources: []}`:                              {"/config/resources"},
		`config: {resources: [{devices: {vendor: nvidia}}]}`:   {"/config/resources/0", "name"},
		`config: {resources: [{name: a.io/b, unit: half}]}`:    {"/config/resources/0/unit"},
		`config: {resources: [{name: a.io/b, shares: 4}]}`:     {"/config/resources/0/shares"},
		`config: {resources: [{name: a.io/b, unit: share}]}`:   {"/config/resources/0", "shares"},
		`config: {resources: [{name: a.io/b, cores: 2}]}`:      {"/config/resources/0/cores"},
		`config: {resources: [{name: a.io/b, allocate: gpu}]}`: {"/config/resources/0/allocate"},
		`config: {health: {interval: 5}}`:                      {"/config/health/interval"},
		`config: {health: {interval: 5 s}}`:                    {"/config/health/interval"},
		`config: {health: {unhealthyAfter: 0}}`:                {"/config/health/unhealthyAfter"},
		`config: {node: {condition: 1}}`:                       {"/config/node/condition"},
		`config: {drivers: {declare: [{vendor: x}]}}`:          {"/config/drivers/declare/0", "name"},
		`config: {drivers: {declare: [{name: x, memory: 3X}]}}`: {
			"/config/drivers/declare/0/memory"},
		`pools: [{name: a, config: {}}]`:                                         {"/pools/0", "nodeSelector"},
		`pools: [{name: a, nodeSelector: {b: c, d: e}, config: {}}]`:             {"/pools/0/nodeSelector"},
		`pools: [{name: A, nodeSelector: {b: c}, config: {}}]`:                   {"/pools/0/name"},
		`pools: [{name: a, nodeSelector: {b: c}, config: {health: {every: 1}}}]`: {"/pools/0/config/health", "every"},
		`pools: [{name: default, nodeSelector: {b: c}, config: {}}]`:             {"pools[].name"},
		`pools: [{name: a, nodeSelector: {b: c}, config: {}}, {name: a, nodeSelector: {b: d}, config: {}}]`: {
			"pools[].name", "one name"},
		`reservoir: {enabled: true}`:                                      {"nothing would ever fill the store"},
		`reservoir: {mode: mirror}`:                                       {"/reservoir/mode"},
		`reservoir: {config: {repositories: [{name: a}]}}`:                {"/reservoir/config/repositories/0", "ecosystem"},
		`reservoir: {config: {serve: {liste: a}}}`:                        {"/reservoir/config/serve", "liste"},
		`reservoir: {config: {sync: {perHost: 65}}}`:                      {"/reservoir/config/sync/perHost"},
		`reservoir: {storage: {size: 100}}`:                               {"/reservoir/storage/size"},
		`reservoir: {storage: {accessModes: ReadWriteMany}}`:              {"/reservoir/storage/accessModes"},
		`image: {pullSecrets: a}`:                                         {"/image/pullSecrets"},
		`devicePlugin: {extraHostPaths: /opt/a}`:                          {"/devicePlugin/extraHostPaths"},
		`networkPolicy: {apiServerPorts: 443}`:                            {"/networkPolicy/apiServerPorts"},
		`reservoir: {storage: {accessModes: [ReadWriteOncePod]}}`:         {"/reservoir/storage/accessModes/0"},
		`reservoir: {server: {replicas: 0}}`:                              {"/reservoir/server/replicas"},
		`reservoir: {server: {podDisruptionBudget: {maxUnavailable: 0}}}`: {"/reservoir/server/podDisruptionBudget/maxUnavailable"},
		`reservoir: {service: {port: 65536}}`:                             {"/reservoir/service/port"},
		`reservoir: {networkPolicy: {upstreamPorts: [0]}}`:                {"/reservoir/networkPolicy/upstreamPorts/0"},
		`reservoir: {networkPolicy: {upstreamPorts: []}}`:                 {"/reservoir/networkPolicy/upstreamPorts"},
		`reservoir: {networkPolicy: {clientsFrom: {podSelector: {}}}}`:    {"/reservoir/networkPolicy/clientsFrom"},
		`reservoir: {sync: {schedule: every night}}`:                      {"/reservoir/sync/schedule"},
		`reservoir: {sync: {schedule: "17 3 * *"}}`:                       {"/reservoir/sync/schedule"},
		`reservoir: {secrets: {keys: Hub_Keys}}`:                          {"/reservoir/secrets/keys"},
		`reservoir: {enabled: true, storage: {dropClaim: d}, server: {autoscaling: {minReplicas: 9}}}`: {
			"reservoir.server.autoscaling.minReplicas"},
		`reservoir: {enabled: true, sync: {schedule: "@daily"}}`:                        {"reservoir.sync.schedule"},
		`reservoir: {enabled: true, storage: {dropClaim: d}, ingress: {enabled: true}}`: {"reservoir.ingress.host"},
		`reservoir: {enabled: true, secrets: {config: a}, config: {keep: {for: 1h}}}`:   {"only one of the two"},
		`metrics: {podMonitor: {enabled: true}}`:                                        {"networkPolicy.metricsFrom"},
		`config: {resources: [{name: a.io/b, nodes: {labels: {c: d}}}]}`:                {"config.resources[0].nodes.labels", "pools"},
		`config: {exclude: [{bdf: "*", nodes: {labels: {c: d}}}]}`:                      {"config.exclude[0].nodes.labels", "pools"},
		`simulation: {enabled: true}`:                                                   {"simulation.image"},
	} {
		_, err := template(t, values)
		if err == nil {
			t.Errorf("%s is accepted", values)
			continue
		}
		for _, name := range named {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%s: the message has no '%s': %v", values, name, err)
			}
		}
	}
}
