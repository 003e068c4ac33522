// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

// npu is the resource of a plugin without configuration.
const npu = "furiosa.ai/npu"

func playWholeCards(s *scene) error {
	for _, step := range []func(*scene) error{
		registers, allocates, fails, recovers, vanishes, kubeletRestarts, (*scene).stopPlugin,
	} {
		if err := step(s); err != nil {
			return err
		}
	}
	return nil
}

func registers(s *scene) error {
	start := time.Now()
	if err := s.startPlugin(); err != nil {
		return err
	}
	if _, err := s.waitNode(npu, 3, 3); err != nil {
		return err
	}
	s.step("The plugin starts without configuration and registers", time.Since(start))
	s.showCounts(npu)
	s.showDevices(npu)
	for _, name := range s.node.Cards() {
		card := s.node.Card(name)
		device, known := s.kubelet.Device(npu, card.UUID)
		if !known || len(device.NUMANodes) != 1 || device.NUMANodes[0] != card.NUMA {
			return fmt.Errorf("%s is listed as %+v", name, device)
		}
	}
	return nil
}

// allocates takes two of three cards.  Two of them are on one NUMA node.
func allocates(s *scene) error {
	start := time.Now()
	got, err := s.admit("training", npu, 2)
	if err != nil {
		return err
	}
	s.step("A pod asks for "+npu+": 2, and gets two cards of one NUMA node", time.Since(start))
	want := slices.Sorted(slices.Values([]string{s.node.Card("rngd0").UUID, s.node.Card("warboy0").UUID}))
	if ids := slices.Sorted(slices.Values(got.DeviceIDs)); !slices.Equal(ids, want) {
		return fmt.Errorf("got %v, not %v", ids, want)
	}
	for _, id := range got.DeviceIDs {
		s.note("device   %s  %s", id, s.cardName(id))
	}
	s.showAnswer(got.Response)
	s.kubelet.RemovePod("training")
	return checkFiles(got.Response, rngdShared, rngdCores, warboyFiles)
}

// allocateCard calls Allocate for one card, past the kubelet's bookkeeping.
func (s *scene) allocateCard(name string) (*pluginapi.ContainerAllocateResponse, error) {
	conn, err := s.kubelet.Plugin(npu)
	if err != nil {
		return nil, err
	}
	response, err := pluginapi.NewDevicePluginClient(conn).Allocate(s.ctx, &pluginapi.AllocateRequest{
		ContainerRequests: []*pluginapi.ContainerAllocateRequest{{DevicesIds: []string{s.node.Card(name).UUID}}}})
	if err != nil {
		return nil, err
	}
	if len(response.ContainerResponses) != 1 {
		return nil, fmt.Errorf("%d answers", len(response.ContainerResponses))
	}
	return response.ContainerResponses[0], nil
}

func fails(s *scene) error {
	id, logged := s.node.Card("rngd1").UUID, len(s.plugin.Log())
	start := time.Now()
	if err := s.node.Sim("fail", "rngd1"); err != nil {
		return err
	}
	if _, err := s.waitNode(npu, 3, 2); err != nil {
		return err
	}
	s.step("A card fails: rngd1 is Unhealthy, and no pod will get it", time.Since(start))
	s.showCounts(npu)
	if device, _ := s.kubelet.Device(npu, id); device.Health != pluginapi.Unhealthy {
		return fmt.Errorf("rngd1 is listed as %+v", device)
	}
	s.note("the plugin says why:")
	if err := s.quoteLog(logged, id); err != nil {
		return err
	}
	_, err := s.allocateCard("rngd1")
	if err == nil || !strings.Contains(err.Error(), id) {
		return fmt.Errorf("Allocate of the failed card: %v", err)
	}
	s.note("Allocate of that card is refused:")
	s.quote(err.Error())
	return nil
}

func recovers(s *scene) error {
	logged := len(s.plugin.Log())
	start := time.Now()
	if err := s.node.Sim("recover", "rngd1"); err != nil {
		return err
	}
	if _, err := s.waitNode(npu, 3, 3); err != nil {
		return err
	}
	s.step("The card works again: rngd1 is Healthy by itself, after three good probes", time.Since(start))
	s.showCounts(npu)
	return s.quoteLog(logged, s.node.Card("rngd1").UUID)
}

func vanishes(s *scene) error {
	start := time.Now()
	if err := s.node.Sim("unplug", "warboy0"); err != nil {
		return err
	}
	if _, err := s.waitNode(npu, 3, 2); err != nil {
		return err
	}
	s.step("A card falls off the bus: warboy0 stays listed, Unhealthy", time.Since(start))
	s.showDevices(npu)

	start = time.Now()
	if err := s.node.Sim("plug", "warboy0"); err != nil {
		return err
	}
	if _, err := s.waitNode(npu, 3, 3); err != nil {
		return err
	}
	s.step("It is plugged in again", time.Since(start))
	s.showCounts(npu)
	return nil
}

func kubeletRestarts(s *scene) error {
	before, pid := len(s.kubelet.Registrations()), s.plugin.PID()
	start := time.Now()
	if err := s.kubelet.Restart(); err != nil {
		return err
	}
	if _, err := s.waitNode(npu, 3, 3); err != nil {
		return err
	}
	s.step("The kubelet restarts and removes all sockets: the plugin registers again", time.Since(start))
	s.showCounts(npu)
	if after := len(s.kubelet.Registrations()); after != before+1 || !s.plugin.Running() {
		return fmt.Errorf("%d registrations, then %d; plugin runs: %v", before, after, s.plugin.Running())
	}
	s.note("same process as before: %d", pid)
	return nil
}
