// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// makeCard builds the files of one RNGD; overrides replace attributes.
func makeCard(t *testing.T, overrides map[string]string) string {
	t.Helper()
	root := t.TempDir()
	const entry = classDir + "/rngd!npu3mgmt/"
	const pci = pciDir + "/0000:27:00.0/"
	files := map[string]string{
		entry + "platform_type": "FuriosaAI\n",
		entry + "device_uuid":   "82540B87-1055-48C6-AAB1-C4CC84672C71\n",
		entry + "busname":       "0000:27:00.0",
		entry + "device_state":  "1\n",
		entry + "cur_pe_ids":    "0,1,2,3,4,5,6,7,0-1,2-3,4-5,6-7,0-3,4-7\n",
		pci + "vendor":          "0x1ed2\n",
		pci + "device":          "0x0001\n",
		pci + "numa_node":       "1\n",
	}
	for path, text := range files {
		if other, ok := overrides[filepath.Base(path)]; ok {
			text = other
		}
		write(t, filepath.Join(root, path), text)
	}
	makeNodes(t, root)
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func makeNodes(t *testing.T, root string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, "dev/rngd"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range (&card{index: "3"}).nodes(0, coresPerCard-1) {
		if err := os.Symlink("/dev/null", filepath.Join(root, path)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestScanCards(t *testing.T) {
	cases := []struct {
		name      string
		overrides map[string]string
		listed    bool
		healthy   bool
	}{
		{"a working card", nil, true, true},
		{"a failed card", map[string]string{"device_state": "3\n"}, true, false},
		{"without this partition", map[string]string{"cur_pe_ids": "1,2-3\n"}, true, false},
		{"another product", map[string]string{"device": "0x0002\n"}, false, false},
		{"another vendor", map[string]string{"vendor": "0x10de\n"}, false, false},
		{"another platform", map[string]string{"platform_type": "VITIS\n"}, false, false},
		{"without identity", map[string]string{"device_uuid": "\n"}, false, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cards, err := scanCards(makeCard(t, c.overrides))
			if err != nil {
				t.Fatal(err)
			}
			if len(cards) == 1 != c.listed {
				t.Fatalf("%d cards", len(cards))
			}
			if !c.listed {
				return
			}
			if got := makeUnits(cards, 1)[0].healthy(); got != c.healthy {
				t.Errorf("healthy: %v", got)
			}
		})
	}
}

func TestScanCardsWithoutDriver(t *testing.T) {
	cards, err := scanCards(t.TempDir())
	if len(cards) != 0 || err != nil {
		t.Errorf("got %v, %v", cards, err)
	}
}

func TestScanCardsMissingNode(t *testing.T) {
	root := makeCard(t, nil)
	if err := os.Remove(filepath.Join(root, "dev/rngd/npu3pe5")); err != nil {
		t.Fatal(err)
	}
	cards, err := scanCards(root)
	if err != nil || len(cards) != 1 || cards[0].usable {
		t.Errorf("got %v, %v", cards, err)
	}
}

func TestNodesOfPartition(t *testing.T) {
	cases := []struct {
		first, last int
		count       int
		cores       string
	}{
		{0, 7, 35, "pe0 pe1 pe2 pe3 pe4 pe5 pe6 pe7 pe0-1 pe2-3 pe4-5 pe6-7 pe0-3 pe4-7"},
		{0, 3, 28, "pe0 pe1 pe2 pe3 pe0-1 pe2-3 pe0-3"},
		{2, 3, 24, "pe2 pe3 pe2-3"},
		{5, 5, 22, "pe5"},
	}
	for _, c := range cases {
		paths := (&card{index: "3"}).nodes(c.first, c.last)
		if len(paths) != c.count {
			t.Errorf("%d-%d: %d files, want %d", c.first, c.last, len(paths), c.count)
		}
		var cores []string
		for _, path := range paths {
			if suffix := strings.TrimPrefix(path, "/dev/rngd/npu3"); suffix[0] == 'p' {
				cores = append(cores, suffix)
			}
		}
		if got := strings.Join(cores, " "); got != c.cores {
			t.Errorf("%d-%d: %s, want %s", c.first, c.last, got, c.cores)
		}
	}
}
