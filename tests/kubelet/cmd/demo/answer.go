// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"

	"silica/tests/kubelet/standin"
)

// admit lets a pod with one container in and prints which devices it got.
func (s *scene) admit(uid, resource string, n int) (standin.Allocation, error) {
	pod := standin.Pod{UID: uid, Containers: []standin.Container{
		{Name: "main", Resources: map[string]int{resource: n}}}}
	got, err := s.kubelet.AdmitPod(s.ctx, pod)
	if err != nil {
		return standin.Allocation{}, err
	}
	if len(got) != 1 || len(got[0].DeviceIDs) != n {
		return standin.Allocation{}, fmt.Errorf("pod %s got %+v", uid, got)
	}
	return got[0], nil
}

// showAnswer prints all that a container runtime is told.
func (s *scene) showAnswer(response *pluginapi.ContainerAllocateResponse) {
	for _, name := range slices.Sorted(maps.Keys(response.Envs)) {
		s.list("env     ", []string{name + "=" + response.Envs[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(response.Annotations)) {
		s.list("annot.  ", []string{name + "=" + response.Annotations[name]})
	}
	for _, mount := range response.Mounts {
		s.list("mount   ", []string{mount.HostPath, "on", mount.ContainerPath, access(mount)})
	}
	for _, device := range response.CdiDevices {
		s.list("CDI     ", []string{device.Name})
	}
	if len(response.Envs) == 0 {
		s.note("env      none")
	}
	if len(response.Mounts) == 0 {
		s.note("mounts   none")
	}
	s.showFiles(response.Devices)
}

func access(mount *pluginapi.Mount) string {
	if mount.ReadOnly {
		return "(ro)"
	}
	return "(rw)"
}

var cardFile = regexp.MustCompile(`^(.*/npu\d+)(.*)$`)

// showFiles prints device files below the card that they have in common.
func (s *scene) showFiles(devices []*pluginapi.DeviceSpec) {
	byCard := make(map[string][]string)
	for _, device := range devices {
		card, rest := device.HostPath, ""
		if match := cardFile.FindStringSubmatch(device.HostPath); match != nil {
			card, rest = match[1], match[2]
		}
		byCard[card+"* "+device.Permissions] = append(byCard[card+"* "+device.Permissions], rest)
	}
	for _, card := range slices.Sorted(maps.Keys(byCard)) {
		words := byCard[card]
		slices.SortFunc(words, naturally)
		for i, word := range words {
			if word == "" {
				words[i] = "(itself)"
			}
		}
		s.note("%s, %d files:", card, len(words))
		s.list("  ", words)
	}
}

// naturally orders the files of a kind together.
func naturally(a, b string) int {
	if kind := strings.Compare(strings.TrimRight(a, "0123456789-r"), strings.TrimRight(b, "0123456789-r")); kind != 0 {
		return kind
	}
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// suffixes gives what follows the card in the names of the device files, sorted.
func suffixes(devices []*pluginapi.DeviceSpec) []string {
	var names []string
	for _, device := range devices {
		if match := cardFile.FindStringSubmatch(device.HostPath); match != nil {
			names = append(names, match[2])
		}
	}
	slices.Sort(names)
	return names
}

// What follows the card in the names of its device files.
// Source: Furiosa SDK documentation v2026.3.0, cloud_native_toolkit/container,
// for RNGD; furiosa-ai/libfuriosa-kubernetes pkg/cdi_spec for Warboy
var (
	rngdShared = strings.Fields(`mgmt bar0 bar2 bar4 dmar ch0 ch1 ch2 ch3 ch4 ch5 ch6 ch7
		ch0r ch1r ch2r ch3r ch4r ch5r ch6r ch7r`)
	rngdCores   = strings.Fields("pe0 pe1 pe2 pe3 pe4 pe5 pe6 pe7 pe0-1 pe2-3 pe4-5 pe6-7 pe0-3 pe4-7")
	warboyFiles = append(strings.Fields("_mgmt pe0 pe1 pe0-1 ch0 ch1 ch2 ch3"), "")
)

// checkFiles compares the device files of an answer with the names wanted.
func checkFiles(response *pluginapi.ContainerAllocateResponse, names ...[]string) error {
	want := slices.Sorted(slices.Values(slices.Concat(names...)))
	if got := suffixes(response.Devices); !slices.Equal(got, want) {
		return fmt.Errorf("device files\n%q\nwanted\n%q", got, want)
	}
	return nil
}
