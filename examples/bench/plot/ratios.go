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
	bar := vg.Points(300 / float64(len(algorithms)*len(impls)))
	highest := 0.0
	for i, impl := range impls {
		values := make(plotter.Values, len(algorithms))
		for a, alg := range algorithms {
			values[a], _ = r.Median("Paired/alg="+alg+"/impl="+impl, "x-primitive")
			highest = max(highest, values[a])
		}
		bars, err := plotter.NewBarChart(values, bar)
		if err != nil {
			return err
		}
		bars.Color = colourOf(impl)
		bars.LineStyle.Width = 0
		bars.Offset = bar * vg.Length(float64(i)-float64(len(impls)-1)/2)
		f.Add(bars)
		f.legend.Add(impl, bars)
	}
	f.Add(primitiveLine(len(algorithms)))
	f.Y.Min, f.Y.Max = 0, highest*1.05
	f.NominalX(algorithms...)
	return f.save(path)
}

// primitiveLine marks what nothing that uses the primitive can be below.
func primitiveLine(groups int) plot.Plotter {
	line, err := plotter.NewLine(plotter.XYs{{X: -0.5, Y: 1}, {X: float64(groups) - 0.5, Y: 1}})
	if err != nil {
		panic(err) // of two points, never
	}
	line.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
	return line
}
