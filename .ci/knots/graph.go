package main

import (
	"cmp"
	"maps"
	"slices"
)

// graph has, for each file, those it refers to, and the names by which it does.
type graph map[string]map[string]map[string]bool

func (g graph) add(from, to, name string) {
	if g[from] == nil {
		g[from] = map[string]map[string]bool{}
	}
	if g[from][to] == nil {
		g[from][to] = map[string]bool{}
	}
	g[from][to][name] = true
}

// knots returns the strongly connected components of two files or more, the
// largest first.
func knots(g graph) [][]string {
	t := &tarjan{graph: g, index: map[string]int{}, low: map[string]int{}}
	for _, file := range slices.Sorted(maps.Keys(g)) {
		if t.index[file] == 0 {
			t.visit(file)
		}
	}
	slices.SortFunc(t.found, func(a, b []string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a[0], b[0]))
	})
	return t.found
}

// tarjan is Tarjan's algorithm (SIAM Journal on Computing 1, 1972).
type tarjan struct {
	graph graph
	index map[string]int // in the order of visits, from 1
	low   map[string]int // the lowest index that is reached, 0 once it is left
	stack []string
	found [][]string
}

func (t *tarjan) visit(file string) {
	t.index[file] = len(t.index) + 1
	t.low[file] = t.index[file]
	t.stack = append(t.stack, file)
	for _, next := range slices.Sorted(maps.Keys(t.graph[file])) {
		if t.index[next] == 0 {
			t.visit(next)
		}
		if t.low[next] > 0 {
			t.low[file] = min(t.low[file], t.low[next])
		}
	}
	if t.low[file] < t.index[file] {
		return
	}
	at := slices.Index(t.stack, file)
	component := slices.Sorted(slices.Values(t.stack[at:]))
	t.stack = t.stack[:at]
	for _, member := range component {
		t.low[member] = 0
	}
	if len(component) > 1 {
		t.found = append(t.found, component)
	}
}
