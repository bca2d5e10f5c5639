package main

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	width  = 9 * vg.Inch
	height = 4 * vg.Inch

	margin      = vg.Length(6)
	legendWidth = vg.Length(190)
)

// palette can be told apart by the colour-blind (Okabe and Ito).
var palette = map[string]color.Color{
	"sallyport":        color.RGBA{R: 213, G: 94, A: 255},
	"sallyport-cached": color.RGBA{R: 230, G: 159, A: 255},
	"golang-jwt":       color.RGBA{G: 114, B: 178, A: 255},
	"go-oidc":          color.RGBA{R: 86, G: 180, B: 233, A: 255},
	"jwx":              color.RGBA{G: 158, B: 115, A: 255},
	"auth0-v2":         color.RGBA{R: 204, G: 121, B: 167, A: 255},
	"auth0-v3":         color.Black,

	"sallyport-cached-claims": color.RGBA{R: 240, G: 228, B: 66, A: 255},
	"sallyport-cached-source": color.RGBA{R: 153, G: 153, B: 51, A: 255},
}

func colourOf(impl string) color.Color {
	if c, ok := palette[impl]; ok {
		return c
	}
	return color.Gray{Y: 128}
}

// figure is a plot with its legend beside it.
type figure struct {
	*plot.Plot
	legend plot.Legend
	inside map[string]bool // the legend
}

func newFigure(title, yLabel string) *figure {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	f := &figure{plot.New(), plot.NewLegend(), map[string]bool{}}
	f.Title.Text = title
	f.Title.Padding = vg.Points(8)
	f.Y.Label.Text = yLabel
	f.Y.Label.Padding = vg.Points(4)
	f.legend.Top = true
	f.legend.Left = true // with room to the right, where a reader's font is wider
	f.legend.YOffs = -vg.Points(24)
	f.legend.Padding = vg.Points(2)
	return f
}

// addLegend adds a name to the legend once.
func (f *figure) addLegend(name string, thumbs ...plot.Thumbnailer) {
	if !f.inside[name] {
		f.inside[name] = true
		f.legend.Add(name, thumbs...)
	}
}

// logarithmicTime makes the vertical scale one of times, with lines across.
func (f *figure) logarithmicTime() {
	steps := timeTicks(f.Y.Min, f.Y.Max)
	f.Y.Min, f.Y.Max = steps[0].Value, steps[len(steps)-1].Value
	f.Y.Scale = plot.LogScale{}
	f.Y.Tick.Marker = plot.ConstantTicks(steps)
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal.Color = color.Gray{Y: 215}
	f.Add(grid)
}

// timeTicks are the powers of ten about what is between low and high, and where
// those are few their double and fivefold, in the unit that suits each.
func timeTicks(low, high float64) []plot.Tick {
	factors := []float64{1}
	if high < 100*low {
		factors = []float64{1, 2, 5}
	}
	var all []plot.Tick
	first, last := int(math.Floor(math.Log10(low))), int(math.Ceil(math.Log10(high)))
	for e := first; e <= last; e++ {
		for _, factor := range factors {
			label := timeText(int(factor), e)
			all = append(all, plot.Tick{Value: factor * math.Pow10(e), Label: label})
		}
	}
	const close = 1 + 1e-9
	from, to := 0, len(all)-1
	for from+1 < len(all) && all[from+1].Value <= low*close {
		from++
	}
	for to > from+1 && all[to-1].Value*close >= high {
		to--
	}
	return all[from : to+1]
}

// timeText writes factor times a power of ten of seconds.
func timeText(factor, exponent int) string {
	units := []string{"s", "ms", "µs", "ns"}
	i := (2 - exponent) / 3
	if exponent > 0 || i >= len(units) {
		return fmt.Sprintf("%de%d s", factor, exponent)
	}
	return fmt.Sprintf("%.0f %s", float64(factor)*math.Pow10(exponent+3*i), units[i])
}

// save names further fonts, as few machines have the one that the text was
// measured by.
func (f *figure) save(path string) error {
	canvas := vgsvg.New(width, height)
	c := draw.New(canvas)
	c.SetColor(color.White) // legible on a dark page, too
	c.Fill(c.Rectangle.Path())
	f.Draw(draw.Crop(c, margin, -legendWidth, margin, -margin))
	f.legend.Draw(draw.Crop(c, width-legendWidth+margin, 0, 0, 0))
	var drawn bytes.Buffer
	if _, err := canvas.WriteTo(&drawn); err != nil {
		return err
	}
	text := bytes.ReplaceAll(drawn.Bytes(),
		[]byte("font-family:Liberation Sans;"),
		[]byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
	return os.WriteFile(path, text, 0o644)
}
