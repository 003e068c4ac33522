// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
)

type client struct {
	*testing.T
	*Server
	http *http.Client
}

func start(t *testing.T) *client {
	t.Helper()
	server, err := New(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	server.AddNode(Object{"metadata": Object{"name": "n1", "labels": Object{"kubelet": "1"}},
		"status": Object{"conditions": []any{Object{"type": "Ready", "status": "True"}}}})
	pem, err := os.ReadFile(server.Path("ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &client{t, server, &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}}
}

func (c *client) do(method, path, kind, body string) *http.Response {
	c.Helper()
	request, err := http.NewRequest(method, c.URL()+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	token, err := os.ReadFile(c.Path("token"))
	if err != nil {
		c.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	request.Header.Set("Content-Type", kind)
	response, err := c.http.Do(request)
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { response.Body.Close() })
	return response
}

func (c *client) patch(want int, path, kind, body string) Object {
	c.Helper()
	response := c.do(http.MethodPatch, "/api/v1/nodes/n1"+path, kind, body)
	var result Object
	if err := json.NewDecoder(response.Body).Decode(&result); err != nil {
		c.Fatal(err)
	}
	if response.StatusCode != want {
		c.Fatalf("%d %v, want %d", response.StatusCode, result, want)
	}
	return result
}

func (c *client) apply(want int, manager string, force bool, labels string) Object {
	c.Helper()
	return c.patch(want, fmt.Sprintf("?fieldManager=%s&force=%v", manager, force), applyPatch,
		`{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1","labels":`+labels+`}}`)
}

func (c *client) wantLabels(want string) {
	c.Helper()
	labels, err := json.Marshal(child(child(c.Node("n1"), "metadata"), "labels"))
	if err != nil || string(labels) != want {
		c.Fatalf("labels %s, want %s", labels, want)
	}
}

func version(node Object) any {
	return child(node, "metadata")["resourceVersion"]
}

func TestApplyKeepsAndRemoves(t *testing.T) {
	c := start(t)
	c.apply(200, "us", false, `{"a":"1","b":"2"}`)
	c.wantLabels(`{"a":"1","b":"2","kubelet":"1"}`)
	before := version(c.Node("n1"))
	c.apply(200, "us", false, `{"a":"1","b":"2"}`)
	if after := version(c.Node("n1")); after != before {
		t.Errorf("version %v after %v, and nothing has changed", after, before)
	}
	c.apply(200, "us", false, `{"b":"3"}`)
	c.wantLabels(`{"b":"3","kubelet":"1"}`)
	c.apply(200, "they", false, `{"b":"3"}`)
	c.apply(200, "us", false, `{}`)
	c.wantLabels(`{"b":"3","kubelet":"1"}`)
	c.apply(200, "they", false, `{}`)
	c.wantLabels(`{"kubelet":"1"}`)
}

func TestApplyConflicts(t *testing.T) {
	c := start(t)
	c.apply(409, "us", false, `{"kubelet":"2"}`)
	c.wantLabels(`{"kubelet":"1"}`)
	c.apply(200, "us", true, `{"kubelet":"2"}`)
	c.wantLabels(`{"kubelet":"2"}`)
	c.apply(409, "they", false, `{"kubelet":"3"}`)
	c.patch(200, "", mergePatch, `{"metadata":{"labels":{"kubelet":"4"}}}`)
	c.apply(200, "us", false, `{}`)
	c.wantLabels(`{"kubelet":"4"}`)
}

func TestManagedFields(t *testing.T) {
	c := start(t)
	node := c.apply(200, "us", false, `{"a":"1"}`)
	text, err := json.Marshal(child(node, "metadata")["managedFields"])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"manager":"us"`, `"operation":"Apply"`,
		`{"f:metadata":{"f:labels":{"f:a":{}}}}`, `"manager":"kubelet"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s, want %s in it", text, want)
		}
	}
}

func TestConditions(t *testing.T) {
	c := start(t)
	const condition = `{"apiVersion":"v1","kind":"Node","status":{"conditions":[{"type":"Npu","status":%q}]}}`
	c.patch(200, "/status?fieldManager=us", applyPatch, fmt.Sprintf(condition, "True"))
	c.patch(200, "/status", strategicPatch, fmt.Sprintf(condition, "False"))
	if now := statusFields(c.Node("n1")); len(now) != 2 {
		t.Errorf("%v", now)
	}
	c.patch(409, "/status?fieldManager=us", applyPatch, fmt.Sprintf(condition, "True"))
	c.patch(200, "/status?fieldManager=us&force=true", applyPatch, fmt.Sprintf(condition, "True"))
	c.patch(200, "?fieldManager=us", applyPatch, fmt.Sprintf(condition, "False"))
	c.patch(200, "/status?fieldManager=us", applyPatch,
		`{"apiVersion":"v1","kind":"Node","status":{"conditions":[]}}`)
	if now := statusFields(c.Node("n1")); len(now) != 1 {
		t.Errorf("%v", now)
	}
}

func TestPatches(t *testing.T) {
	c := start(t)
	const taint = `{"key":"a","effect":"NoSchedule"}`
	c.patch(422, "", jsonPatch, `[{"op":"test","path":"/spec/taints","value":[`+taint+`]}]`)
	c.patch(200, "", jsonPatch, fmt.Sprintf(`[{"op":"test","path":"/metadata/resourceVersion","value":%q},
		{"op":"add","path":"/spec/taints","value":[%s]}]`, version(c.Node("n1")), taint))
	c.patch(200, "", jsonPatch, `[{"op":"test","path":"/spec/taints","value":[`+taint+`]},
		{"op":"add","path":"/spec/taints","value":[]}]`)
	c.patch(409, "", mergePatch, `{"metadata":{"resourceVersion":"1","labels":{"a":"b"}}}`)
	c.patch(200, "", mergePatch, `{"metadata":{"labels":{"kubelet":null}},"status":{"phase":"x"}}`)
	c.wantLabels(`{}`)
	if phase := child(c.Node("n1"), "status")["phase"]; phase != nil {
		t.Error("a patch of the node has changed its status")
	}
	c.patch(415, "", "text/plain", "")
	c.patch(400, "", mergePatch, "{")
	c.SetApply(false)
	c.apply(415, "us", false, `{}`)
}

func TestEventsAndRefusals(t *testing.T) {
	c := start(t)
	const path = "/api/v1/namespaces/default/events"
	const event = `{"kind":"Event","metadata":{"name":"e","namespace":"default"},"count":1}`
	for _, want := range []int{201, 409} {
		if got := c.do(http.MethodPost, path, "application/json", event).StatusCode; got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
	c.do(http.MethodPatch, path+"/e", mergePatch, `{"count":2}`)
	if events := c.Events(); len(events) != 1 || events[0]["count"] != 2.0 {
		t.Errorf("%v", events)
	}
	c.Deny("create", "events", true)
	if got := c.do(http.MethodPost, path, "application/json", event).StatusCode; got != 403 {
		t.Errorf("%d, want 403", got)
	}
	if err := c.RotateToken("other", false); err != nil {
		t.Fatal(err)
	}
	if got := c.do(http.MethodGet, "/version", "", "").StatusCode; got != 401 {
		t.Errorf("%d, want 401", got)
	}
}

func TestListsInParts(t *testing.T) {
	c := start(t)
	for i := range 6 {
		c.AddNode(Object{"metadata": Object{"name": fmt.Sprintf("m%d", i)}})
	}
	var names []string
	token := ""
	for {
		response := c.do(http.MethodGet, "/api/v1/nodes?limit=3&continue="+token, "", "")
		var list struct {
			Items    []Object
			Metadata struct{ Continue string }
		}
		if err := json.NewDecoder(response.Body).Decode(&list); err != nil || len(list.Items) > 3 {
			t.Fatalf("%v: %v", list, err)
		}
		for _, item := range list.Items {
			names = append(names, nameOf(item))
		}
		if token = list.Metadata.Continue; token == "" {
			break
		}
	}
	if got := strings.Join(names, " "); got != "m0 m1 m2 m3 m4 m5 n1" {
		t.Error(got)
	}
	if got := c.do(http.MethodGet, "/api/v1/nodes?continue=!", "", "").StatusCode; got != 400 {
		t.Errorf("%d, want 400", got)
	}
}

func TestWatch(t *testing.T) {
	c := start(t)
	response := c.do(http.MethodGet, "/api/v1/nodes?watch=1&fieldSelector=metadata.name=n1", "", "")
	lines := bufio.NewScanner(response.Body)
	want := func(kind string) {
		t.Helper()
		var event struct{ Type string }
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &event) != nil || event.Type != kind {
			t.Fatalf("%q, want %s", lines.Text(), kind)
		}
	}
	want("ADDED")
	c.AddNode(Object{"metadata": Object{"name": "n2"}})
	c.apply(200, "us", false, `{"a":"1"}`)
	want("MODIFIED")
	c.Bookmark()
	want("BOOKMARK")
	c.EndWatches()
	if lines.Scan() {
		t.Errorf("%q after the end", lines.Text())
	}
	c.Compact()
	response = c.do(http.MethodGet, "/api/v1/nodes?watch=1&resourceVersion=1", "", "")
	lines = bufio.NewScanner(response.Body)
	want("ERROR")
}

func TestWatchWithInitialEvents(t *testing.T) {
	c := start(t)
	response := c.do(http.MethodGet,
		"/api/v1/nodes?watch=1&resourceVersion=1000&sendInitialEvents=true", "", "")
	lines := bufio.NewScanner(response.Body)
	for _, want := range []string{`"type":"ADDED"`, `"k8s.io/initial-events-end":"true"`} {
		if !lines.Scan() || !strings.Contains(lines.Text(), want) {
			t.Fatalf("%q, want %s", lines.Text(), want)
		}
	}
}

func TestFollow(t *testing.T) {
	c := start(t)
	seen := make(chan string, 10)
	stop, err := c.Follow("n1", func(node Object) {
		seen <- fmt.Sprint(child(child(node, "metadata"), "labels")["a"])
	})
	if err != nil {
		t.Fatal(err)
	}
	c.AddNode(Object{"metadata": Object{"name": "n2"}})
	c.apply(200, "us", false, `{"a":"1"}`)
	c.apply(200, "us", false, `{"a":"2"}`)
	for _, want := range []string{"<nil>", "1", "2"} {
		if got := <-seen; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	stop()
	stop()
}
