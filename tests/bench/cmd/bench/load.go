// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const (
	warmUpCalls = 200 // not counted
	stride      = 61  // a prime: neighbours in time are units of other cards

	flipPause = 10 * time.Millisecond // lets a server finish what follows its update
)

// A load is what a number of calls took.
type load struct {
	latencies []time.Duration // sorted
	elapsed   time.Duration
	cpu       time.Duration // of the server
}

// measureLoad runs fn, which returns its latencies, and takes the server's CPU time.
func measureLoad(s *server, fn func() ([]time.Duration, error)) (load, error) {
	runtime.GC() // not the client's in the middle
	before, err := processCPU(s.pid())
	if err != nil {
		return load{}, err
	}
	start := time.Now()
	latencies, err := fn()
	if err != nil {
		return load{}, fmt.Errorf("%s: %w%s", s.name, err, s.logTail())
	}
	elapsed := time.Since(start)
	after, err := processCPU(s.pid())
	if err != nil {
		return load{}, err
	}
	slices.Sort(latencies)
	return load{latencies: latencies, elapsed: elapsed, cpu: after - before}, nil
}

// allocateLoad shares calls for so many units among clients, each with a
// connection of its own.
func allocateLoad(ctx context.Context, s *server, clients, calls, units int) (load, error) {
	conns := make([]*grpc.ClientConn, clients)
	for i := range conns {
		conn, err := dial(ctx, s.socket)
		if err != nil {
			return load{}, err
		}
		defer conn.Close()
		conns[i] = conn
		if _, err := allocateCalls(ctx, conn, s, i, warmUpCalls/clients, units); err != nil {
			return load{}, err
		}
	}
	return measureLoad(s, func() ([]time.Duration, error) {
		return allocateAll(ctx, conns, s, calls/clients, units)
	})
}

func allocateAll(ctx context.Context, conns []*grpc.ClientConn, s *server, calls, units int) (
	[]time.Duration, error) {
	latencies := make([][]time.Duration, len(conns))
	errs := make([]error, len(conns))
	var group sync.WaitGroup
	for i, conn := range conns {
		group.Go(func() {
			latencies[i], errs[i] = allocateCalls(ctx, conn, s, i*calls, calls, units)
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return slices.Concat(latencies...), nil
}

// allocateCalls asks for some units after the other; those of one call are
// neighbours in the server's list.
func allocateCalls(ctx context.Context, conn *grpc.ClientConn, s *server, first, calls, units int) (
	[]time.Duration, error) {
	latencies := make([]time.Duration, 0, calls)
	for i := range calls {
		at := (first + i) * stride % (len(s.ids) - units + 1)
		start := time.Now()
		answer, err := allocate(ctx, conn, s.ids[at:at+units]...)
		latencies = append(latencies, time.Since(start))
		if err != nil {
			return nil, err
		}
		if len(answer.Devices) < s.nodes || len(answer.Devices) > s.nodes*units {
			return nil, fmt.Errorf("%d device files for %d units from '%s' on, instead of %d"+
				" per card", len(answer.Devices), units, s.ids[at], s.nodes)
		}
	}
	return latencies, nil
}

func allocate(ctx context.Context, conn *grpc.ClientConn, ids ...string) (
	*pluginapi.ContainerAllocateResponse, error) {
	response, err := pluginapi.NewDevicePluginClient(conn).Allocate(ctx,
		&pluginapi.AllocateRequest{ContainerRequests: []*pluginapi.ContainerAllocateRequest{
			{DevicesIds: ids},
		}})
	if err != nil {
		return nil, fmt.Errorf("Allocate: %w", err)
	}
	if len(response.ContainerResponses) != 1 {
		return nil, fmt.Errorf("%d answers for 1 container", len(response.ContainerResponses))
	}
	return response.ContainerResponses[0], nil
}

// preferredLoad asks which of all units a container should get.
func preferredLoad(ctx context.Context, s *server, size, calls int) (load, error) {
	client := pluginapi.NewDevicePluginClient(s.conn)
	request := preferredRequest(s.ids, size)
	return measureLoad(s, func() ([]time.Duration, error) {
		latencies := make([]time.Duration, 0, calls)
		for range calls {
			start := time.Now()
			response, err := client.GetPreferredAllocation(ctx, request)
			latencies = append(latencies, time.Since(start))
			if err != nil {
				return nil, fmt.Errorf("GetPreferredAllocation: %w", err)
			}
			if err := checkPreferred(response, size); err != nil {
				return nil, err
			}
		}
		return latencies, nil
	})
}

func preferredRequest(available []string, size int) *pluginapi.PreferredAllocationRequest {
	return &pluginapi.PreferredAllocationRequest{
		ContainerRequests: []*pluginapi.ContainerPreferredAllocationRequest{
			{AvailableDeviceIDs: available, AllocationSize: int32(size)},
		}}
}

func checkPreferred(response *pluginapi.PreferredAllocationResponse, size int) error {
	if len(response.ContainerResponses) != 1 {
		return fmt.Errorf("%d answers for 1 container", len(response.ContainerResponses))
	}
	ids := slices.Clone(response.ContainerResponses[0].DeviceIDs)
	slices.Sort(ids)
	if len(slices.Compact(ids)) != size {
		return fmt.Errorf("%d preferred units instead of %d: %q", len(ids), size, ids)
	}
	return nil
}

// updateLoad makes cards fail and recover, one after the other, and measures
// from the signal to the list that says so.
func updateLoad(ctx context.Context, s *server, cards []card, flips int) (load, error) {
	return measureLoad(s, func() ([]time.Duration, error) {
		latencies := make([]time.Duration, 0, flips)
		for i := range flips {
			c := &cards[i/2*stride%len(cards)]
			latency, err := flip(ctx, s, c, i%2 == 1)
			if err != nil {
				return nil, err
			}
			latencies = append(latencies, latency)
			time.Sleep(flipPause)
		}
		return latencies, nil
	})
}

func flip(ctx context.Context, s *server, c *card, good bool) (time.Duration, error) {
	if err := c.setGood(good); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := s.process.Process.Signal(syscall.SIGHUP); err != nil {
		return 0, err
	}
	l, err := s.watcher.await(ctx, func(l list) bool { return cardIs(l, c, good) })
	if err != nil {
		return 0, fmt.Errorf("card '%s' good: %v: %w", c.uuid, good, err)
	}
	return l.at.Sub(start), nil
}

// cardIs tells whether all units of a card have the health that follows.
func cardIs(l list, c *card, good bool) bool {
	health := pluginapi.Unhealthy
	if good {
		health = pluginapi.Healthy
	}
	units := 0
	for _, d := range l.devices {
		if len(d.ID) >= len(c.uuid) && d.ID[:len(c.uuid)] == c.uuid && d.Health == health {
			units++
		}
	}
	return units == unitsPerCard
}
