// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	unitsPerCard = 8 // partitions of one core, as the RNGD has cores
	nothing      = "none"
	unitsMax     = 65536 // more do not fit into the 4 MiB that a kubelet takes
)

type options struct {
	quick    bool
	sizes    []int
	scenario []scenario
	markdown string
	silica   string   // path of the plugin to measure, "" to look for it
	goPlugin string   // path of the yardstick, "" to look for it
	goFlags  []string // further flags for it
}

func parseOptions() (options, error) {
	var o options
	sizes := flag.String("sizes", "8,1000,8000,60000", "numbers of units, multiples of 8, or none")
	names := flag.String("scenarios", scenarioNames(scenarios), "what else to measure, or none")
	goFlags := flag.String("go-flags", "", "flags for go-plugin, as in '-check-nodes=false'")
	flag.BoolVar(&o.quick, "quick", false, "one round, fewer calls: a look, not a measurement")
	flag.StringVar(&o.markdown, "markdown", "", "also write the tables to this file")
	flag.StringVar(&o.silica, "silica", "", "plugin to measure, any that takes Silica's flags")
	flag.StringVar(&o.goPlugin, "go-plugin", "", "the Go plugin to measure it against")
	flag.Parse()

	if flag.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument '%s'", flag.Arg(0))
	}
	o.goFlags = strings.Fields(*goFlags)
	var err error
	if o.sizes, err = parseSizes(*sizes); err != nil {
		return o, err
	}
	o.scenario, err = parseScenarios(*names)
	return o, err
}

func scenarioNames(list []scenario) string {
	var names []string
	for _, s := range list {
		names = append(names, s.name)
	}
	return strings.Join(names, ",")
}

func parseScenarios(text string) ([]scenario, error) {
	var list []scenario
	if text == nothing {
		return nil, nil
	}
	for name := range strings.SplitSeq(text, ",") {
		i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no scenario '%s'; there are %s", name, scenarioNames(scenarios))
		}
		if slices.ContainsFunc(list, func(s scenario) bool { return s.name == name }) {
			return nil, fmt.Errorf("scenario '%s' is given twice", name)
		}
		list = append(list, scenarios[i])
	}
	return list, nil
}

func parseSizes(text string) ([]int, error) {
	var sizes []int
	if text == nothing {
		return nil, nil
	}
	for field := range strings.SplitSeq(text, ",") {
		size, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || size <= 0 || size > unitsMax || size%unitsPerCard != 0 {
			return nil, fmt.Errorf("size '%s': not a multiple of %d up to %d", field, unitsPerCard,
				unitsMax)
		}
		if slices.Contains(sizes, size) {
			return nil, fmt.Errorf("size %d is given twice", size)
		}
		sizes = append(sizes, size)
	}
	return sizes, nil
}

// A plan says how much is done for one size, per round unless told otherwise.
type plan struct {
	units      int
	rounds     int
	idle       time.Duration // length of the idle window, once per size
	starts     int           // starts besides the one that takes the load
	callsOne   int           // Allocate calls of 1 client
	callsEight int           // Allocate calls of 8 clients together
	picks      int           // GetPreferredAllocation calls per number of units
	flips      int           // changes of health
}

// roundsOf is how often everything is measured.
func roundsOf(quick bool) int {
	if quick {
		return 1
	}
	return 3
}

// makePlan does less of what takes longer with many units.
func makePlan(units int, quick bool) plan {
	p := plan{
		units: units, rounds: roundsOf(quick), idle: 30 * time.Second, starts: 5,
		callsOne: 5000, callsEight: 20000, picks: 300, flips: 60,
	}
	switch {
	case units > 8000:
		p.starts, p.picks, p.flips = 0, 20, 2
		p.callsOne, p.callsEight = 3000, 10000
	case units > 1000:
		p.starts, p.picks, p.flips = 3, 100, 12
	case units > 100:
		p.flips = 30
	}
	if quick {
		p.idle, p.starts = 10*time.Second, p.starts/2
		p.callsOne, p.callsEight = p.callsOne/4, p.callsEight/4
		p.picks, p.flips = p.picks/2, max(2, p.flips/4*2)
	}
	return p
}
