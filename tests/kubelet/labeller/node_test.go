// SPDX-License-Identifier: Apache-2.0

package labeller

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestLabeller_StartupTaints(t *testing.T) {
	w := begin(t, "rngd x1", object{"key": "furiosa.ai/not-ready", "effect": "NoSchedule"},
		object{"key": "nvidia.com/not-ready", "effect": "NoSchedule"},
		object{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"})
	w.configure("node: {removeStartupTaints: true}\n")
	w.start("--config", w.config)
	w.wantLabel(countLabel, "1")
	w.never("the taint goes before the resource is there", func() bool { return len(w.taints()) < 3 })
	w.register("furiosa.ai/npu", "1")
	w.wantTaints("nvidia.com/not-ready=:NoSchedule", "node.kubernetes.io/not-ready=:NoSchedule")
}

func TestLabeller_ExclusiveTaints(t *testing.T) {
	w := begin(t, "rngd x1", object{"key": "a.b/mine", "value": "exclusive", "effect": "NoSchedule"})
	w.configure("node: {exclusiveTaints: true}\n")
	w.start("--config", w.config)
	w.wantTaints("a.b/mine=exclusive:NoSchedule", "furiosa.ai/npu=exclusive:NoSchedule")
	w.configure("")
	w.wantTaints("a.b/mine=exclusive:NoSchedule")
	w.eventually("no annotation", func() bool {
		return get(w.server.Node(nodeName), "metadata", "annotations", "silica.dev/exclusive-taints") == nil
	})
}

func TestLabeller_TaintsOfOthersAreNotLost(t *testing.T) {
	w := begin(t, "rngd x1")
	w.configure("node: {exclusiveTaints: true}\n")
	// Somebody adds a taint between our reading and our writing.
	added := false
	w.server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if !added && r.Header.Get("Content-Type") == "application/json-patch+json" {
			added = true
			_ = w.server.UpdateNode(nodeName, "somebody", func(node object) {
				node["spec"] = object{"taints": []any{object{"key": "late.example/t", "effect": "NoExecute"}}}
			})
		}
		return false
	})
	w.start("--config", w.config)
	w.wantTaints("late.example/t=:NoExecute", "furiosa.ai/npu=exclusive:NoSchedule")
}

func TestLabeller_Condition(t *testing.T) {
	w := begin(t, "rngd x2")
	w.configure("node: {condition: true}\n")
	w.start("--config", w.config)
	w.eventually("healthy", func() bool { return w.condition() != nil && w.condition()["status"] == "True" })
	w.sim("fail", "rngd0")
	w.eventually("unhealthy", func() bool { return w.condition()["status"] == "False" })
	if message, _ := w.condition()["message"].(string); !strings.Contains(message, "1 of 2 devices are healthy") ||
		!strings.Contains(message, "device_state") {
		t.Errorf("message %q", message)
	}
	w.sim("recover", "rngd0")
	w.eventually("healthy again", func() bool { return w.condition()["status"] == "True" })
	w.configure("")
	w.eventually("gone", func() bool { return w.condition() == nil })
}

func TestLabeller_Events(t *testing.T) {
	w := begin(t, "rngd x2")
	w.start()
	w.wantLabel(countLabel, "2")
	w.sim("fail", "rngd0")
	w.eventually("an event", func() bool { return len(w.events("DeviceFailed")) == 1 })
	event := w.events("DeviceFailed")[0]
	if event["type"] != "Warning" || get(event, "involvedObject", "name") != nodeName ||
		get(event, "involvedObject", "kind") != "Node" || get(event, "metadata", "namespace") != "default" {
		t.Errorf("event %v", event)
	}
	if message, _ := event["message"].(string); !strings.Contains(message, "device_state") {
		t.Errorf("message %q", message)
	}
	w.sim("recover", "rngd0")
	w.eventually("another event", func() bool { return len(w.events("DeviceRecovered")) == 1 })
}

func TestLabeller_EventsAreCountedNotRepeated(t *testing.T) {
	w := begin(t, "rngd x1")
	w.configure("health: {interval: 100ms, healthyAfter: 1}\n")
	w.start("--config", w.config)
	w.wantLabel(countLabel, "1")
	for range 3 {
		w.sim("fail", "rngd0")
		w.wantLabel("silica.dev/accelerator.healthy", "0")
		w.sim("recover", "rngd0")
		w.wantLabel("silica.dev/accelerator.healthy", "1")
	}
	if n := len(w.events("DeviceFailed")); n != 1 {
		t.Errorf("%d events of one card", n)
	}
}

func TestLabeller_ManyDevicesShareAnEvent(t *testing.T) {
	w := begin(t, "rngd x6")
	for _, card := range []string{"rngd0", "rngd1", "rngd2", "rngd3", "rngd4"} {
		w.sim("fail", card)
	}
	w.start()
	w.eventually("an event", func() bool { return len(w.events("DeviceFailed")) == 1 })
	message, _ := w.events("DeviceFailed")[0]["message"].(string)
	if !strings.HasPrefix(message, "5 devices have failed: ") {
		t.Errorf("message %q", message)
	}
}

func TestLabeller_EventsCanBeSwitchedOff(t *testing.T) {
	w := begin(t, "rngd x1")
	w.configure("node: {events: false}\n")
	w.start("--config", w.config)
	w.wantLabel(countLabel, "1")
	w.sim("fail", "rngd0")
	w.wantLabel("silica.dev/accelerator.healthy", "0")
	w.never("an event", func() bool { return len(w.server.Events()) > 0 })
}

func TestLabeller_ARefusedConfigurationIsAnEvent(t *testing.T) {
	w := begin(t, "rngd x1")
	w.configure("")
	w.start("--config", w.config)
	w.wantLabel(countLabel, "1")
	w.configure("resourses: []\n")
	w.eventually("an event", func() bool { return len(w.events("ConfigurationRefused")) == 1 })
	message, _ := w.events("ConfigurationRefused")[0]["message"].(string)
	if !strings.Contains(message, ":2:1: unknown key 'resourses', did you mean 'resources'?") {
		t.Errorf("message %q", message)
	}
	w.sim("fail", "rngd0")
	w.wantLabel("silica.dev/accelerator.healthy", "0")
	w.configure("labels: {families: [neutral]}\n")
	w.eventually("accepted", func() bool { return len(w.events("ConfigurationAccepted")) == 1 })
	w.wantLabel(countLabel, nil)
}

func TestLabeller_ABadConfigurationAtTheStartIsWaitedOut(t *testing.T) {
	w := begin(t, "rngd x1")
	w.configure("nonsense: 1\n")
	w.start("--config", w.config)
	w.wantLogged("nothing is published until it is put right")
	w.eventually("an event", func() bool { return len(w.events("ConfigurationRefused")) == 1 })
	w.configure("")
	w.wantLabel(countLabel, "1")
}

func TestLabeller_AServerThatIsAway(t *testing.T) {
	w := begin(t, "rngd x2")
	w.server.Away()
	w.start()
	w.wantLogged("cannot read the node")
	w.sim("fail", "rngd0")
	time.Sleep(quiet)
	if err := w.server.Back(); err != nil {
		t.Fatal(err)
	}
	w.wantLabel("silica.dev/accelerator.healthy", "1")
	w.eventually("the event of meanwhile", func() bool { return len(w.events("DeviceFailed")) == 1 })
}

func TestLabeller_AServerThatGoesAndComesBack(t *testing.T) {
	w := begin(t, "rngd x2")
	w.start()
	w.wantLabel("silica.dev/accelerator.healthy", "2")
	w.server.Away()
	w.sim("fail", "rngd0")
	time.Sleep(quiet)
	if err := w.server.Back(); err != nil {
		t.Fatal(err)
	}
	w.wantLabel("silica.dev/accelerator.healthy", "1")
	w.relabel(countLabel, "9")
	w.wantLabel(countLabel, "2")
}

func TestLabeller_ThrottledAndBroken(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusConflict} {
		w := begin(t, "rngd x1")
		w.server.FailNext(2, http.MethodPatch, status, "1")
		w.start()
		w.wantLabel(countLabel, "1")
	}
}

func TestLabeller_AnUnknownNodeIsWaitedFor(t *testing.T) {
	w := begin(t, "rngd x1")
	w.server.DeleteNode(nodeName)
	w.start()
	w.wantLogged("n1")
	w.server.AddNode(object{"metadata": object{"name": nodeName}})
	w.wantLabel(countLabel, "1")
	w.server.DeleteNode(nodeName)
	w.wantLogged("was deleted")
	w.server.AddNode(object{"metadata": object{"name": nodeName}})
	w.wantLabel(countLabel, "1")
}

func TestLabeller_ForbiddenSaysWhatIsMissing(t *testing.T) {
	w := begin(t, "rngd x1")
	w.configure("node: {condition: true}\n")
	w.server.Deny("patch", "nodes/status", true)
	w.server.Deny("create", "events", true)
	w.start("--config", w.config, "--interval", "1s")
	w.wantLabel(countLabel, "1")
	w.wantLogged("cannot write the condition")
	w.wantLogged("nodes/status")
	w.sim("fail", "rngd0")
	w.wantLogged("an event was not accepted")
	w.wantLabel("silica.dev/accelerator.healthy", "0")
	w.server.Deny("patch", "nodes/status", false)
	w.eventually("the condition", func() bool { return w.condition() != nil })
}

func TestLabeller_WithoutTheRightToWatch(t *testing.T) {
	w := begin(t, "rngd x1")
	w.server.Deny("watch", "nodes", true)
	w.start("--interval", "1s")
	w.wantLabel(countLabel, "1")
	w.wantLogged("the node is read every 1 s instead")
	w.relabel(countLabel, "9")
	w.wantLabel(countLabel, "1")
}

func TestLabeller_WatchesEndAndAreBegunAgain(t *testing.T) {
	w := begin(t, "rngd x1")
	w.start()
	w.eventually("a watch", func() bool { return w.server.Watches() == 1 })
	w.server.EndWatches()
	w.eventually("another watch", func() bool { return w.server.Watches() == 1 })
	w.server.Compact()
	w.server.EndWatches()
	w.eventually("a third watch", func() bool { return w.server.Watches() == 1 })
	w.relabel(countLabel, "9")
	w.wantLabel(countLabel, "1")
}

func TestLabeller_ATokenThatRunsOut(t *testing.T) {
	w := begin(t, "rngd x2")
	w.start()
	w.wantLabel("silica.dev/accelerator.healthy", "2")
	if err := w.server.RotateToken("another", false); err != nil {
		t.Fatal(err)
	}
	w.sim("fail", "rngd0")
	time.Sleep(quiet)
	if err := w.server.RotateToken("another", true); err != nil {
		t.Fatal(err)
	}
	w.wantLabel("silica.dev/accelerator.healthy", "1")
}

func TestLabeller_NoNodeName(t *testing.T) {
	w := begin(t, "rngd x1")
	log := w.once(1, "--node-name", "Not_A_Name", "--once")
	if !strings.Contains(log, "Not_A_Name") {
		t.Errorf("log %s", log)
	}
}
