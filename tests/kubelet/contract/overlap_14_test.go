// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"

	"silica/tests/kubelet/standin"
)

const (
	whole  = "test.example/whole"
	halves = "test.example/half"
)

var (
	wholeCards = resource(whole)
	halfCards  = resource(halves, "unit: partition", "cores: 4", "overlap: true")
	quarters   = resource(shared, "unit: share", "shares: 4", "overlap: true")
)

// overlapping offers each card whole, as two halves and as four shares.
var overlapping = configuration(wholeCards, halfCards, quarters)

// waitOverlapping waits until so many units of each resource are allocatable.
func (f *fixture) waitOverlapping(cards, whole_, halves_, shares int) {
	f.Helper()
	f.waitNode(whole, cards, whole_)
	f.waitNode(halves, 2*cards, halves_)
	f.waitNode(shared, 4*cards, shares)
}

// admit admits a pod that takes one unit, and gives the card that it is of.
func (f *fixture) admit(uid, resource string) (card string) {
	f.Helper()
	got, err := f.kubelet.AdmitPod(f.call(), pod(uid, resource, 1))
	f.must(err)
	id, _, _ := strings.Cut(partOf(got[0].DeviceIDs[0]), "_cores_")
	return id
}

// waitHeldBy waits until the plugin has heard from the kubelet that a pod holds
// something; what a pod held that ends before that is kept from others for longer.
func (f *fixture) waitHeldBy(uid string) {
	f.Helper()
	f.wait("something is hidden because of "+uid, func() bool {
		for _, resource := range []string{whole, halves, shared} {
			for _, device := range f.kubelet.Devices(resource) {
				if device.Health == pluginapi.Healthy {
					continue
				}
				_, err := f.allocate(resource, device.ID)
				if err != nil && strings.Contains(err.Error(), "held by pod default/"+uid+",") {
					return true
				}
			}
		}
		return false
	})
}

func TestContract_14_TakingOneHidesTheRest(t *testing.T) {
	f := start(t, setup{config: overlapping})
	f.waitOverlapping(2, 2, 4, 8)
	for _, c := range []struct {
		resource             string
		whole, halves, share int // that can be had afterwards, the taken one included
	}{
		{whole, 2, 2, 4},
		{halves, 1, 4, 4},
		{shared, 1, 2, 8},
	} {
		card := f.admit("p", c.resource)
		f.waitOverlapping(2, c.whole, c.halves, c.share)
		for _, resource := range []string{whole, halves, shared} {
			for _, device := range f.kubelet.Devices(resource) {
				hides := resource != c.resource && strings.HasPrefix(device.ID, card)
				if hides != (device.Health == pluginapi.Unhealthy) {
					t.Errorf("%s of %s is taken, %s is %s", c.resource, card, device.ID, device.Health)
				}
			}
		}
		f.waitHeldBy("p")
		f.kubelet.RemovePod("p")
		f.waitOverlapping(2, 2, 4, 8)
	}
	if f.events(standin.StreamEnded) != 0 || f.events(standin.Registered) != 3 {
		t.Error("streams have ended")
	}
}

// What each of the other units can be taken for is up to those who hold the rest.
func TestContract_14_UntilTheLastIsReleased(t *testing.T) {
	f := start(t, setup{cards: "rngd x1, numa 0", config: overlapping})
	f.waitOverlapping(1, 1, 2, 4)
	f.admit("a", halves)
	f.admit("b", halves)
	f.waitOverlapping(1, 0, 2, 0)
	f.waitHeldBy("a")
	f.kubelet.RemovePod("a")
	f.waitHeldBy("b")
	f.stays("the other half is held", func() bool {
		return f.kubelet.Node()[whole].Allocatable == 0 && f.kubelet.Node()[shared].Allocatable == 0
	})
	f.kubelet.RemovePod("b")
	f.waitOverlapping(1, 1, 2, 4)
}

// name gives the name that silica-sim has for a card.
func (f *fixture) name(uuid string) string {
	f.Helper()
	names := f.named([]string{uuid})
	if len(names) != 1 {
		f.Fatalf("%s is %v", uuid, names)
	}
	return names[0]
}

// tryAll calls Allocate for different units at once and gives the errors.
func (f *fixture) tryAll(units map[string]string) map[string]error {
	f.Helper()
	apis := make(map[string]pluginapi.DevicePluginClient)
	for resource := range units {
		apis[resource] = f.api(resource)
	}
	ctx := f.call()
	var mu sync.Mutex
	var calls sync.WaitGroup
	errs := make(map[string]error)
	begin := make(chan struct{})
	for resource, id := range units {
		calls.Go(func() {
			<-begin
			_, err := apis[resource].Allocate(ctx, &pluginapi.AllocateRequest{
				ContainerRequests: []*pluginapi.ContainerAllocateRequest{{DevicesIds: []string{id}}}})
			mu.Lock()
			defer mu.Unlock()
			errs[resource] = err
		})
	}
	close(begin)
	calls.Wait()
	return errs
}

func TestContract_14_ConcurrentAllocate(t *testing.T) {
	f := start(t, setup{cards: "rngd x8, numa 0/1", config: overlapping})
	f.waitOverlapping(8, 8, 16, 32)
	for _, card := range f.node.Cards() {
		uuid := f.node.Card(card).UUID
		errs := f.tryAll(map[string]string{whole: uuid, halves: uuid + "_cores_4-7", shared: uuid + "::2"})
		given := 0
		for resource, err := range errs {
			if err == nil {
				given++
			} else if !containsAll(err.Error(), "overlaps", "held by") {
				t.Errorf("%s: got %v", resource, err)
			}
		}
		if given != 1 {
			t.Errorf("%s was given to %d: %v", card, given, errs)
		}
	}
}

func TestContract_14_RefusalNamesTheHolder(t *testing.T) {
	f := start(t, setup{cards: "rngd x1, numa 0", config: overlapping})
	f.waitOverlapping(1, 1, 2, 4)
	_, err := f.kubelet.AdmitPod(f.call(), standin.Pod{UID: "1", Namespace: "team", Name: "train",
		Containers: []standin.Container{{Name: "worker", Resources: map[string]int{whole: 1}}}})
	f.must(err)
	for _, resource := range []string{halves, shared} {
		f.wait("the holder's name", func() bool {
			_, err := f.allocate(resource, f.ids(resource)[0])
			return err != nil && containsAll(err.Error(), f.ids(resource)[0], "overlaps", f.ids(whole)[0], whole,
				"pod team/train, container worker")
		})
	}
	f.mustAllocate(whole, f.ids(whole)[0]) // its own: a container that starts again
}

// neverHealthy fails if a device was listed as Healthy after the first n events.
func (f *fixture) neverHealthy(n int, ids ...string) {
	f.Helper()
	for _, event := range f.kubelet.Events()[n:] {
		for _, id := range ids {
			if event.Kind == standin.HealthChanged && event.Device == id && event.Text == pluginapi.Healthy {
				f.Errorf("%s was offered while another unit of the card is held", id)
			}
		}
	}
}

var podResourcesFaults = map[string]standin.Faults{
	"rate limit":  {PodResourcesCode: codes.ResourceExhausted},
	"not enabled": {PodResourcesCode: codes.Unimplemented},
	"fails":       {PodResourcesCode: codes.Internal},
	"hangs":       {PodResourcesHang: true},
	"absent":      {PodResourcesAbsent: true},
}

func TestContract_14_PodResourcesFaulty(t *testing.T) {
	for name, faults := range podResourcesFaults {
		t.Run(name, func(t *testing.T) {
			f := start(t, setup{config: overlapping})
			f.waitOverlapping(2, 2, 4, 8)
			f.kubelet.SetFaults(faults)
			if faults.PodResourcesAbsent {
				f.restartKubelet()
				f.wait("registrations", func() bool { return f.events(standin.Registered) == 6 })
				f.waitOverlapping(2, 2, 4, 8)
			}
			card := f.admit("p", halves)
			f.waitOverlapping(2, 1, 4, 4)
			f.waitLogged(0, "warning", "does not tell who holds which device")
			// Nobody says that q has ended, so what it held is not offered.
			other := f.admit("q", whole)
			f.waitOverlapping(2, 1, 2, 0)
			seen := len(f.kubelet.Events())
			f.kubelet.RemovePod("q")
			f.stays("what was held", func() bool { return f.kubelet.Node()[shared].Allocatable == 0 })
			f.neverHealthy(seen, card, other+"_cores_0-3", other+"_cores_4-7")
			if _, err := f.allocate(shared, card+"::0"); err == nil {
				t.Error("a share of a card that is held was given")
			}
			f.mustAllocate(whole, other)
			f.sim("fail", f.name(card))
			f.waitNode(halves, 4, 0)
			f.sim("recover", f.name(card))
			f.waitNode(halves, 4, 2)

			f.kubelet.SetFaults(standin.Faults{})
			if faults.PodResourcesAbsent {
				seen = len(f.kubelet.Events())
				f.restartKubelet()
				f.wait("registrations", func() bool { return f.registered(seen) == 3 })
			}
			f.waitHeldBy("p")
			f.kubelet.RemovePod("p")
			f.waitDevice(whole, card, pluginapi.Healthy)
			if n := f.logged("warning", "does not tell who holds"); n > 3 {
				t.Errorf("%d lines of the log for one fault", n)
			}
		})
	}
}

// As long as nobody has ever said who holds what, units that overlap others are not
// offered, and all else is.
func TestContract_14_PodResourcesNeverTold(t *testing.T) {
	for name, faults := range podResourcesFaults {
		t.Run(name, func(t *testing.T) {
			f := start(t, setup{cards: "rngd x2, warboy x1, numa 0/1", prepare: func(f *fixture) {
				f.kubelet.SetFaults(faults)
				const rngd = "devices: {product: rngd}"
				f.setup.config = configuration(resource(warboy, f.of("warboy0")), resource(whole, rngd),
					resource(halves, rngd, "unit: partition", "cores: 4", "overlap: true"),
					resource(shared, rngd, "unit: share", "shares: 4", "overlap: true"))
			}})
			f.waitNode(warboy, 1, 1)
			f.waitOverlapping(2, 0, 0, 0)
			f.admit("p", warboy)
			_, err := f.allocate(whole, f.ids(whole)[0])
			if err == nil {
				t.Error("a card was given that may be held")
			}
			f.waitLogged(0, "warning", "does not tell who holds which device")
			f.kubelet.SetFaults(standin.Faults{})
			if faults.PodResourcesAbsent {
				f.restartKubelet()
			}
			f.waitOverlapping(2, 2, 4, 8)
			f.waitNode(warboy, 1, 1)
		})
	}
}

func TestContract_14_RestartsWithHolders(t *testing.T) {
	for name, restart := range map[string]func(f *fixture){
		"kubelet": (*fixture).restartKubelet,
		"plugin":  func(f *fixture) { f.plugin.Kill(); f.startPlugin() },
		"both":    func(f *fixture) { f.kubelet.Stop(); f.plugin.Kill(); f.startKubelet(); f.startPlugin() },
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, setup{config: overlapping})
			f.waitOverlapping(2, 2, 4, 8)
			card := f.admit("p", halves)
			f.waitOverlapping(2, 1, 4, 4)
			for range 3 {
				seen := len(f.kubelet.Events())
				restart(f)
				f.wait("registrations", func() bool { return f.registered(seen) == 3 })
				f.waitOverlapping(2, 1, 4, 4)
				f.neverHealthy(seen, card, card+"::0", card+"::1", card+"::2", card+"::3")
			}
			f.waitHeldBy("p")
			f.kubelet.RemovePod("p")
			f.waitOverlapping(2, 2, 4, 8)
		})
	}
}

// registered counts the registrations after the first n events.
func (f *fixture) registered(n int) int {
	count := 0
	for _, event := range f.kubelet.Events()[n:] {
		if event.Kind == standin.Registered {
			count++
		}
	}
	return count
}

// What is held since an earlier configuration hides what overlaps in the new one,
// also where no resource of either overlaps another.
func TestContract_14_EarlierConfiguration(t *testing.T) {
	half := resource(halves, "unit: partition", "cores: 4")
	for name, c := range map[string]struct {
		faults standin.Faults
		change func(f *fixture)
	}{
		"reload": {change: func(f *fixture) { f.renameConfig(configuration(half)) }},
		"reload, PodResources fails": {standin.Faults{PodResourcesCode: codes.ResourceExhausted},
			func(f *fixture) { f.renameConfig(configuration(half)) }},
		"restart": {change: func(f *fixture) {
			f.plugin.Kill()
			f.setup.config = configuration(half)
			f.startPlugin()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, setup{config: configuration(wholeCards),
				prepare: func(f *fixture) { f.kubelet.SetFaults(c.faults) }})
			f.waitNode(whole, 2, 2)
			card := f.admit("p", whole)
			c.change(f)
			f.waitNode(halves, 4, 2)
			f.neverHealthy(0, card+"_cores_0-3", card+"_cores_4-7")
			if _, err := f.allocate(halves, card+"_cores_0-3"); err == nil {
				t.Error("half of a card that is held was given")
			}
			if f.admit("q", halves) == card {
				t.Error("half of a card that is held was given to a pod")
			}
			f.kubelet.SetFaults(standin.Faults{})
			f.waitHeldBy("p")
			f.kubelet.RemovePod("p")
			f.waitNode(halves, 4, 4)
		})
	}
}

// A device is hidden for what is taken of it, and nothing is said of its health.
func TestContract_14_SickAndHidden(t *testing.T) {
	f := start(t, setup{config: overlapping})
	f.waitOverlapping(2, 2, 4, 8)
	card := f.admit("p", shared)
	f.waitOverlapping(2, 1, 2, 8)
	name := f.name(card)
	f.sim("fail", name)
	f.waitOverlapping(2, 1, 2, 4)
	seen := len(f.kubelet.Events())
	f.sim("recover", name)
	f.waitOverlapping(2, 1, 2, 8)
	f.neverHealthy(seen, card, fmt.Sprint(card, "_cores_0-3"))
	f.waitHeldBy("p")
	f.kubelet.RemovePod("p")
	f.waitOverlapping(2, 2, 4, 8)
}
