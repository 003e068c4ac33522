// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"testing"
)

func TestLibraryPaths(t *testing.T) {
	cases := []struct {
		name, ldd string
		want      []string
	}{
		{"a dynamic program", "\tlinux-vdso.so.1 (0x00007ffc)\n" +
			"\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f01)\n" +
			"\t/lib64/ld-linux-x86-64.so.2 (0x00007f02)\n",
			[]string{"/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"}},
		{"a static program", "\tnot a dynamic executable\n", nil},
		{"a library that is missing", "\tlibx.so => not found\n", nil},
	}
	for _, c := range cases {
		if got := libraryPaths(c.ldd); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
