// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"strings"
	"testing"
)

const good = `# HELP a_total Things.
# TYPE a_total counter
a_total{x="1"} 1
a_total{x="2"} 1
# HELP a_seconds How long.
# TYPE a_seconds histogram
a_seconds_bucket{le="0.1"} 1
a_seconds_bucket{le="+Inf"} 2
a_seconds_sum 3
a_seconds_count 2
# HELP b_info Facts.
# TYPE b_info gauge
b_info{version="1"} 1
`

func TestLintTakesWhatIsRight(t *testing.T) {
	if err := Lint([]byte(good)); err != nil {
		t.Error(err)
	}
}

func TestLintTellsWhatIsWrong(t *testing.T) {
	cases := map[string]struct{ old, new, want string }{
		"no text format":     {`a_total{x="1"} 1`, `a_total{x="1} 1`, "text format parsing error"},
		"duplicate series":   {`x="2"`, `x="1"`, "was collected before"},
		"counter's name":     {"a_total", "a", `should have "_total" suffix`},
		"gauge's name":       {"b_info", "b_total", `should not have "_total" suffix`},
		"unit":               {"a_seconds", "a_milliseconds", "use base unit"},
		"no help":            {"# HELP b_info Facts.\n", "", "no HELP"},
		"no type":            {"# TYPE b_info gauge\n", "", "no HELP or no TYPE"},
		"label name":         {`{version=`, `{camelCase=`, "snake_case"},
		"reserved label":     {`{version=`, `{le=`, `should not have "le" label`},
		"falling buckets":    {`le="0.1"} 1`, `le="0.1"} 3`, "not cumulative"},
		"no +Inf":            {"a_seconds_bucket{le=\"+Inf\"} 2\n", "", "+Inf"},
		"another count":      {"a_seconds_count 2", "a_seconds_count 3", "count of 3"},
		"family in two part": {"b_info{version=\"1\"} 1\n", "b_info{version=\"1\"} 1\n# HELP a_total Again.\n", "second HELP"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatalf("%q is not in the text", c.old)
			}
			err := Lint([]byte(strings.ReplaceAll(good, c.old, c.new)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
