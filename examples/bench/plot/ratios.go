package main

import (
	"errors"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/sallyport-go/sallyport/examples/bench/internal/measured"
)

var errNothing = errors.New("the results have nothing to draw")

// drawRatios has a group of bars for each algorithm.
func drawRatios(r *measured.Results, path string) error {
	algorithms := r.Labels("Paired", "alg")
	impls := slices.DeleteFunc(slices.Clone(r.Labels("Paired", "impl")),
		func(impl string) bool { return impl == "primitive" }) // 1 by definition
	if len(algorithms) == 0 || len(impls) == 0 {
		return errNothing
	}
	f := newFigure("Verifying a token", "times as long as the signature check alone")
	err := f.addBars(algorithms, impls, func(group int, impl string) (float64, bool) {
		return r.Median("Paired/alg="+algorithms[group]+"/impl="+impl, "x-primitive")
	})
	if err != nil {
		return err
	}
	return f.save(path)
}

// addBars adds a bar for each impl to each group, and a line at 1, which
// nothing can be below. An impl that is not in a group leaves no gap there.
func (f *figure) addBars(
	groups, impls []string, value func(group int, impl string) (float64, bool),
) error {
	bar := vg.Points(300 / float64(len(groups)*len(impls)))
	highest := 1.0
	present := make([]int, len(groups))
	for g := range groups {
		for _, impl := range impls {
			if _, ok := value(g, impl); ok {
				present[g]++
			}
		}
	}
	placed := make([]int, len(groups))
	for _, impl := range impls {
		for g := range groups {
			height, ok := value(g, impl)
			if !ok {
				continue
			}
			highest = max(highest, height)
			bars, err := plotter.NewBarChart(plotter.Values{height}, bar)
			if err != nil {
				return err
			}
			bars.XMin = float64(g)
			bars.Color = colourOf(impl)
			bars.LineStyle.Width = 0
			bars.Offset = bar * vg.Length(float64(placed[g])-float64(present[g]-1)/2)
			placed[g]++
			f.Add(bars)
			f.addLegend(impl, bars)
		}
	}
	f.Add(oneLine(len(groups)))
	f.Y.Min, f.Y.Max = 0, highest*1.05
	f.NominalX(groups...)
	return nil
}

func oneLine(groups int) plot.Plotter {
	line, err := plotter.NewLine(plotter.XYs{{X: -0.5, Y: 1}, {X: float64(groups) - 0.5, Y: 1}})
	if err != nil {
		panic(err) // of two points, never
	}
	line.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
	return line
}
