// SPDX-License-Identifier: Apache-2.0

// Package cli asks silicactl about nodes whose kubelet is the stand-in, and whose
// device plugin lists what the test wants it to.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"silica/tests/kubelet/internal/program"
	"silica/tests/kubelet/internal/simnode"
	"silica/tests/kubelet/standin"
)

const npu = "furiosa.ai/npu" // the resource of a node without configuration

// Exit statuses, as the manual page has them.
const (
	done     = 0
	failed   = 1
	findings = 3
)

type fixture struct {
	*testing.T
	node    *simnode.Node
	kubelet *standin.Kubelet
}

// start makes a node with three cards, two of them on one NUMA node.
func start(t *testing.T) *fixture {
	t.Helper()
	node, err := simnode.Make("rngd x3, numa 0/1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(node.Remove)
	kubelet := standin.New(standin.Options{Dir: node.Kubelet, WatchInterval: -1})
	t.Cleanup(kubelet.Stop)
	if err := kubelet.Start(); err != nil {
		t.Fatal(err)
	}
	return &fixture{t, node, kubelet}
}

// id gives the ID of a card.
func (f *fixture) id(card string) string {
	return f.node.Card(card).UUID
}

// run runs silicactl on the node and gives what it prints and its exit status.
func (f *fixture) run(words ...string) (string, int) {
	f.Helper()
	path, err := program.Find("silicactl")
	if err != nil {
		f.Fatal(err)
	}
	words = append(words, "--host-root", f.node.Host, "--kubelet-dir", f.node.Kubelet)
	command := exec.Command(path, words...)
	command.Env = append(os.Environ(), "LC_ALL=C", "TERM=dumb")
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	err = command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		f.Fatal(err)
	}
	return output.String(), command.ProcessState.ExitCode()
}

// status is the part of the JSON that is looked at.
type status struct {
	Kubelet struct {
		List, Allocatable struct {
			State string
			Error *string
		}
	}
	Devices []struct {
		ID        string
		Resources []struct {
			Resource string
			Total    int
			Held     *int
			Free     *int
		}
	}
	Holders []struct {
		Namespace, Pod, Container, Resource, Unit string
		Device                                    *string
		Offered                                   bool
	}
	Findings []struct{ Kind, Severity, Message, Advice string }
}

// status asks for the status with more words, and wants an exit status.
func (f *fixture) status(want int, words ...string) status {
	f.Helper()
	output, exit := f.run(slices.Concat([]string{"status", "-o", "json"}, words)...)
	if exit != want {
		f.Fatalf("exit status %d, not %d: %s", exit, want, output)
	}
	var s status
	if err := json.Unmarshal([]byte(output), &s); err != nil {
		f.Fatalf("%v: %s", err, output)
	}
	return s
}

func (s *status) kinds() []string {
	kinds := []string{}
	for _, finding := range s.Findings {
		kinds = append(kinds, finding.Kind)
	}
	return kinds
}

func (f *fixture) wantKinds(s status, want ...string) {
	f.Helper()
	if !slices.Equal(s.kinds(), want) {
		f.Errorf("findings are %+v, not of the kinds %v", s.Findings, want)
	}
}

func (f *fixture) wantText(text string, parts ...string) {
	f.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			f.Errorf("no '%s' in:\n%s", part, text)
		}
	}
}

func (f *fixture) admit(name, resource string, n int) []string {
	f.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := f.kubelet.AdmitPod(ctx, standin.Pod{UID: name, Namespace: "team", Containers: []standin.Container{
		{Name: "main", Resources: map[string]int{resource: n}}}})
	if err != nil {
		f.Fatal(err)
	}
	return got[0].DeviceIDs
}

func TestStatusShowsWhoHoldsWhat(t *testing.T) {
	f := start(t)
	servePlugin(t, f.kubelet, npu, healthy(f.id("rngd0")), healthy(f.id("rngd1")), healthy(f.id("rngd2")))
	held := append(f.admit("b", npu, 1), f.admit("a", npu, 1)...)
	s := f.status(done, "--check")
	f.wantKinds(s, "free")
	if len(s.Holders) != 2 || s.Holders[0].Pod != "a" || s.Holders[0].Namespace != "team" ||
		s.Holders[0].Container != "main" || s.Holders[0].Unit != held[1] || *s.Holders[1].Device != held[0] ||
		!s.Holders[0].Offered {
		t.Errorf("holders are %+v, not of %v", s.Holders, held)
	}
	for _, device := range s.Devices {
		want := 0
		if slices.Contains(held, device.ID) {
			want = 1
		}
		if len(device.Resources) != 1 || device.Resources[0].Total != 1 || *device.Resources[0].Held != want ||
			*device.Resources[0].Free != 1-want {
			t.Errorf("%+v, held are %v", device, held)
		}
	}
	text, _ := f.run("status")
	f.wantText(text, "[#] 1/1", "[.] 0/1", "team       a    main", "info (free): 1 of 3 devices of "+npu+" is free now")
}

func TestStatusComparesWithTheKubelet(t *testing.T) {
	f := start(t)
	if err := f.node.Sim("fail", "rngd1"); err != nil {
		t.Fatal(err)
	}
	servePlugin(t, f.kubelet, npu, unhealthy(f.id("rngd0")), healthy(f.id("rngd1")), healthy(f.id("rngd2")),
		healthy("nobody"))
	s := f.status(findings, "--check")
	f.wantKinds(s, "unhealthy", "missing", "surplus", "stale", "free")
	f.wantText(s.Findings[1].Message, f.id("rngd0"))
	f.wantText(s.Findings[2].Message, "nobody")
	f.wantText(s.Findings[3].Message, f.id("rngd1"))
}

func TestStatusMissesThePlugin(t *testing.T) {
	f := start(t)
	f.wantKinds(f.status(findings, "--check"), "not-listed", "free")
	f.wantKinds(f.status(done), "not-listed", "free")
}

func TestStatusTellsWhatIsHeldBadly(t *testing.T) {
	f := start(t)
	servePlugin(t, f.kubelet, npu, healthy(f.id("rngd0")), healthy(f.id("rngd1")), healthy(f.id("rngd2")))
	f.admit("a", npu, 3)
	if err := f.node.Sim("fail", "rngd2"); err != nil {
		t.Fatal(err)
	}
	if err := f.node.Sim("unplug", "rngd1"); err != nil {
		t.Fatal(err)
	}
	s := f.status(findings, "--check")
	f.wantKinds(s, "held-unhealthy", "held-unoffered", "unhealthy", "surplus", "stale")
	f.wantText(s.Findings[0].Message, "team/a (main)", f.id("rngd2"))
	f.wantText(s.Findings[1].Message, "team/a (main)", f.id("rngd1"))
}

// Another plugin gives out the same card as a whole: both think that it is theirs.
func TestStatusTellsOverlaps(t *testing.T) {
	f := start(t)
	config := filepath.Join(f.node.Dir, "config.yaml")
	if err := os.WriteFile(config, []byte(`version: v1
resources:
- name: furiosa.ai/half
  devices: {vendor: furiosa}
  unit: partition
  cores: 4
`), 0o600); err != nil {
		t.Fatal(err)
	}
	servePlugin(t, f.kubelet, npu, healthy(f.id("rngd0")))
	servePlugin(t, f.kubelet, "furiosa.ai/half", healthy(f.id("rngd0")+"_cores_0-3"), healthy(f.id("rngd0")+"_cores_4-7"))
	f.admit("a", npu, 1)
	f.admit("b", "furiosa.ai/half", 1)
	s := f.status(findings, "--check", "--config", config)
	f.wantKinds(s, "held-overlap", "held-elsewhere", "missing", "stale", "free")
	f.wantText(s.Findings[0].Message, "team/a (main)", "team/b (main)")
	text, _ := f.run("explain", "device", f.id("rngd0"), "--config", config)
	f.wantText(text, "team/b (main)", "team/a (main) holds "+f.id("rngd0")+" of "+npu+", which is not offered.")
}

func TestStatusSurvivesTheKubelet(t *testing.T) {
	for _, test := range []struct {
		name   string
		faults standin.Faults
		state  string
	}{
		{"hangs", standin.Faults{PodResourcesHang: true}, "silent"},
		{"refuses", standin.Faults{PodResourcesCode: codes.PermissionDenied}, "refused"},
		{"is old", standin.Faults{PodResourcesCode: codes.Unimplemented}, "unsupported"},
		{"fails", standin.Faults{PodResourcesCode: codes.Internal}, "failed"},
		{"is down", standin.Faults{PodResourcesAbsent: true}, "absent"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := start(t)
			f.kubelet.SetFaults(test.faults)
			if err := f.kubelet.Restart(); err != nil {
				t.Fatal(err)
			}
			s := f.status(done, "--timeout", "3s")
			f.wantKinds(s, "no-podresources")
			if s.Kubelet.List.State != test.state || s.Kubelet.List.Error == nil {
				t.Errorf("the kubelet is %+v, not '%s'", s.Kubelet, test.state)
			}
			if len(s.Devices) != 3 || s.Devices[0].Resources[0].Held != nil {
				t.Errorf("devices are %+v", s.Devices)
			}
			f.status(findings, "--timeout", "3s", "--check")
		})
	}
}

// Cards that are held and idle are found, the busy one and the one that nobody holds are not.
func TestStatusFindsIdleDevices(t *testing.T) {
	f := start(t)
	servePlugin(t, f.kubelet, npu, healthy(f.id("rngd0")), healthy(f.id("rngd1")), healthy(f.id("rngd2")))
	held := f.admit("a", npu, 2)
	busy, idle := held[0], held[1]
	for _, card := range f.node.Cards() {
		if f.id(card) == busy {
			if err := f.node.Sim("set", card, "pe_occupancy", `1\n1\n1\n1\n0\n0\n0\n0\n`); err != nil {
				t.Fatal(err)
			}
		}
	}
	watch := []string{"--check", "--window", "100ms", "--grace", "50ms", "--idle-below"}
	s := f.status(findings, append(watch, "50")...)
	f.wantKinds(s, "held-idle", "free")
	f.wantText(s.Findings[0].Message, idle, "used 0.0 % on average over 0.1 s, below 50 %; held by team/a (main)")
	s = f.status(findings, append(watch, "51")...)
	f.wantKinds(s, "held-idle", "held-idle", "free")
	s = f.status(done, append(watch, "0")...)
	f.wantKinds(s, "free")
}

func TestExplainAllocateLeavesWhatIsHeld(t *testing.T) {
	f := start(t)
	servePlugin(t, f.kubelet, npu, healthy(f.id("rngd0")), healthy(f.id("rngd1")), healthy(f.id("rngd2")))
	held := f.admit("a", npu, 1)[0]
	text, exit := f.run("explain", "allocate", npu+"=2")
	if exit != done || strings.Contains(text, held) {
		t.Errorf("exit status %d: %s", exit, text)
	}
	f.wantText(text, "2 of "+npu+"; 2 of 3 are free and healthy, 1 held.")
	text, exit = f.run("explain", "allocate", npu+"=3")
	if exit != failed {
		t.Errorf("exit status %d: %s", exit, text)
	}
	f.wantText(text, "cannot be met")
	text, exit = f.run("explain", "allocate", npu+"=1", "--must", held)
	if exit != failed {
		t.Errorf("exit status %d: %s", exit, text)
	}
	f.wantText(text, "'"+held+"' is no free and healthy device")
	text, exit = f.run("explain", "allocate", npu+"=3", "--free", "all", "--must", held)
	if exit != done {
		t.Errorf("exit status %d: %s", exit, text)
	}
	f.wantText(text, "must be included")
	text, _ = f.run("explain", "device", held)
	f.wantText(text, "team/a (main)")
}
