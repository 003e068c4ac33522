// SPDX-License-Identifier: Apache-2.0

// Package exposition judges what a program serves at /metrics, with the parser,
// the registry and the linter of Prometheus itself.
package exposition

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// ContentType is what the text format is served as.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Parse reads an exposition in the text format.
func Parse(text []byte) (map[string]*dto.MetricFamily, error) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	return parser.TextToMetricFamilies(bytes.NewReader(text))
}

// Lint returns everything that is wrong with an exposition, nil if nothing is.
func Lint(text []byte) error {
	families, err := Parse(text)
	if err != nil {
		return err
	}
	sorted := slices.SortedFunc(maps.Values(families), func(a, b *dto.MetricFamily) int {
		return bytes.Compare([]byte(a.GetName()), []byte(b.GetName()))
	})
	errs := []error{lintNames(text), consistency(sorted)}
	for _, family := range sorted {
		errs = append(errs, complete(family))
		for _, metric := range family.GetMetric() {
			errs = append(errs, cumulative(family, metric))
		}
	}
	return errors.Join(errs...)
}

// lintNames asks for names, units and help as Prometheus recommends them.
func lintNames(text []byte) error {
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil {
		return err
	}
	var errs []error
	for _, problem := range problems {
		errs = append(errs, fmt.Errorf("%s: %s", problem.Metric, problem.Text))
	}
	return errors.Join(errs...)
}

// consistency lets a registry take the families, which refuses series that are
// there twice and names that collide.
func consistency(families []*dto.MetricFamily) error {
	gatherer := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		return families, nil
	})
	_, err := prometheus.Gatherers{gatherer}.Gather()
	return err
}

// complete asks for a HELP and a TYPE line.
func complete(family *dto.MetricFamily) error {
	if family.Help == nil || family.GetType() == dto.MetricType_UNTYPED {
		return fmt.Errorf("%s: no HELP or no TYPE", family.GetName())
	}
	return nil
}

// cumulative asks for buckets that ascend and end with all observations in +Inf.
func cumulative(family *dto.MetricFamily, metric *dto.Metric) error {
	if family.GetType() != dto.MetricType_HISTOGRAM {
		return nil
	}
	histogram := metric.GetHistogram()
	bound, count := math.Inf(-1), uint64(0)
	for _, bucket := range histogram.GetBucket() {
		if bucket.GetUpperBound() <= bound || bucket.GetCumulativeCount() < count {
			return fmt.Errorf("%s: bucket le=%v is not cumulative", family.GetName(),
				bucket.GetUpperBound())
		}
		bound, count = bucket.GetUpperBound(), bucket.GetCumulativeCount()
	}
	if !math.IsInf(bound, 1) || count != histogram.GetSampleCount() {
		return fmt.Errorf("%s: +Inf is not the count of %d", family.GetName(),
			histogram.GetSampleCount())
	}
	return nil
}
