// SPDX-License-Identifier: Apache-2.0

package origin

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// archive is one suite, "stable", of one component and one architecture.
type archive struct {
	files map[string][]byte
	size  int
}

func debName(i int) string { return fmt.Sprintf("package-%04d", i) }

func debPath(i int) string {
	return fmt.Sprintf("pool/main/p/%[1]s/%[1]s_1.0_amd64.deb", debName(i))
}

func packed(data []byte) []byte {
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, _ = writer.Write(data)
	_ = writer.Close()
	return out.Bytes()
}

func newArchive(debs, size int) *archive {
	a := &archive{files: map[string][]byte{}, size: size}
	var packages bytes.Buffer
	for i := range debs {
		data := content(debPath(i), size)
		fmt.Fprintf(&packages, "Package: %s\nVersion: 1.0\nArchitecture: amd64\n"+
			"Maintainer: Nobody <nobody@example.org>\nFilename: %s\nSize: %d\nSHA256: %s\n"+
			"Description: made up\n\n", debName(i), debPath(i), len(data), digest(data))
		a.files[debPath(i)] = nil
	}
	indexes := map[string][]byte{
		"main/binary-amd64/Packages":    packages.Bytes(),
		"main/binary-amd64/Packages.gz": packed(packages.Bytes()),
	}
	var release bytes.Buffer
	fmt.Fprintf(&release, "Origin: Origin\nLabel: Origin\nSuite: stable\nCodename: stable\n"+
		"Date: %s\nArchitectures: amd64\nComponents: main\nAcquire-By-Hash: yes\nSHA256:\n",
		epoch.Format("Mon, 02 Jan 2006 15:04:05 UTC"))
	for _, name := range []string{"main/binary-amd64/Packages", "main/binary-amd64/Packages.gz"} {
		data := indexes[name]
		fmt.Fprintf(&release, " %s %d %s\n", digest(data), len(data), name)
		a.files["dists/stable/"+name] = data
		a.files["dists/stable/main/binary-amd64/by-hash/SHA256/"+digest(data)] = data
	}
	a.files["dists/stable/Release"] = release.Bytes()
	return a
}

// write puts the whole archive in a directory.
func (a *archive) write(dir string) error {
	for name, data := range a.files {
		if data == nil {
			data = content(name, a.size)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/apt/")
	data, ok := a.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if data == nil {
		data = content(name, a.size)
	}
	serveContent(w, r, "application/octet-stream", data)
}
