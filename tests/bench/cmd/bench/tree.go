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
	cards []card // RNGDs, where there is nothing else
}

type card struct {
	uuid      string
	statePath string
}

// createTree makes a node of RNGDs.
func createTree(ctx context.Context, work *workspace, sim string, cards int) (*tree, error) {
	t, err := createNode(ctx, work, sim, fmt.Sprintf("rngd x%d, numa 0/1", cards), cards)
	if err != nil {
		return nil, err
	}
	if t.cards, err = findCards(t.root); err == nil && len(t.cards) != cards {
		err = fmt.Errorf("silica-sim made %d cards instead of %d", len(t.cards), cards)
	}
	if err != nil {
		return nil, joinErrors(err, t.remove())
	}
	return t, nil
}

// createNode makes a node that silica-sim is told of, with so many cards.
func createNode(ctx context.Context, work *workspace, sim, what string, cards int) (*tree, error) {
	dir, err := work.mkdirForTree(cards)
	if err != nil {
		return nil, err
	}
	t := &tree{dir: dir, root: filepath.Join(dir, "node")}
	if out, err := exec.CommandContext(ctx, sim, "create", t.root, what).CombinedOutput(); err != nil {
		return nil, joinErrors(fmt.Errorf("silica-sim create: %w\n%s", err, out), t.remove())
	}
	return t, nil
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
