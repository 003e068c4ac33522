// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	classDir = "sys/class/rngd_mgmt"
	pciDir   = "sys/bus/pci/devices"

	pciVendor = "0x1ed2"
	pciDevice = "0x0001" // RNGD
)

var entryName = regexp.MustCompile(`^rngd!npu\d+mgmt$`)

type card struct {
	uuid     string
	entry    string // its directory
	busname  string
	numa     string // as the kernel writes it, "-1" for none
	driver   string // versions
	firmware string
	alive    bool
}

// scanCards reads all cards below root; one that cannot be identified is left out.
func scanCards(root string) ([]*card, error) {
	entries, err := os.ReadDir(filepath.Join(root, classDir))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var cards []*card
	for _, entry := range entries {
		if !entryName.MatchString(entry.Name()) {
			continue
		}
		if c := readCard(root, entry.Name()); c != nil {
			cards = append(cards, c)
		}
	}
	return cards, nil
}

func readCard(root, name string) *card {
	c := &card{entry: filepath.Join(root, classDir, name)}
	if readAttribute(c.entry, "platform_type") != "FuriosaAI" {
		return nil
	}
	c.uuid = readAttribute(c.entry, "device_uuid")
	c.busname = readAttribute(c.entry, "busname")
	if c.uuid == "" || c.busname == "" {
		return nil
	}
	pci := filepath.Join(root, pciDir, c.busname)
	if readAttribute(pci, "vendor") != pciVendor || readAttribute(pci, "device") != pciDevice {
		return nil
	}
	c.numa = readAttribute(pci, "numa_node")
	c.driver = readAttribute(c.entry, "version")
	c.firmware = readAttribute(c.entry, "fw_version")
	c.alive = c.isAlive()
	return c
}

// isThere tells whether the entry still is the same card.
func (c *card) isThere() bool {
	return readAttribute(c.entry, "busname") == c.busname
}

func (c *card) isAlive() bool {
	return readAttribute(c.entry, "device_state") == "1" && c.isThere()
}

// readAttribute returns the trimmed content of a sysfs attribute, or "".
func readAttribute(dir, name string) string {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
