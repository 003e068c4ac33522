// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	pluginapi "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

// client is one connection to a plugin and its ListAndWatch stream.
type client struct {
	resource string
	socket   string
	conn     *grpc.ClientConn
	api      pluginapi.DevicePluginClient
	ctx      context.Context
	cancel   context.CancelFunc
}

// endpoint is what serves a resource: the client that registered last.  One
// that comes from the checkpoint has no client.
type endpoint struct {
	client  *client
	options *pluginapi.DevicePluginOptions
	stopped time.Time // zero while it serves
}

// connect makes a plugin the endpoint of its resource.  ctx bounds the dial and
// GetDevicePluginOptions; the ListAndWatch stream that follows has no deadline.
func (k *Kubelet) connect(ctx context.Context, r *run, registration Registration) error {
	c, err := k.dialPlugin(ctx, r, registration)
	if err != nil {
		return err
	}
	options, err := c.api.GetDevicePluginOptions(ctx, &pluginapi.Empty{})
	if err != nil {
		c.close()
		return fmt.Errorf("failed to get device plugin options: %w", err)
	}
	registration.Options = options
	registration.Time = time.Now()

	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.spawn(r, func() { k.runClient(c) }) {
		c.close()
		return fmt.Errorf("kubelet is stopping")
	}
	k.clients[k.clientKey(c)] = c
	k.endpoints[c.resource] = &endpoint{client: c, options: options}
	if k.devices[c.resource] == nil {
		k.devices[c.resource] = make(map[string]Device)
	}
	k.registrations = append(k.registrations, registration)
	k.note(Event{Kind: Registered, Resource: c.resource, Socket: c.socket})
	return nil
}

func (k *Kubelet) dialPlugin(ctx context.Context, r *run, registration Registration) (*client, error) {
	socket := registration.Socket
	if k.options.Reroute != nil {
		socket = k.options.Reroute(socket)
	}
	conn, err := Dial(ctx, socket, k.options.Authority)
	if err != nil {
		return nil, fmt.Errorf("failed to dial device plugin: %w", err)
	}
	c := &client{
		resource: registration.Resource,
		socket:   registration.Socket,
		conn:     conn,
		api:      pluginapi.NewDevicePluginClient(conn),
	}
	c.ctx, c.cancel = context.WithCancel(r.ctx)
	return c, nil
}

func (c *client) close() {
	c.cancel()
	_ = c.conn.Close() // the second close of a connection says that it is closed
}

// clientKey is where k.clients keeps a client: the whole difference between the
// bookkeeping of 1.37 and that of before.
func (k *Kubelet) clientKey(c *client) string {
	if k.options.ClientsBySocket {
		return c.socket
	}
	return c.resource
}

// runClient watches a plugin until its stream ends, for whatever reason; the
// kubelet does not try again.
func (k *Kubelet) runClient(c *client) {
	defer c.close()
	err := k.watchDevices(c)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.note(Event{Kind: StreamEnded, Resource: c.resource, Socket: c.socket, Text: err.Error()})
	// Looked up anew on purpose: without ClientsBySocket this may be another
	// plugin's client, which is then disconnected in place of c.
	if current := k.clients[k.clientKey(c)]; current != nil {
		k.disconnect(current)
	}
}

func (k *Kubelet) watchDevices(c *client) error {
	stream, err := c.api.ListAndWatch(c.ctx, &pluginapi.Empty{})
	if err != nil {
		return err
	}
	for {
		if k.readingStopped() {
			<-c.ctx.Done()
			return c.ctx.Err()
		}
		response, err := stream.Recv()
		if err != nil {
			return err
		}
		k.updateDevices(c, response.Devices)
	}
}

// disconnect forgets a client and stops the endpoint of its resource; the caller
// holds k.mu.
func (k *Kubelet) disconnect(c *client) {
	delete(k.clients, k.clientKey(c))
	c.close()
	e := k.endpoints[c.resource]
	if e == nil || k.options.ClientsBySocket && e.client != c {
		return
	}
	e.stopped = time.Now()
	k.markUnhealthy(c.resource)
	k.note(Event{Kind: Disconnected, Resource: c.resource, Socket: c.socket})
}

// liveEndpoint finds what serves a resource.
func (k *Kubelet) liveEndpoint(resource string) (*endpoint, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.endpoints[resource]
	if e == nil {
		return nil, fmt.Errorf("unknown Device Plugin %s", resource)
	}
	if !e.stopped.IsZero() || e.client == nil {
		return nil, fmt.Errorf("endpoint of %s has been stopped", resource)
	}
	return e, nil
}

// Plugin gives the connection to the plugin of a resource, for calls that no
// kubelet would make.
func (k *Kubelet) Plugin(resource string) (*grpc.ClientConn, error) {
	e, err := k.liveEndpoint(resource)
	if err != nil {
		return nil, err
	}
	return e.client.conn, nil
}
