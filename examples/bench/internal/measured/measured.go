// Package measured reads results in the Go benchmark format.
package measured

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// Results are what the rounds of a benchmark brought.
type Results struct {
	config map[string]string
	values map[key][]float64
	labels map[key][]string
}

// key is a benchmark and a unit, or a benchmark and a label.
type key struct{ name, of string }

// Read reads a file. A name has no "Benchmark" and no number of processors at
// its end. Units are base units: "sec/op" where the file says "ns/op".
func Read(path string) (*Results, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r := &Results{map[string]string{}, map[key][]float64{}, map[key][]string{}}
	reader := benchfmt.NewReader(file, path)
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.Result:
			r.add(record)
		case *benchfmt.SyntaxError:
			return nil, record
		}
	}
	if err := reader.Err(); err != nil {
		return nil, err
	}
	if len(r.values) == 0 {
		return nil, fmt.Errorf("%s has no results", path)
	}
	return r, nil
}

func (r *Results) add(result *benchfmt.Result) {
	for _, c := range result.Config {
		r.config[c.Key] = string(c.Value)
	}
	base, parts := result.Name.Parts()
	name, processors := string(base), "1"
	groups := []string{name}
	for _, part := range parts {
		if part[0] == '-' {
			processors = string(part[1:])
			continue
		}
		name += string(part)
		if label, value, ok := strings.Cut(string(part[1:]), "="); ok {
			for _, group := range groups {
				r.addLabel(key{group, label}, value)
			}
		}
		groups = append(groups, name)
	}
	for _, value := range result.Values {
		for _, name := range []string{name, OnProcessors(name, processors)} {
			k := key{name, value.Unit}
			r.values[k] = append(r.values[k], value.Value)
		}
	}
}

func (r *Results) addLabel(k key, value string) {
	if !slices.Contains(r.labels[k], value) {
		r.labels[k] = append(r.labels[k], value)
	}
}

// OnProcessors is the name of a benchmark's results on so many processors
// alone.
func OnProcessors(name, processors string) string { return name + "/processors=" + processors }

// Config returns a line of the file's head, empty if it has none of that name.
func (r *Results) Config(name string) string { return r.config[name] }

// Labels returns the values that a label of a benchmark has, as they first
// occur. The name may have labels itself: only results whose names begin with
// it count.
func (r *Results) Labels(benchmark, label string) []string {
	return r.labels[key{benchmark, label}]
}

// Median returns the median of the rounds, false if there were none.
func (r *Results) Median(name, unit string) (float64, bool) {
	values := slices.Sorted(slices.Values(r.values[key{name, unit}]))
	if len(values) == 0 {
		return 0, false
	}
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle], true
	}
	return (values[middle-1] + values[middle]) / 2, true
}
