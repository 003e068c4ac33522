// SPDX-License-Identifier: Apache-2.0

// Package monitoring holds the alerts and the dashboard to what the programs
// really export: every expression parses, and every metric and label that it names
// is there.
package monitoring

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

const deploy = "../../deploy/monitoring/"

// A node whose cards have readings of every kind between them.
const description = "rngd x1, mi300x x1, numa 0/1"

// What Prometheus and the chart's monitors add to every metric, and the bounds of
// a histogram's buckets.
var targetLabels = []string{"node", "namespace", "pod", "le"}

// families are the labels of each metric.
type families map[string][]string

func (f families) add(t *testing.T, text io.Reader) {
	t.Helper()
	decoder := expfmt.NewTextParser(model.LegacyValidation)
	parsed, err := decoder.TextToMetricFamilies(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, family := range parsed {
		names := []string{name}
		if family.GetType() == dto.MetricType_HISTOGRAM {
			names = []string{name + "_bucket", name + "_sum", name + "_count"}
		}
		for _, name := range names {
			f[name] = labelsOf(family)
		}
	}
}

func labelsOf(family *dto.MetricFamily) []string {
	var labels []string
	for _, metric := range family.GetMetric() {
		for _, pair := range metric.GetLabel() {
			labels = append(labels, pair.GetName())
		}
	}
	return labels
}

func program(name string) string {
	return filepath.Join(os.Getenv("SILICA_BIN_DIR"), name)
}

// scrape starts a program, reads its metrics, and ends it.
func (f families) scrape(t *testing.T, name string, args ...string) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "metrics.sock")
	cmd := exec.Command(program(name), append(args, "--listen-metrics=unix:"+socket)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	f.add(t, strings.NewReader(get(t, socket)))
}

// get waits until a program has counted something, which takes it one turn of its loop.
func get(t *testing.T, socket string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		answer, err := client.Get("http://silica/metrics")
		if err == nil {
			body, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if strings.Contains(string(body), "_total{") {
				return string(body)
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("no metrics at %s", socket)
	return ""
}

// exported is every metric of the programs: as they run, and what the plugin's own
// test of its metrics counts besides.
func exported(t *testing.T) families {
	t.Helper()
	found := families{}
	node, kubelet := filepath.Join(t.TempDir(), "node"), t.TempDir()
	if out, err := exec.Command(program("silica-sim"), "create", "--nodes", "links", node,
		description).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	found.scrape(t, "silica-device-plugin", "--host-root="+node, "--kubelet-dir="+kubelet)
	found.scrape(t, "silica-node-labeller", "--host-root="+node, "--node-name=node",
		"--output=nfd", "--nfd-dir="+kubelet)
	text, err := exec.Command(program("telemetry-exposition")).Output()
	if err != nil {
		t.Fatal(err)
	}
	found.add(t, strings.NewReader(string(text)))
	return found
}

// problems says what an expression names that is not exported.
func (f families) problems(expression string) []string {
	parsed, err := parser.ParseExpr(expression)
	if err != nil {
		return []string{err.Error()}
	}
	var problems, known []string
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		labels, ok := f[selector.Name]
		if !ok {
			problems = append(problems, "no program exports "+selector.Name)
		}
		known = append(known, labels...)
		for _, matcher := range selector.LabelMatchers {
			if matcher.Name != model.MetricNameLabel &&
				!slices.Contains(append(labels, targetLabels...), matcher.Name) {
				problems = append(problems, selector.Name+" has no label "+matcher.Name)
			}
		}
		return nil
	})
	for _, label := range groupings(parsed) {
		if !slices.Contains(append(known, targetLabels...), label) {
			problems = append(problems, "nothing has a label "+label)
		}
	}
	return problems
}

func groupings(expression parser.Expr) []string {
	var labels []string
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.AggregateExpr:
			labels = append(labels, node.Grouping...)
		case *parser.BinaryExpr:
			if node.VectorMatching != nil {
				labels = append(labels, node.VectorMatching.MatchingLabels...)
				labels = append(labels, node.VectorMatching.Include...)
			}
		}
		return nil
	})
	return labels
}

func check(t *testing.T, found families, name, expression string) {
	t.Helper()
	for _, problem := range found.problems(expression) {
		t.Errorf("%s: %s, in %s", name, problem, expression)
	}
}

// alert is a rule as Prometheus reads it.
type alert struct {
	Alert       string
	Expr        string
	For         model.Duration
	Labels      map[string]string
	Annotations map[string]string
}

func readAlerts(t *testing.T) []alert {
	t.Helper()
	text, err := os.ReadFile(deploy + "rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var object struct {
		APIVersion string
		Kind       string
		Metadata   any
		Spec       struct {
			Groups []struct {
				Name  string
				Rules []alert
			}
		}
	}
	if err := yaml.UnmarshalStrict(text, &object); err != nil {
		t.Fatal(err)
	}
	var alerts []alert
	for _, group := range object.Spec.Groups {
		alerts = append(alerts, group.Rules...)
	}
	return alerts
}

func TestRules(t *testing.T) {
	found := exported(t)
	alerts := readAlerts(t)
	if len(alerts) == 0 {
		t.Fatal("no alerts")
	}
	for _, alert := range alerts {
		check(t, found, alert.Alert, alert.Expr)
		if alert.Labels["severity"] == "" || alert.Annotations["summary"] == "" {
			t.Errorf("%s: no severity or no summary", alert.Alert)
		}
	}
}

// TestRunbook: each alert has its place where an operator looks it up.
func TestRunbook(t *testing.T) {
	text, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, alert := range readAlerts(t) {
		if !strings.Contains(string(text), "`"+alert.Alert+"`") {
			t.Errorf("docs/troubleshooting.md does not name %s", alert.Alert)
		}
	}
}

// panel is a panel of Grafana, as far as its queries go.
type panel struct {
	Title   string
	Type    string
	Targets []struct{ Expr string }
}

// TestDashboard: Grafana fills in its variables before Prometheus sees a query.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile(deploy + "dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels     []panel
		Templating struct {
			List []struct{ Query any }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	found := exported(t)
	interval := strings.NewReplacer("$__rate_interval", "5m")
	for _, panel := range dashboard.Panels {
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("%s: no query", panel.Title)
		}
		for _, target := range panel.Targets {
			check(t, found, panel.Title, interval.Replace(target.Expr))
		}
	}
	for _, name := range regexp.MustCompile(`label_values\((\w+)`).FindAllSubmatch(text, -1) {
		check(t, found, "variable", string(name[1]))
	}
}

// TestMetricsOfDocs: a metric that a page names is one.
func TestMetricsOfDocs(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := exported(t)
	metric := regexp.MustCompile("`(silica_(?:device_plugin|node_labeller)_[a-z_]+)")
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range metric.FindAllSubmatch(text, -1) {
			_, plain := found[string(name[1])]
			_, histogram := found[string(name[1])+"_sum"]
			if !plain && !histogram {
				t.Errorf("%s: no program exports %s", page, name[1])
			}
		}
	}
}

// TestMessages: what a page quotes as a message is what a program prints.
func TestMessages(t *testing.T) {
	page, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	source := messages(t)
	quoted := regexp.MustCompile("(?m)^> `(.*)`$").FindAllSubmatch(page, -1)
	if len(quoted) == 0 {
		t.Fatal("docs/troubleshooting.md quotes no message as > `message`")
	}
	for _, quote := range quoted {
		for _, part := range strings.Split(string(quote[1]), "...") {
			if !strings.Contains(source, strings.Trim(part, " ")) {
				t.Errorf("no program prints '%s' of '%s'", part, quote[1])
			}
		}
	}
}

// messages are the texts of all programs, with ... for what is filled in.
func messages(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	for _, folder := range []string{
		"api", "base", "cli", "daemon", "device-plugin", "drivers", "inventory",
		"node-labeller", "policy", "reservoir",
	} {
		err := filepath.WalkDir("../../"+folder, func(path string, _ os.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".c" {
				return err
			}
			source, err := os.ReadFile(path)
			text.Write(source)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	joined := regexp.MustCompile(`"\s+"`).ReplaceAllString(text.String(), "")
	return regexp.MustCompile(`'?%[-.*0-9]*(z|l|ll)?[a-z]'?`).ReplaceAllString(joined, "...")
}

func TestProblemsAreSeen(t *testing.T) {
	found := families{"silica_up": {"device"}}
	for _, expression := range []string{
		"silica_up ==", "silica_down == 0", `silica_up{card="1"}`, "sum by (card) (silica_up)",
	} {
		if len(found.problems(expression)) == 0 {
			t.Errorf("nothing is wrong with %s", expression)
		}
	}
	if problems := found.problems(`sum by (node, device) (silica_up{device="1"})`); len(problems) != 0 {
		t.Error(problems)
	}
}
