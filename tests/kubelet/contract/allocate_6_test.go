// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"

	"silica/tests/kubelet/standin"
)

// The device files of cards, %d being the index.
// Source: Furiosa SDK documentation v2026.3.0, cloud_native_toolkit/container,
// for RNGD; furiosa-ai/libfuriosa-kubernetes pkg/cdi_spec for Warboy
var (
	rngdShared = strings.Fields(`npu%dmgmt npu%dbar0 npu%dbar2 npu%dbar4 npu%ddmar
		npu%dch0 npu%dch1 npu%dch2 npu%dch3 npu%dch4 npu%dch5 npu%dch6 npu%dch7
		npu%dch0r npu%dch1r npu%dch2r npu%dch3r npu%dch4r npu%dch5r npu%dch6r npu%dch7r`)
	rngdCores = strings.Fields(`npu%dpe0 npu%dpe1 npu%dpe2 npu%dpe3 npu%dpe4 npu%dpe5 npu%dpe6 npu%dpe7
		npu%dpe0-1 npu%dpe2-3 npu%dpe4-5 npu%dpe6-7 npu%dpe0-3 npu%dpe4-7`)
	warboyFiles = strings.Fields(`npu%d npu%d_mgmt npu%dpe0 npu%dpe1 npu%dpe0-1
		npu%dch0 npu%dch1 npu%dch2 npu%dch3`)
)

func files(dir string, index int, names ...string) []string {
	var paths []string
	for _, name := range names {
		paths = append(paths, dir+fmt.Sprintf(name, index))
	}
	slices.Sort(paths)
	return paths
}

var managementFile = regexp.MustCompile(`^/dev/(?:rngd/)?npu(\d+)_?mgmt$`)

// index finds the index of the card that an answer is about.
func (f *fixture) index(response *pluginapi.ContainerAllocateResponse) int {
	f.Helper()
	for _, path := range hostPaths(response) {
		if match := managementFile.FindStringSubmatch(path); match != nil {
			var index int
			if _, err := fmt.Sscan(match[1], &index); err != nil {
				f.Fatal(err)
			}
			return index
		}
	}
	f.Fatalf("no management file in %v", hostPaths(response))
	return 0
}

func TestContract_6_WholeCardFiles(t *testing.T) {
	f := start(t, setup{cards: "rngd x2, warboy x2, numa 0/1"})
	f.waitNode(npu, 4, 4)
	for _, card := range f.node.Cards() {
		response := f.mustAllocate(npu, f.node.Card(card).UUID)
		index := f.index(response)
		want := files("/dev/rngd/", index, slices.Concat(rngdShared, rngdCores)...)
		if strings.HasPrefix(card, "warboy") {
			want = files("/dev/", index, warboyFiles...)
		}
		if got := hostPaths(response); !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %v\nwant %v", card, got, want)
		}
	}
}

// A container sees the files where the host has them, and the host is not the
// folder that the tests use for it.
func TestContract_6_FilesAreTheHosts(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	response := f.mustAllocate(npu, f.ids(npu)...)
	if len(response.Devices) == 0 {
		t.Fatal("no device files")
	}
	for _, device := range response.Devices {
		if !strings.HasPrefix(device.HostPath, "/dev/") || device.ContainerPath != device.HostPath {
			t.Errorf("%s as %s", device.HostPath, device.ContainerPath)
		}
		if device.Permissions == "" || strings.Trim(device.Permissions, "rwm") != "" {
			t.Errorf("%s has the permissions %q", device.HostPath, device.Permissions)
		}
	}
	for _, mount := range response.Mounts {
		if strings.HasPrefix(mount.HostPath, f.node.Dir) {
			t.Errorf("mount of %s", mount.HostPath)
		}
	}
}

func TestContract_6_SeveralCards(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	var want []string
	for _, id := range f.ids(npu) {
		want = append(want, hostPaths(f.mustAllocate(npu, id))...)
	}
	if got := hostPaths(f.mustAllocate(npu, f.ids(npu)...)); !slices.Equal(got, sorted(want)) {
		t.Errorf("got %v\nwant %v", got, sorted(want))
	}
}

// A kubelet sorts nothing, and calls again for init containers.
func TestContract_6_AnyOrderAndAgain(t *testing.T) {
	f := start(t, setup{cards: "rngd x3, numa 0/1"})
	f.waitNode(npu, 3, 3)
	ids := f.ids(npu)
	first := f.mustAllocate(npu, ids...)
	slices.Reverse(ids)
	if got := f.mustAllocate(npu, ids...); !slices.Equal(hostPaths(got), hostPaths(first)) {
		t.Errorf("reversed: got %v\nwant %v", hostPaths(got), hostPaths(first))
	}
	for range 200 {
		if got := f.mustAllocate(npu, ids...); !slices.Equal(hostPaths(got), hostPaths(first)) {
			t.Fatalf("again: got %v\nwant %v", hostPaths(got), hostPaths(first))
		}
	}
}

func TestContract_6_RepeatedID(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	id := f.ids(npu)[0]
	once := f.mustAllocate(npu, id)
	if twice := f.mustAllocate(npu, id, id); !proto.Equal(once, twice) {
		t.Errorf("once %v\ntwice %v", once, twice)
	}
}

func TestContract_6_SeveralContainers(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	ids := f.ids(npu)
	request := &pluginapi.AllocateRequest{}
	var want []*pluginapi.ContainerAllocateResponse
	for _, some := range [][]string{ids[:1], ids[1:], ids, ids[:1]} {
		request.ContainerRequests = append(request.ContainerRequests,
			&pluginapi.ContainerAllocateRequest{DevicesIds: some})
		want = append(want, f.mustAllocate(npu, some...))
	}
	response, err := f.api(npu).Allocate(f.call(), request)
	if err != nil || !slices.EqualFunc(response.ContainerResponses, want,
		func(a, b *pluginapi.ContainerAllocateResponse) bool { return proto.Equal(a, b) }) {
		t.Errorf("got %v, %v", response, err)
	}
}

func TestContract_6_UnknownID(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	good := f.ids(npu)[0]
	bad := []string{"no-such-device", "", good + "_cores_0-1", strings.ToLower(good) + "x", "../" + good,
		strings.Repeat("x", 10000), "%s%n", good + "\n"}
	for _, id := range bad {
		for _, ids := range [][]string{{id}, {good, id}} {
			_, err := f.allocate(npu, ids...)
			if code := status.Code(err); code != codes.InvalidArgument && code != codes.NotFound {
				t.Errorf("%.40q: got %v", ids, err)
			}
		}
	}
	if _, err := f.allocate(npu, bad[0]); !strings.Contains(err.Error(), bad[0]) {
		t.Errorf("which device is unknown? %v", err)
	}
	f.mustAllocate(npu, good)
}

func TestContract_6_UnhealthyID(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	sick, well := f.node.Card("rngd0").UUID, f.node.Card("rngd1").UUID
	f.sim("fail", "rngd0")
	f.waitHealth(sick, pluginapi.Unhealthy)
	_, err := f.allocate(npu, well, sick)
	if err == nil || !strings.Contains(err.Error(), sick) {
		t.Errorf("got %v", err)
	}
	f.mustAllocate(npu, well)
	f.sim("recover", "rngd0")
	f.waitHealth(sick, pluginapi.Healthy)
	f.mustAllocate(npu, sick)
}

// An init container leaves its devices to the sidecar; the main container's are
// other ones.  Each gets an answer of its own.
func TestContract_6_InitContainers(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	one := map[string]int{npu: 1}
	got, err := f.kubelet.AdmitPod(f.call(), standin.Pod{UID: "p", Containers: []standin.Container{
		{Name: "init", Kind: standin.InitContainer, Resources: one},
		{Name: "sidecar", Kind: standin.SidecarContainer, Resources: one},
		{Name: "main", Resources: one},
	}})
	if err != nil {
		t.Fatal(err)
	}
	init, sidecar, main := hostPaths(got[0].Response), hostPaths(got[1].Response), hostPaths(got[2].Response)
	if !slices.Equal(init, sidecar) || slices.Equal(main, sidecar) || len(main) != len(init) {
		t.Errorf("init %v\nsidecar %v\nmain %v", init, sidecar, main)
	}
}

// There is no Deallocate: what a pod had can be given to the next one at once.
func TestContract_6_NoDeallocate(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	for i := range 20 {
		uid := fmt.Sprint(i)
		if _, err := f.kubelet.AdmitPod(f.call(), pod(uid, npu, 2)); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := f.kubelet.StartContainer(f.call(), uid, "main"); err != nil {
				t.Fatal(err)
			}
		}
		f.kubelet.RemovePod(uid)
	}
}

func TestContract_6_PreStartRepeated(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	for range 5 {
		_, err := f.api(npu).PreStartContainer(f.call(),
			&pluginapi.PreStartContainerRequest{DevicesIds: f.ids(npu)})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestContract_6_ConcurrentCalls(t *testing.T) {
	f := start(t, setup{})
	f.waitNode(npu, 2, 2)
	want := f.mustAllocate(npu, f.ids(npu)[0])
	request := &pluginapi.AllocateRequest{
		ContainerRequests: []*pluginapi.ContainerAllocateRequest{{DevicesIds: f.ids(npu)[:1]}}}
	errs := make(chan error)
	const callers, calls = 8, 50
	for range callers {
		api, ctx := pluginapi.NewDevicePluginClient(f.dial(f.socket())), f.call()
		go func() {
			var err error
			for range calls {
				response, callErr := api.Allocate(ctx, request)
				if callErr != nil {
					err = callErr
				} else if !proto.Equal(response.ContainerResponses[0], want) {
					err = fmt.Errorf("got %v", response)
				}
			}
			errs <- err
		}()
	}
	for range callers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
