// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"

	"silica/tests/kubelet/standin"
)

// Five resources of a card each; one of them is shared and changes.
var (
	still  = []string{"test.example/a", "test.example/b", "test.example/d", "test.example/e"}
	shared = "test.example/shared"
)

const fiveCards = "rngd x5, numa 0/1"

// five writes the configuration of the resources, the shared one in the middle.
func (f *fixture) five(shares int) string {
	share := resource(shared, f.of("rngd2"), "unit: share", fmt.Sprintf("shares: %d", shares))
	return configuration(resource(still[0], f.of("rngd0")), resource(still[1], f.of("rngd1")), share,
		resource(still[2], f.of("rngd3")), resource(still[3], f.of("rngd4")))
}

// waitFive waits until all resources are there.
func (f *fixture) waitFive(shares int) {
	f.Helper()
	f.waitNode(shared, shares, shares)
	for _, resource := range still {
		f.waitNode(resource, 1, 1)
	}
}

// startFive starts a node with the five resources.
func startFive(t *testing.T, s setup) *fixture {
	t.Helper()
	s.cards = fiveCards
	s.prepare = func(f *fixture) { f.setup.config = f.five(4) }
	f := start(t, s)
	f.waitFive(4)
	return f
}

// inForce is in the line that says that a configuration was taken over.
const inForce = "is in force"

func TestContract_12_OnlyWhatChanges(t *testing.T) {
	for name, way := range map[string]struct {
		file  string
		write func(f *fixture, text string)
	}{
		"written over": {"", func(f *fixture, text string) { f.writeConfig(text) }},
		"renamed over": {"", (*fixture).renameConfig},
		"ConfigMap":    {configMap, (*fixture).swapConfigMap},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, setup{cards: fiveCards, configFile: way.file,
				prepare: func(f *fixture) {
					f.setup.configFile = way.file
					way.write(f, f.five(4))
					if way.file == "" {
						f.setup.config = f.five(4)
					}
				}})
			f.waitFive(4)
			for _, shares := range []int{8, 4, 16} {
				others, lists := f.heard(still...), f.count(standin.Listed, shared)
				way.write(f, f.five(shares))
				f.waitNode(shared, shares, shares)
				if n := f.count(standin.Listed, shared); n != lists+1 {
					t.Errorf("%d lists for one change", n-lists)
				}
				f.same("what is heard of the other resources", others, func() int { return f.heard(still...) })
			}
			f.stays("streams and registrations", func() bool {
				return f.events(standin.Registered) == 5 && f.events(standin.StreamEnded) == 0
			})
		})
	}
}

// same fails if a number is another one, now or within the quiet time.
func (f *fixture) same(what string, want int, number func() int) {
	f.Helper()
	f.stays(what, func() bool { return number() == want })
}

// The same text written again is no change, and neither are comments.
func TestContract_12_SameConfigurationAgain(t *testing.T) {
	f := startFive(t, setup{})
	all := f.heard(append(still, shared)...)
	f.renameConfig(f.five(4))
	f.renameConfig(f.five(4) + "# a comment\n")
	f.waitLogged(0, inForce)
	f.plugin.Signal(syscall.SIGHUP)
	f.same("what is heard", all, func() int { return f.heard(append(still, shared)...) })
}

func TestContract_12_ResourceRemoved(t *testing.T) {
	f := startFive(t, setup{})
	others := f.heard(still...)
	socket := f.kubelet.Registrations()[slices.IndexFunc(f.kubelet.Registrations(),
		func(r standin.Registration) bool { return r.Resource == shared })].Socket
	f.renameConfig(configuration(resource(still[0], f.of("rngd0")), resource(still[1], f.of("rngd1")),
		resource(still[2], f.of("rngd3")), resource(still[3], f.of("rngd4"))))
	f.wait("the end of the stream", func() bool { return f.count(standin.StreamEnded, shared) == 1 })
	f.emptyListCameFirst(shared)
	f.wait("the end of the socket", func() bool {
		_, err := os.Lstat(socket)
		return os.IsNotExist(err)
	})
	f.waitNode(shared, 0, 0)
	f.same("what is heard of the other resources", others, func() int { return f.heard(still...) })

	f.restartKubelet()
	for _, resource := range still {
		f.waitNode(resource, 1, 1)
	}
	f.stays("it is gone", func() bool { return f.count(standin.Registered, shared) == 1 && len(f.sockets()) == 4 })
}

// emptyListCameFirst fails unless the last list before the end of the stream has
// nothing in it: else the devices would count as failed ones for minutes.
func (f *fixture) emptyListCameFirst(resource string) {
	f.Helper()
	last := standin.Event{Devices: -1}
	for _, event := range f.kubelet.Events() {
		if event.Resource == resource && event.Kind == standin.Listed {
			last = event
		}
		if event.Resource == resource && event.Kind == standin.StreamEnded {
			break
		}
	}
	if last.Devices != 0 {
		f.Errorf("the last list has %d devices", last.Devices)
	}
}

func TestContract_12_ResourceAdded(t *testing.T) {
	f := start(t, setup{cards: fiveCards, prepare: func(f *fixture) {
		f.setup.config = configuration(resource(still[0], f.of("rngd0")))
	}})
	f.waitNode(still[0], 1, 1)
	before := f.heard(still[0])
	f.renameConfig(f.five(4))
	f.waitFive(4)
	f.same("what is heard of the first", before, func() int { return f.heard(still[0]) })
	for _, resource := range append(still, shared) {
		if n := f.count(standin.Registered, resource); n != 1 {
			t.Errorf("%s: %d registrations", resource, n)
		}
	}
}

// A resource that goes and comes back, at once or after a while, is offered.
func TestContract_12_ResourceComesBack(t *testing.T) {
	f := startFive(t, setup{})
	without := configuration(resource(still[0], f.of("rngd0")))
	for range 3 {
		f.renameConfig(without)
		f.waitNode(shared, 0, 0)
		f.renameConfig(f.five(4))
		f.waitFive(4)
	}
	f.renameConfig(without)
	f.wait("one socket", func() bool { return len(f.sockets()) == 1 })
	f.renameConfig(f.five(4))
	f.waitFive(4)
	if _, err := f.kubelet.AdmitPod(f.call(), pod("p", shared, 2)); err != nil {
		t.Error(err)
	}
	f.stays("five resources", func() bool { return len(f.sockets()) == 5 })
}

// nested is a value that is deeper than anything that a person writes.
var nested = strings.Repeat("[", 100000)

// bomb is a text of a few lines that aliases would make gigabytes of.
func bomb() string {
	text := "version: v1\nresources: &a [x, x, x, x, x, x, x, x, x]\n"
	for level := 'b'; level <= 'i'; level++ {
		below := "*" + string(level-1)
		text += fmt.Sprintf("%c: &%c [%s]\n", level, level, strings.Repeat(below+", ", 8)+below)
	}
	return text
}

func garbage() string {
	bytes := make([]byte, 1<<20)
	rand.New(rand.NewSource(1)).Read(bytes)
	return string(bytes)
}

var badFiles = []struct {
	name string
	text string
	want string // in the line of the log, a pattern behind the file's path
}{
	{"garbage", garbage(), `:\d+:\d+: `},
	{"not YAML", "version: v1\nresources: [\n", `:\d+:\d+: `},
	{"empty", "", `:1:1: `},
	{"unknown key", header + "resourses: []\n", `:4:1: .*'resourses'.*'resources'`},
	{"unknown key inside", header + "resources:\n- name: a.b/c\n  devises: {}\n", `:6:3: .*'devises'.*'devices'`},
	{"deep nesting", header + "resources: " + nested, `:\d+:\d+: `},
	{"deep nesting of known keys", header + "resources:\n" + strings.Repeat("- resources: ", 5000), `:\d+:\d+: `},
	{"alias bomb", bomb(), `:2:12: .*anchor`},
	{"unknown vendor", header + "resources:\n- name: a.b/c\n  devices: {vendor: furiossa}\n",
		`:6:21: a\.b/c: .*'furiossa', did you mean 'furiosa'`},
	{"same name twice", header + "resources:\n- name: a.b/c\n- name: a.b/c\n", `:6:\d: .*a\.b/c`},
	{"two documents", header + "---\nversion: v1\n", `:\d+:\d+: `},
	{"too long", header + strings.Repeat("#", 1<<20), `' is longer than 1048576 bytes`},
}

func TestContract_12_BadFile(t *testing.T) {
	f := startFive(t, setup{metrics: onSocket})
	f.waitMetric(1, "config_last_reload_successful")
	all := f.heard(append(still, shared)...)
	good := 0
	for i, bad := range badFiles {
		f.renameConfig(bad.text)
		f.waitMetric(0, "config_last_reload_successful")
		f.waitMetric(float64(i+1), "config_reloads_total", "result=refused")
		pattern := regexp.MustCompile(regexp.QuoteMeta(f.configPath()) + `(` + bad.want + `)`)
		last := lastLine(f.plugin.Log(), "stays in force")
		if !pattern.MatchString(last) {
			t.Errorf("%s: want %s in %.300q", bad.name, pattern, last)
		}
		if strings.ContainsFunc(last, func(r rune) bool { return r < ' ' && r != '\n' }) || len(last) > 2048 {
			t.Errorf("%s: this goes into the log: %.300q", bad.name, last)
		}
		f.mustAllocate(shared, f.ids(shared)[i%4])
		f.renameConfig(f.five(4) + strings.Repeat("#\n", i))
		f.waitMetric(1, "config_last_reload_successful")
		good++
	}
	f.waitMetric(float64(good+1), "config_reloads_total", "result=accepted")
	f.same("what is heard", all, func() int { return f.heard(append(still, shared)...) })
	f.renameConfig(f.five(8))
	f.waitFive(8)
}

func lastLine(text, part string) string {
	last := ""
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			last = line
		}
	}
	return last
}

func TestContract_12_DeviceExcluded(t *testing.T) {
	f := start(t, setup{cards: "rngd x3, numa 0/1", config: configuration(resource(npu))})
	f.waitNode(npu, 3, 3)
	out := f.node.Card("rngd1").UUID
	exclude := header + "exclude:\n- uuid: " + out + "\nresources:\n" + resource(npu)
	f.renameConfig(exclude)
	f.waitNode(npu, 2, 2)
	if slices.Contains(f.ids(npu), out) {
		t.Errorf("%s is in %v", out, f.ids(npu))
	}
	if _, err := f.allocate(npu, out); err == nil {
		t.Error("it was allocated")
	}
	f.renameConfig(configuration(resource(npu)))
	f.waitNode(npu, 3, 3)
	f.mustAllocate(npu, out)
	if f.registrations(npu) != 1 || f.events(standin.StreamEnded) != 0 {
		t.Errorf("%d registrations", f.registrations(npu))
	}
}

func TestContract_12_FileDeletedAndRestored(t *testing.T) {
	f := startFive(t, setup{metrics: onSocket})
	all := f.heard(append(still, shared)...)
	f.must(os.Remove(f.configPath()))
	f.waitMetric(0, "config_last_reload_successful")
	f.waitLogged(0, f.configPath(), "stays in force")
	f.mustAllocate(shared, f.ids(shared)[0])
	f.writeConfig(f.five(4))
	f.waitMetric(1, "config_last_reload_successful")
	f.same("what is heard", all, func() int { return f.heard(append(still, shared)...) })
	f.must(os.Remove(f.configPath()))
	f.waitMetric(0, "config_last_reload_successful")
	f.writeConfig(f.five(8))
	f.waitFive(8)
}

// The whole folder can go and come back, too.
func TestContract_12_FolderMovedAway(t *testing.T) {
	f := start(t, setup{cards: fiveCards, configFile: configMap, metrics: onSocket,
		prepare: func(f *fixture) { f.swapConfigMap(f.five(4)) }})
	f.waitFive(4)
	folder := filepath.Dir(f.configPath())
	f.must(os.Rename(folder, folder+"-away"))
	f.waitMetric(0, "config_last_reload_successful")
	f.must(os.Rename(folder+"-away", folder))
	f.waitMetric(1, "config_last_reload_successful")
	f.swapConfigMap(f.five(8))
	f.waitFive(8)
}

func TestContract_12_KubeletIsAway(t *testing.T) {
	f := startFive(t, setup{})
	f.kubelet.Stop()
	n := f.logged(inForce)
	f.renameConfig(configuration(resource(still[0], f.of("rngd0")),
		resource(shared, f.of("rngd2"), "unit: share", "shares: 8"), resource(npu, f.of("rngd3"))))
	f.waitLogged(n, inForce)
	f.wait("sockets of what is offered", func() bool { return len(f.sockets()) == 3 })
	seen := len(f.kubelet.Registrations())
	f.startKubelet()
	f.waitNode(still[0], 1, 1)
	f.waitNode(shared, 8, 8)
	f.waitNode(npu, 1, 1)
	f.stays("three registrations", func() bool { return len(f.kubelet.Registrations()) == seen+3 })
}

// What a pod holds it keeps, and what is left of the resource goes on.
func TestContract_12_PodsKeepTheirDevices(t *testing.T) {
	f := startFive(t, setup{})
	before, err := f.kubelet.AdmitPod(f.call(), pod("p", shared, 2))
	f.must(err)
	f.renameConfig(f.five(8))
	f.waitFive(8)
	again, err := f.kubelet.AdmitPod(f.call(), pod("p", shared, 2))
	if err != nil || !slices.Equal(again[0].DeviceIDs, before[0].DeviceIDs) {
		t.Errorf("got %v, %v", again, err)
	}
	if _, err := f.kubelet.AdmitPod(f.call(), pod("q", shared, 6)); err != nil {
		t.Error(err)
	}
	for _, device := range f.kubelet.Devices(shared) {
		if device.Health != pluginapi.Healthy {
			t.Errorf("%s is %s", device.ID, device.Health)
		}
	}
}
