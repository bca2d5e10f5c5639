package main

import (
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/examples/bench/internal/measured"
)

// missing stands where a benchmark was not run.
const missing = "–"

// cell formats a median by one of the functions below.
func cell(r *measured.Results, name, unit string, format func(float64) string) string {
	value, ok := r.Median(name, unit)
	if !ok {
		return missing
	}
	return format(value)
}

func duration(seconds float64) string {
	switch {
	case seconds >= 1e-3:
		return significant(seconds*1e3) + " ms"
	case seconds >= 1e-6:
		return significant(seconds*1e6) + " µs"
	default:
		return significant(seconds*1e9) + " ns"
	}
}

func ratio(value float64) string { return strconv.FormatFloat(value, 'f', 2, 64) }

func perSecond(seconds float64) string { return count(1 / seconds) }

func bytes(value float64) string { return count(value) + " B" }

func count(value float64) string { return grouped(strconv.FormatFloat(value, 'f', 0, 64)) }

// significant keeps three digits, as no more are sure.
func significant(value float64) string {
	decimals := 0
	switch {
	case value < 10:
		decimals = 2
	case value < 100:
		decimals = 1
	}
	return grouped(strconv.FormatFloat(value, 'f', decimals, 64))
}

func grouped(digits string) string {
	whole, fraction, has := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if has {
		return whole + "." + fraction
	}
	return whole
}
