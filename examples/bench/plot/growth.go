package main

import (
	"image/color"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/sallyport-go/sallyport/examples/bench/internal/growth"
	"github.com/sallyport-go/sallyport/examples/bench/internal/measured"
)

// lines of a figure differ in shape as well as in colour.
var lines = []struct {
	colour color.Color
	shape  draw.GlyphDrawer
}{
	{color.RGBA{R: 213, G: 94, A: 255}, draw.CircleGlyph{}},
	{color.RGBA{G: 114, B: 178, A: 255}, draw.SquareGlyph{}},
	{color.RGBA{G: 158, B: 115, A: 255}, draw.TriangleGlyph{}},
	{color.RGBA{R: 230, G: 159, A: 255}, draw.RingGlyph{}},
	{color.RGBA{R: 86, G: 180, B: 233, A: 255}, draw.BoxGlyph{}},
	{color.RGBA{R: 204, G: 121, B: 167, A: 255}, draw.PyramidGlyph{}},
}

// drawCurve has a line for each operation, on two logarithmic scales. It draws
// nothing where nothing was measured.
func drawCurve(r *measured.Results, c growth.Curve, path string) error {
	sizes := c.Sizes(r)
	f := newFigure(c.Title, "processor time")
	for i, op := range c.Ops {
		var points plotter.XYs
		for _, size := range sizes {
			n, err := strconv.ParseFloat(size, 64)
			if err != nil {
				return err
			}
			if cost, ok := growth.Cost(r, c.Benchmark(size, op)); ok && cost > 0 {
				points = append(points, plotter.XY{X: n, Y: cost})
			}
		}
		if len(points) == 0 {
			continue
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		style := lines[i%len(lines)]
		line.Color, line.Width = style.colour, vg.Points(1.5)
		dots.Color, dots.Shape, dots.Radius = style.colour, style.shape, vg.Points(3)
		f.Add(line, dots)
		f.addLegend(op.Text, line, dots)
	}
	if len(f.inside) == 0 {
		return nil
	}
	f.logarithmicTime()
	f.X.Scale = plot.LogScale{}
	f.X.Tick.Marker = sizeTicks{c, sizes}
	if f.X.Min == f.X.Max { // one size
		f.X.Min, f.X.Max = f.X.Min/2, f.X.Max*2
	}
	return f.save(path)
}

// sizeTicks marks the sizes that were measured.
type sizeTicks struct {
	curve growth.Curve
	sizes []string
}

func (t sizeTicks) Ticks(float64, float64) []plot.Tick {
	ticks := make([]plot.Tick, len(t.sizes))
	for i, size := range t.sizes {
		n, _ := strconv.ParseFloat(size, 64)
		ticks[i] = plot.Tick{Value: n, Label: t.curve.SizeText(size)}
	}
	return ticks
}
