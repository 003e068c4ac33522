// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"net"
	"os"
	"sync"
)

// Direction is one way through a Proxy.
type Direction int

const (
	// ToPlugin is what the dialling side sends.
	ToPlugin Direction = iota
	// FromPlugin is what the listening side answers.
	FromPlugin
	directions
)

// Proxy forwards a unix socket to another one and can stop doing so in one
// direction, while the connection stays open: the far end of a half-open
// connection, which no error tells of.
type Proxy struct {
	target   string
	listener *net.UnixListener
	tasks    sync.WaitGroup

	mu     sync.Mutex
	thawed *sync.Cond
	frozen [directions]bool
	closed bool
	conns  map[net.Conn]bool
}

// NewProxy listens on a path and forwards to another.
func NewProxy(path, target string) (*Proxy, error) {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	p := &Proxy{target: target, listener: listener, conns: make(map[net.Conn]bool)}
	p.thawed = sync.NewCond(&p.mu)
	p.tasks.Add(1)
	go p.accept()
	return p, nil
}

// Freeze stops one direction until Thaw; bytes wait, none is lost.
func (p *Proxy) Freeze(direction Direction) {
	p.setFrozen(direction, true)
}

// Thaw lets one direction flow again.
func (p *Proxy) Thaw(direction Direction) {
	p.setFrozen(direction, false)
}

func (p *Proxy) setFrozen(direction Direction, frozen bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen[direction] = frozen
	p.thawed.Broadcast()
}

// Close ends every connection and removes the socket.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for conn := range p.conns {
		_ = conn.Close()
	}
	p.thawed.Broadcast()
	p.mu.Unlock()
	p.tasks.Wait()
	_ = os.Remove(p.listener.Addr().String())
}

func (p *Proxy) accept() {
	defer p.tasks.Done()
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		far, err := net.Dial("unix", p.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		if !p.hold(near, far) {
			return
		}
		go p.forward(near, far, ToPlugin)
		go p.forward(far, near, FromPlugin)
	}
}

// hold keeps both ends of a connection for Close.
func (p *Proxy) hold(near, far net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = near.Close()
		_ = far.Close()
		return false
	}
	p.conns[near] = true
	p.conns[far] = true
	p.tasks.Add(int(directions))
	return true
}

func (p *Proxy) forward(from, to net.Conn, direction Direction) {
	defer p.tasks.Done()
	defer p.release(from, to)
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil || !p.waitThawed(direction) {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *Proxy) waitThawed(direction Direction) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.frozen[direction] && !p.closed {
		p.thawed.Wait()
	}
	return !p.closed
}

func (p *Proxy) release(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range conns {
		delete(p.conns, conn)
		_ = conn.Close()
	}
}
