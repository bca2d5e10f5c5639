package main

import (
	"bytes"
	"image/color"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	width  = 8 * vg.Inch
	height = 4 * vg.Inch

	margin      = vg.Length(6)
	legendWidth = vg.Length(130)
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
}

func newFigure(title, yLabel string) *figure {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	f := &figure{plot.New(), plot.NewLegend()}
	f.Title.Text = title
	f.Title.Padding = vg.Points(8)
	f.Y.Label.Text = yLabel
	f.Y.Label.Padding = vg.Points(4)
	f.legend.Top = true
	f.legend.YOffs = -vg.Points(24)
	f.legend.Padding = vg.Points(2)
	return f
}

// save names further fonts, as few machines have the one that the text was
// measured by.
func (f *figure) save(path string) error {
	canvas := vgsvg.New(width, height)
	c := draw.New(canvas)
	c.SetColor(color.White) // legible on a dark page, too
	c.Fill(c.Rectangle.Path())
	f.Draw(draw.Crop(c, margin, -legendWidth, margin, -margin))
	f.legend.Draw(draw.Crop(c, 0, -margin, 0, 0))
	var drawn bytes.Buffer
	if _, err := canvas.WriteTo(&drawn); err != nil {
		return err
	}
	text := bytes.ReplaceAll(drawn.Bytes(),
		[]byte("font-family:Liberation Sans;"),
		[]byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
	return os.WriteFile(path, text, 0o644)
}
