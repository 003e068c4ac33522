// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	stateAttribute = "device_state"
	stateGood      = '1'
	stateFailed    = '3'
)

// A tree is a simulated node.
type tree struct {
	dir   string // to be removed
	root  string // stands for "/"
	cards []card
}

type card struct {
	uuid      string
	statePath string
}

func createTree(ctx context.Context, work *workspace, sim string, cards int) (t *tree, err error) {
	dir, err := work.mkdirForTree(cards)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = joinErrors(err, os.RemoveAll(dir))
		}
	}()
	root := filepath.Join(dir, "node")
	what := fmt.Sprintf("rngd x%d, numa 0/1", cards)
	if out, err := exec.CommandContext(ctx, sim, "create", root, what).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("silica-sim create: %w\n%s", err, out)
	}
	found, err := findCards(root)
	if err != nil {
		return nil, err
	}
	if len(found) != cards {
		return nil, fmt.Errorf("silica-sim made %d cards instead of %d", len(found), cards)
	}
	return &tree{dir: dir, root: root, cards: found}, nil
}

func (t *tree) remove() error {
	return os.RemoveAll(t.dir)
}

func findCards(root string) ([]card, error) {
	paths, err := filepath.Glob(filepath.Join(root, "sys/class/rngd_mgmt", "*", "device_uuid"))
	if err != nil {
		return nil, err
	}
	cards := make([]card, 0, len(paths))
	for _, path := range paths {
		uuid, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		cards = append(cards, card{
			uuid:      strings.TrimSpace(string(uuid)),
			statePath: filepath.Join(filepath.Dir(path), stateAttribute),
		})
	}
	return cards, nil
}

// setGood makes a card fail or recover.  A reader sees the old content or the
// new one, as it would in sysfs.
func (c *card) setGood(good bool) error {
	from, to := byte(stateGood), byte(stateFailed)
	if good {
		from, to = to, from
	}
	text, err := os.ReadFile(c.statePath)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(text, []byte{from}) {
		return fmt.Errorf("'%s' is %q, expected '%c'", c.statePath, text, from)
	}
	text[0] = to
	temporary := c.statePath + ".new"
	if err := os.WriteFile(temporary, text, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, c.statePath)
}
