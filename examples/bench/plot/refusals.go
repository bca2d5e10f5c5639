package main

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/sallyport-go/sallyport/examples/bench/internal/measured"
)

// drawRefusals has a column of dots for each kind of bad token: on a logarithmic
// scale the length of a bar would say nothing.
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
	f.Y.Min = math.Pow(10, math.Floor(math.Log10(f.Y.Min)))
	f.Y.Max = math.Pow(10, math.Ceil(math.Log10(f.Y.Max)))
	f.Y.Scale = plot.LogScale{}
	f.Y.Tick.Marker = decades{}
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	f.Add(grid)
	return f.save(path)
}

// decades marks the powers of ten, in the unit that suits each.
type decades struct{}

func (decades) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for e := int(math.Round(math.Log10(low))); e <= int(math.Round(math.Log10(high))); e++ {
		ticks = append(ticks, plot.Tick{Value: math.Pow10(e), Label: unit(e)})
	}
	return ticks
}

func unit(exponent int) string {
	units := []string{"s", "ms", "µs", "ns"}
	i := (2 - exponent) / 3
	if exponent > 0 || i >= len(units) {
		return fmt.Sprintf("1e%d s", exponent)
	}
	return fmt.Sprintf("%.0f %s", math.Pow10(exponent+3*i), units[i])
}
