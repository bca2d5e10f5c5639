package strict

import (
	"strconv"
	"strings"
	"time"
)

// ReadNumber reads a number and returns its text.
func (r *Reader) ReadNumber() string {
	r.space()
	if r.Failed() {
		return ""
	}
	start := r.pos
	var ok bool
	if r.pos, ok = number(r.text, start); !ok {
		r.Fail()
		return ""
	}
	return r.text[start:r.pos]
}

// number returns where a number ends, or where there should be a digit.
func number(text string, at int) (end int, ok bool) {
	if at < len(text) && text[at] == '-' {
		at++
	}
	if at < len(text) && text[at] == '0' {
		at++
	} else if at, ok = digits(text, at); !ok {
		return at, false
	}
	if at < len(text) && text[at] == '.' {
		if at, ok = digits(text, at+1); !ok {
			return at, false
		}
	}
	if at < len(text) && text[at]|0x20 == 'e' {
		at++
		if at < len(text) && (text[at] == '+' || text[at] == '-') {
			at++
		}
		if at, ok = digits(text, at); !ok {
			return at, false
		}
	}
	return at, true
}

// digits returns where digits end, of which there must be one.
func digits(text string, at int) (end int, ok bool) {
	for end = at; end < len(text) && text[end]-'0' <= 9; end++ {
	}
	return end, end > at
}

const (
	// maxDate is the last second of the year 9999, the last that RFC 3339 can
	// write.
	maxDate = 253402300799
	// maxDateSize is more than a date with nanoseconds takes, and little enough
	// to work out for nothing.
	maxDateSize = 64
)

// ReadDate reads a NumericDate (RFC 7519 section 2), an integer or a fraction,
// from 1970 to 9999. It is exact to the nanosecond, whatever follows being cut
// off: rounded up, a token would live on.
func (r *Reader) ReadDate() time.Time {
	text := r.ReadNumber()
	if r.Failed() {
		return time.Time{}
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		if seconds < 0 || seconds > maxDate {
			r.Fail()
			return time.Time{}
		}
		return time.Unix(seconds, 0)
	}
	seconds, nanoseconds, ok := parseDate(text)
	if !ok {
		r.Fail()
		return time.Time{}
	}
	return time.Unix(seconds, nanoseconds)
}

// parseDate works on the digits, as a float64 would round: text is a number of
// the form that JSON has (RFC 8259 section 6).
func parseDate(text string) (seconds, nanoseconds int64, ok bool) {
	if len(text) > maxDateSize {
		return 0, 0, false
	}
	negative := strings.HasPrefix(text, "-")
	mantissa, power := strings.TrimPrefix(text, "-"), 0
	if i := strings.IndexAny(mantissa, "eE"); i >= 0 {
		// An exponent too large for an int comes out as the largest, with an
		// error.
		power, _ = strconv.Atoi(mantissa[i+1:])
		mantissa = mantissa[:i]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" { // zero, "-0" and "0e999" included
		return 0, 0, true
	}
	if negative {
		return 0, 0, false
	}
	const exponents = 1000 // beyond them it is too large or nothing
	point := len(digits) - len(fraction) + min(max(power, -exponents), exponents)
	const nano = 9
	if point > len("253402300799") {
		return 0, 0, false
	}
	// Digits of seconds and nanoseconds, padded or cut to what they are.
	if point < 0 {
		digits, point = strings.Repeat("0", -max(point, -nano-1))+digits, 0
	}
	digits += strings.Repeat("0", max(0, point+nano-len(digits)))
	seconds, _ = strconv.ParseInt("0"+digits[:point], 10, 64)
	nanoseconds, _ = strconv.ParseInt(digits[point:point+nano], 10, 64)
	beyond := seconds > maxDate || seconds == maxDate && strings.Trim(digits[point:], "0") != ""
	return seconds, nanoseconds, !beyond
}
