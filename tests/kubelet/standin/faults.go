// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// Faults make the kubelet misbehave.  The zero value is good behaviour.
type Faults struct {
	// RegisterDelay is how long Register takes before it looks at anything.
	RegisterDelay time.Duration
	// RegisterRefusals is how many times Register still fails.
	RegisterRefusals int
	// StopReading leaves ListAndWatch streams open and unread, so that flow
	// control stops the plugin; it holds for streams that open after it was set.
	StopReading bool
	// PodResourcesAbsent leaves out the PodResources socket from the next Start on.
	PodResourcesAbsent bool
	// PodResourcesHang keeps calls of PodResources until the caller gives up.
	PodResourcesHang bool
	// PodResourcesCode is what calls of PodResources fail with, unless it is OK.
	PodResourcesCode codes.Code
}

// SetFaults replaces the faults in force.
func (k *Kubelet) SetFaults(faults Faults) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.faults = faults
}

func (k *Kubelet) registerFault(ctx context.Context) error {
	k.mu.Lock()
	faults := k.faults
	if k.faults.RegisterRefusals > 0 {
		k.faults.RegisterRefusals--
	}
	k.mu.Unlock()

	select {
	case <-time.After(faults.RegisterDelay):
	case <-ctx.Done():
		return ctx.Err()
	}
	if faults.RegisterRefusals > 0 {
		return fmt.Errorf("registration refused, %d refusals to go", faults.RegisterRefusals-1)
	}
	return nil
}

func (k *Kubelet) readingStopped() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.faults.StopReading
}

// CutStream ends the ListAndWatch stream of a resource from the kubelet's side,
// and leaves kubelet.sock as it is.
func (k *Kubelet) CutStream(resource string) error {
	e, err := k.liveEndpoint(resource)
	if err != nil {
		return err
	}
	e.client.cancel()
	return nil
}

// rawCodec passes bytes through, so that a message may be anything.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error) {
	bytes, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("raw codec cannot take a %T", v)
	}
	return *bytes, nil
}

func (rawCodec) Unmarshal(data []byte, v any) error {
	bytes, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("raw codec cannot fill a %T", v)
	}
	*bytes = append([]byte(nil), data...)
	return nil
}

// Name is that of the protobuf codec, for the content-type that plugins expect.
func (rawCodec) Name() string { return "proto" }

// CallRaw calls any method, given as "/package.Service/Method", with any bytes.
func CallRaw(ctx context.Context, conn *grpc.ClientConn, method string, request []byte) ([]byte, error) {
	var response []byte
	err := conn.Invoke(ctx, method, &request, &response, grpc.ForceCodec(rawCodec{}))
	return response, err
}
