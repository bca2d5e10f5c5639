package main

import (
	"github.com/sallyport-go/sallyport/examples/bench/internal/growth"
	"github.com/sallyport-go/sallyport/examples/bench/internal/measured"
)

func curves(r *measured.Results) []*table {
	var tables []*table
	for _, c := range growth.Curves {
		tables = append(tables, curve(r, c))
	}
	return tables
}

func curve(r *measured.Results, c growth.Curve) *table {
	t := &table{
		title: "Growth: " + c.Title, note: c.Note + " Processor time.",
		picture: "growth-" + c.Name + ".svg", columns: []string{""},
	}
	sizes := c.Sizes(r)
	for _, size := range sizes {
		t.columns = append(t.columns, c.SizeText(size))
	}
	row := func(title string, op growth.Op, format func(benchmark string) string) {
		cells, found := []string{title}, false
		for _, size := range sizes {
			text := format(c.Benchmark(size, op))
			cells, found = append(cells, text), found || text != missing
		}
		if found {
			t.add(cells...)
		}
	}
	for _, op := range c.Ops {
		row(op.Text, op, func(benchmark string) string {
			if cost, ok := growth.Cost(r, benchmark); ok {
				return duration(cost)
			}
			return missing
		})
	}
	row("of the heap, each", c.Ops[0], func(benchmark string) string {
		return cell(r, benchmark, "bytes/token", bytes)
	})
	return t
}
