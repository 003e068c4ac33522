// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

const (
	fieldManager   = "go-labeller"
	retryMin       = 500 * time.Millisecond
	retryMax       = time.Minute
	requestTimeout = 15 * time.Second
)

// A labeller keeps the labels of one node; all but the informer runs in run().
type labeller struct {
	options options
	client  kubernetes.Interface
	nodes   listers.NodeLister
	cards   []*card
	applied labelSet      // what the server has from us, nil if that is unknown
	changed chan struct{} // has an element when somebody has changed the node
	retry   <-chan time.Time
	pause   time.Duration // before the next retry
}

func newLabeller(o options, client kubernetes.Interface) *labeller {
	return &labeller{options: o, client: client, changed: make(chan struct{}, 1)}
}

// run returns when ctx ends.
func (l *labeller) run(ctx context.Context, hangup <-chan os.Signal) error {
	l.scan()
	if err := l.watch(ctx); err != nil {
		return err
	}
	probes := time.NewTicker(l.options.probeInterval)
	defer probes.Stop()
	scans := time.NewTicker(l.options.rescanInterval)
	defer scans.Stop()
	for {
		l.reconcile(ctx)
		if !l.await(ctx, hangup, probes.C, scans.C) {
			return nil
		}
	}
}

// await waits until the labels may have to be others; false at the end.
func (l *labeller) await(ctx context.Context, hangup <-chan os.Signal,
	probes, scans <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-l.changed:
			return true
		case <-l.retry:
			l.retry = nil
			return true
		case <-hangup:
			l.scan()
			return true
		case <-scans:
			l.scan()
			return true
		case <-probes:
			if l.probe() {
				return true
			}
		}
	}
}

// watch begins to follow the node and returns when it is known.
func (l *labeller) watch(ctx context.Context) error {
	factory := informers.NewSharedInformerFactoryWithOptions(l.client, 0,
		informers.WithTransform(keepLabels),
		informers.WithTweakListOptions(func(list *metav1.ListOptions) {
			list.FieldSelector = fields.OneTermEqualSelector("metadata.name",
				l.options.nodeName).String()
		}))
	nodes := factory.Core().V1().Nodes()
	l.nodes = nodes.Lister()
	_, err := nodes.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { l.wake() },
		UpdateFunc: func(any, any) { l.wake() },
		DeleteFunc: func(any) { l.wake() },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), nodes.Informer().HasSynced) && ctx.Err() == nil {
		return fmt.Errorf("node '%s' could not be read", l.options.nodeName)
	}
	return nil
}

// keepLabels drops what of a node is not looked at.
func keepLabels(object any) (any, error) {
	node, ok := object.(*corev1.Node)
	if !ok {
		return object, nil
	}
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: node.Name, UID: node.UID, ResourceVersion: node.ResourceVersion, Labels: node.Labels,
	}}, nil
}

func (l *labeller) wake() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

func (l *labeller) scan() {
	cards, err := scanCards(l.options.hostRoot)
	if err != nil {
		slog.Error("scan", "error", err)
		return
	}
	l.cards = cards
}

// probe looks at the cards that are known; one that has gone makes it scan.  It
// tells whether anything has changed.
func (l *labeller) probe() bool {
	changed := false
	for _, c := range l.cards {
		alive := c.isAlive()
		if !alive && !c.isThere() {
			l.scan()
			return true
		}
		changed = changed || alive != c.alive
		c.alive = alive
	}
	return changed
}

// reconcile writes the labels when they are others than those that are there.
func (l *labeller) reconcile(ctx context.Context) {
	if l.retry != nil {
		return
	}
	node, err := l.nodes.Get(l.options.nodeName)
	if err != nil {
		l.applied = nil
		return // it is not there; that it is back will be told
	}
	labels := makeLabels(l.cards)
	if l.applied != nil && maps.Equal(labels, l.applied) && labels.isOn(node.Labels) {
		return
	}
	if err := l.apply(ctx, labels); err != nil {
		l.pause = min(max(2*l.pause, retryMin), retryMax)
		l.retry = time.After(l.pause)
		slog.Error("apply the labels", "error", err, "again in", l.pause)
		return
	}
	l.applied, l.pause = labels, 0
}

func (l *labeller) apply(ctx context.Context, labels labelSet) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	_, err := l.client.CoreV1().Nodes().Apply(ctx,
		applycorev1.Node(l.options.nodeName).WithLabels(labels),
		metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	return err
}
