// SPDX-License-Identifier: Apache-2.0

package client

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"silica/tests/kubelet/apiserver"
)

func TestClient_WrongAuthority(t *testing.T) {
	server := serve(t, apiserver.Options{})
	other := serve(t, apiserver.Options{})
	r := connect(t, kubeconfig(t, server, fmt.Sprintf("server: '%s', certificate-authority: '%s'",
		server.URL(), other.Path("ca.crt")), "tokenFile: token"))
	r.asks("retry", "certificate", "is the certificate authority that of this cluster")
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// Without an authority it is the system's, which does not know this one.
func TestClient_SystemAuthority(t *testing.T) {
	server := serve(t, apiserver.Options{})
	connect(t, kubeconfig(t, server, "server: '"+server.URL()+"'", "tokenFile: token")).
		asks("retry", "certificate")
	connect(t, kubeconfig(t, server, "insecure-skip-tls-verify: true, server: '"+server.URL()+"'",
		"tokenFile: token")).asks("ok")
}

func TestClient_ExpiredCertificate(t *testing.T) {
	server := serve(t, apiserver.Options{NotAfter: time.Now().Add(-time.Hour)})
	connect(t, server.Kubeconfig()).asks("retry", "expired")
}

func TestClient_WrongHost(t *testing.T) {
	server := serve(t, apiserver.Options{Hosts: []string{"kubernetes.default.svc"}})
	connect(t, server.Kubeconfig()).asks("retry", "certificate")
	var host atomic.Value
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		host.Store(r.Host)
		return false
	})
	connect(t, kubeconfig(t, server, fmt.Sprintf(
		"server: '%s', certificate-authority: ca.crt, tls-server-name: kubernetes.default.svc",
		server.URL()), "tokenFile: token")).asks("ok")
	if host.Load() != server.Address() {
		t.Errorf("the Host header is %v", host.Load())
	}
}

func TestClient_OldTLS(t *testing.T) {
	server := serve(t, apiserver.Options{})
	pair, err := tls.LoadX509KeyPair(server.Path("client.crt"), server.Path("client.key"))
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS10,
		MaxVersion: tls.VersionTLS11}
	connect(t, raw(t, server, func(conn net.Conn) {
		_ = tls.Server(conn, config).Handshake()
	})).asks("retry")
}

func TestClient_PlainHTTP(t *testing.T) {
	server := serve(t, apiserver.Options{})
	connect(t, raw(t, server, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
	})).asks("retry")
}

func TestClient_Garbage(t *testing.T) {
	server := serve(t, apiserver.Options{HTTP1: true})
	connect(t, raw(t, server, func(conn net.Conn) {
		_, _ = io.WriteString(conn, strings.Repeat("\x00\xff\x16\x03garbage", 1000))
	})).asks("retry")
	r := connect(t, server.Kubeconfig())
	for _, text := range []string{"garbage", "", "HTTP/1.1 2", "HTTP/1.1 999999 \r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"} {
		server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, text)
				conn.Close()
			}
			return true
		})
		r.asks("retry")
	}
	server.Intercept(nil)
	r.asks("ok")
}

// Nothing is said by the other end, not even in the handshake.
func TestClient_Silence(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, raw(t, server, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }))
	r.send("call\tGET\t/version\t1000\t0\t-\t-")
	r.wants("answer", "retry", "timed out")
}

func TestClient_Reset(t *testing.T) {
	server := serve(t, apiserver.Options{})
	connect(t, raw(t, server, func(conn net.Conn) {
		_ = conn.(*net.TCPConn).SetLinger(0)
	})).asks("retry")
}

func TestClient_TokenRotated(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	r.asks("ok")
	if err := server.RotateToken("token-1", false); err != nil {
		t.Fatal(err)
	}
	r.asks("unauthorized", "401 Unauthorized", "no longer, known to the server")
	if err := server.RotateToken("token-1", true); err != nil {
		t.Fatal(err)
	}
	r.asks("ok")
	for _, content := range []string{"", " \n", "token-1\r\nHost: other", strings.Repeat("x", 2<<20)} {
		if err := os.WriteFile(server.Path("token"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		r.get("/version")
		r.wants("failed", "", "token'")
	}
	if err := os.Remove(server.Path("token")); err != nil {
		t.Fatal(err)
	}
	r.get("/version")
	r.wants("failed", "", "No such file")
	if err := server.RotateToken("token-1", true); err != nil {
		t.Fatal(err)
	}
	r.asks("ok")
}

// The server comes back with certificates of another authority, as after a rebuild.
func TestClient_AuthorityRotated(t *testing.T) {
	server := serve(t, apiserver.Options{})
	r := connect(t, server.Kubeconfig())
	r.asks("ok")
	server.Away()
	other, err := apiserver.New(apiserver.Options{Dir: t.TempDir(), Listen: server.Address()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	other.AddNode(node("n1"))
	r.asks("retry") // over the connection that is no more, or none
	r.asks("retry", "certificate")
	authority, err := os.ReadFile(other.Path("ca.crt"))
	if err == nil {
		err = os.WriteFile(server.Path("ca.crt"), authority, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.asks("ok")
}

func TestClient_ClientCertificate(t *testing.T) {
	server := serve(t, apiserver.Options{ClientCerts: true})
	connect(t, server.Kubeconfig()).asks("ok")
	cluster := fmt.Sprintf("server: '%s', certificate-authority: ca.crt", server.URL())
	connect(t, kubeconfig(t, server, cluster, "tokenFile: token")).asks("retry")
	other := serve(t, apiserver.Options{ClientCerts: true})
	connect(t, kubeconfig(t, server, cluster, fmt.Sprintf("client-certificate: '%s', client-key: '%s'",
		other.Path("client.crt"), other.Path("client.key")))).asks("retry")
	connect(t, kubeconfig(t, server, cluster, fmt.Sprintf("client-certificate: client.crt, client-key: '%s'",
		other.Path("client.key")))).asks("retry", "client certificate")
}

func TestClient_Pod(t *testing.T) {
	server := serve(t, apiserver.Options{})
	host, port, err := net.SplitHostPort(server.Address())
	if err != nil {
		t.Fatal(err)
	}
	dir := "pod:" + strings.TrimSuffix(server.Path(""), "/")
	connect(t, dir, "KUBERNETES_SERVICE_HOST="+host, "KUBERNETES_SERVICE_PORT="+port).asks("ok")
	connect(t, dir, "KUBERNETES_SERVICE_HOST=", "KUBERNETES_SERVICE_PORT=").
		wants("failed", "", "not in a pod")
}

// tunnel is a proxy that counts those it connects, and wants a password.
func tunnel(t *testing.T) (string, *atomic.Int32) {
	t.Helper()
	var n atomic.Int32
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	proxy := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		if r.Method != http.MethodConnect || r.Header.Get("Proxy-Authorization") == "" ||
			r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		server, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer server.Close()
		client, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer client.Close()
		_, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(server, client) }()
		_, _ = io.Copy(client, server)
	})}
	go func() { _ = proxy.Serve(listener) }()
	t.Cleanup(func() { proxy.Close() })
	return listener.Addr().String(), &n
}

func TestClient_Proxy(t *testing.T) {
	server := serve(t, apiserver.Options{})
	address, n := tunnel(t)
	env := "HTTPS_PROXY=http://user:swordfish@" + address
	connect(t, server.Kubeconfig(), env).asks("ok")
	if n.Load() != 0 {
		t.Error("a proxy of the environment was used for this machine")
	}
	cluster := fmt.Sprintf("server: '%s', certificate-authority: ca.crt, ", server.URL())
	connect(t, kubeconfig(t, server, cluster+"proxy-url: 'http://user:swordfish@"+address+"'",
		"tokenFile: token")).asks("ok")
	if n.Load() != 1 {
		t.Errorf("the proxy of the kubeconfig was asked %d times", n.Load())
	}
	connect(t, kubeconfig(t, server, cluster+"proxy-url: 'http://"+address+"'",
		"tokenFile: token")).asks("retry", "407")
	connect(t, kubeconfig(t, server, cluster+"proxy-url: 'http://user:swordfish@[::1'",
		"tokenFile: token")).asks("retry", "proxy")
	elsewhere := fmt.Sprintf("server: '%s', insecure-skip-tls-verify: true",
		strings.Replace(server.URL(), "127.0.0.1", "silica.invalid", 1))
	connect(t, kubeconfig(t, server, elsewhere, "tokenFile: token"), env).asks("retry", "502")
	asked := n.Load()
	connect(t, kubeconfig(t, server, elsewhere, "tokenFile: token"), env,
		"NO_PROXY=.invalid").asks("retry", "resolve")
	if n.Load() != asked {
		t.Error("NO_PROXY was not heeded")
	}
}
