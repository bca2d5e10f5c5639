package main

import (
	"math"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/sallyport-go/sallyport/examples/bench/internal/measured"
)

// drawRefusals has a column of dots for each kind of bad token: on a
// logarithmic scale the length of a bar would say nothing.
func drawRefusals(r *measured.Results, path string) error {
	kinds := r.Labels("Refuse", "kind")
	if len(kinds) == 0 {
		return errNothing
	}
	f := newFigure("Refusing a bad token (RS256)", "time for a token")
	impls := r.Labels("Refuse", "impl")
	for i, impl := range impls {
		// Side by side, so that none hides another.
		shift := 0.1 * (float64(i) - float64(len(impls)-1)/2)
		var dots plotter.XYs
		for x, kind := range kinds {
			if y, ok := r.Median("Refuse/kind="+kind+"/impl="+impl, "sec/op"); ok {
				dots = append(dots, plotter.XY{X: float64(x) + shift, Y: y})
			}
		}
		scatter, err := plotter.NewScatter(dots)
		if err != nil {
			return err
		}
		scatter.GlyphStyle = draw.GlyphStyle{
			Color: colourOf(impl), Radius: vg.Points(3), Shape: draw.CircleGlyph{},
		}
		f.Add(scatter)
		f.legend.Add(impl, scatter)
	}
	f.NominalX(kinds...)
	f.X.Min, f.X.Max = -0.5, float64(len(kinds))-0.5
	f.X.Tick.Label.Rotation = math.Pi / 8
	f.X.Tick.Label.XAlign = draw.XRight
	f.logarithmicTime()
	return f.save(path)
}
