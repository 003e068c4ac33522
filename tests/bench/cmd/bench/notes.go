// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"strings"
)

// facts are what a reader must know about the machine and the run.
func facts(r *report) []string {
	m := r.machine
	lines := []string{
		fmt.Sprintf("Machine: %s, %d CPUs, %.0f GB, Linux %s, %s.", m.cpu, m.cores, m.memoryGB,
			m.kernel, m.system),
		fmt.Sprintf("Versions: %s; client and Go plugin: %s, grpc-go %s, k8s.io/kubelet %s.",
			m.silica, m.golang, m.grpc, m.kubeletAPI),
		fmt.Sprintf("Load average (1, 5, 15 min): %s before, %s after. %s, took %s.", m.loadBefore,
			m.loadAfter, r.began.UTC().Format("2006-01-02 15:04 UTC"), rounded(r.took)),
		"Command: " + command(r.options),
	}
	if isBusy(m) {
		lines = append(lines, fmt.Sprintf("The machine was not quiet: more ran than its %d CPUs can."+
			" CPU times and p99 of both servers are worse for it, ratios and instructions less so.",
			m.cores))
	}
	return lines
}

// isBusy tells whether, before or after, more threads wanted to run than can.
// The run itself keeps one or two at it.
func isBusy(m machine) bool {
	for _, load := range []string{m.loadBefore, m.loadAfter} {
		newest, _, _ := strings.Cut(load, " ")
		if value, err := strconv.ParseFloat(newest, 64); err == nil && value > float64(m.cores) {
			return true
		}
	}
	return false
}

// sectionRules say how the figures of all sections came about.
func sectionRules(r *report) string {
	return fmt.Sprintf("Each figure is the best of %s, starting times their median; beside it the best"+
		" and the worst round, which show what else the machine was doing. `-`: there is no peer.",
		count(roundsOf(r.options.quick), "round"))
}

// rules say how the figures came about.
func rules(r *report) []string {
	lines := []string{
		fmt.Sprintf("Each figure is the best of %s, the servers taking turns; the two starting"+
			" times are the median of all starts.", count(roundsOf(r.options.quick), "round")),
		"Both serve the same simulated RNGDs, cut into partitions of one core; their lists and" +
			" their device files were compared and are equal.",
		"Both look at every device file of the partition in Allocate and at every card's state" +
			" twice a second, and scan every 5 s. While calls and updates are measured, both look" +
			" at the cards once a minute and scan once an hour, so that a scan is not taken for a" +
			" call.",
		"A client is a grpc-go connection of its own with the kubelet's dial options, on the same" +
			" machine and CPUs as the server.",
		"MB = 1,000,000 bytes. Ratio = silica / go.",
		"Registered: from before the fork until the answer to GetDevicePluginOptions is there.",
		"Update: from SIGHUP, which makes both scan the node, until the client has decoded the" +
			" list with the card's new health.",
		"Preferred: GetPreferredAllocation with the IDs of all units available.",
		"CPU: of all threads of the server, by its process clock.",
		"Idle: both side by side with a ListAndWatch stream each; wakeups are the context switches" +
			" of all threads.",
		"Libraries: the files that ldd lists.",
	}
	for i, size := range r.sizes {
		lines = append(lines, sizeRule(size, i == 0))
	}
	return lines
}

func sizeRule(s *sizeReport, first bool) string {
	p := s.plan
	text := fmt.Sprintf("%s units: a list of %s bytes; per round %d + %d Allocate, %d + %d preferred,"+
		" %d updates, %s; idle window %s.", grouped(p.units), grouped(s.answers[silica].listBytes),
		p.callsOne, p.callsEight, p.picks, p.picks, p.flips, count(p.starts+1, "start"),
		rounded(p.idle))
	if first {
		text += fmt.Sprintf(" Allocate answers %d (silica), %d (go) bytes.",
			s.answers[silica].allocateBytes, s.answers[golang].allocateBytes)
	}
	if p.flips < 100 || p.picks < 100 {
		text += " The p99 of fewer than 100 is the worst."
	}
	return text
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// command is how to get the same table again; paths of this machine are left out.
func command(o options) string {
	words := []string{"bench"}
	if o.quick {
		words = append(words, "--quick")
	}
	var sizes []string
	for _, size := range o.sizes {
		sizes = append(sizes, fmt.Sprint(size))
	}
	if len(sizes) == 0 {
		sizes = []string{nothing}
	}
	words = append(words, "--sizes "+strings.Join(sizes, ","))
	if len(o.scenario) == 0 {
		words = append(words, "--scenarios "+nothing)
	} else if len(o.scenario) < len(scenarios) {
		words = append(words, "--scenarios "+scenarioNames(o.scenario))
	}
	if len(o.goFlags) > 0 {
		words = append(words, "--go-flags '"+strings.Join(o.goFlags, " ")+"'")
	}
	return strings.Join(words, " ")
}

// wrap breaks a text between words; further lines are indented.
func wrap(text string, width int) string {
	var out strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+len(word) > width:
			out.WriteString("\n ")
			column = 1
			fallthrough
		default:
			out.WriteByte(' ')
			column++
		}
		out.WriteString(word)
		column += len(word)
	}
	return out.String()
}
