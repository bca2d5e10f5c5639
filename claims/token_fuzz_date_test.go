package claims_test

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

const (
	lastSecond = int64(253402300799) // of the year 9999
	maxNumber  = 64                  // characters of a NumericDate
)

var jsonNumber = regexp.MustCompile(`^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$`)

// exactDate returns the time that a JSON number stands for, to the nanosecond
// below, and whether it lies within 1970 to 9999. Past the last whole second
// there is nothing: a fraction of it is out of range.
func exactDate(text string) (time.Time, bool) {
	part := jsonNumber.FindStringSubmatch(text)
	if part == nil {
		return time.Time{}, false
	}
	digits := strings.TrimLeft(part[2]+part[3], "0")
	if digits == "" {
		return time.Unix(0, 0), true // also with a minus
	}
	if part[1] == "-" {
		return time.Time{}, false
	}
	exponent := new(big.Int)
	if part[4] != "" {
		exponent.SetString(part[4], 10)
	}
	// The number is 0.digits times ten to the power of point. Only where that
	// is small may the exponent be worked out, or it would take all memory.
	point := exponent.Add(exponent, big.NewInt(int64(len(digits)-len(part[3]))))
	switch {
	case point.Cmp(big.NewInt(13)) > 0:
		return time.Time{}, false
	case point.Cmp(big.NewInt(-9)) < 0:
		return time.Unix(0, 0), true
	}
	value, ok := new(big.Rat).SetString("0." + digits + "e" + point.String())
	if !ok {
		panic("no number: " + text)
	}
	if value.Cmp(big.NewRat(lastSecond, 1)) > 0 {
		return time.Time{}, false
	}
	value.Mul(value, big.NewRat(1e9, 1))
	nanoseconds := new(big.Int).Quo(value.Num(), value.Denom())
	seconds, rest := nanoseconds.QuoRem(nanoseconds, big.NewInt(1e9), new(big.Int))
	return time.Unix(seconds.Int64(), rest.Int64()), true
}

func dateSeeds() []string {
	const zeros = "0000000000"
	list := []string{
		"0", "-0", "0.0", "-0.0", "0e0", "-0e5", "-0E-5", "0e999999999999999999999", "-0e-99999999999",
		"1", "-1", "1.5", "1.0", "1.50", "1e0", "1E0", "1e+0", "1e-0", "1e00", "12e-1", "0.1e1", "10e-1",
		"0.000000001", "0.0000000009", "0.0000000010", "0.9999999999", "1e-9", "1e-10", "9e-10", "-1e-10",
		"1e-400", "-1e-400", "1e-99999999999999999999", "-1e-99999999999999999999", "-0.1", "-1e300",
		"1700000000", "1700000000.0", "1700000000.000000001", "1700000000.0000000009",
		"1699999999.999999999", "1699999999.9999999999", "1699999999.99999999999999999999",
		"1.7e9", "1.7E+9", "1.699999999999999999e9", "17e8", "0.17e10", "1700000000e0", "1700000000000e-3",
		"1700000000123456789e-9", "17000000001234567899e-10", "1700000000.123456789123456789",
		"253402300799", "253402300799.0", "253402300799.000000000000", "253402300799.000000000001",
		"253402300799.00000000000000000000001", "253402300799.5", "253402300798.999999999999999",
		"253402300800", "2.53402300799e11", "2.53402300799000000001e11", "2.534023008e11", "1e11", "1e12",
		"9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551617",
		"1e300", "1e400", "1e99999999999999999999", "1e2147483648", "1e-2147483649", "1e9223372036854775808",
		"4294967296.4294967296", "946684800.000000000999999999", "0.00000000000000000001e20", "1e0000000009",
		// Not numbers, or not a whole value.
		"", "+1", "01", "-01", ".5", "1.", "1.e1", "1e", "1e+", "--1", "1_000", "0x1p4", "1e1.5", "Infinity",
		"NaN", "-", "null", `"1700000000"`, "true", "{}", "[1]", " 1", "1 ", "1\n", "1 2", "\u0661",
	}
	// At the bound of the length, and over it.
	for _, number := range []string{"1700000000.", "0.", "1700000000.1", "253402300799."} {
		for _, n := range []int{maxNumber - 1, maxNumber, maxNumber + 1, 1000} {
			list = append(list, number+strings.Repeat(zeros, 100)[:n-len(number)])
		}
	}
	for _, n := range []int{maxNumber, maxNumber + 1} {
		list = append(list,
			"1"+strings.Repeat("0", n-4)+"e-"+strconv.Itoa(n-14),
			"1e"+strings.Repeat("0", n-3)+"9",
			"-0."+strings.Repeat("0", n-3),
		)
	}
	return list
}

// A NumericDate is accepted if its number is at most 64 characters long and in
// range, and then is exactly that number, whatever way it is written.
func FuzzNumericDate(f *testing.F) {
	for _, text := range dateSeeds() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// What is no value could bring members along.
		if !json.Valid([]byte(text)) {
			return
		}
		number := strings.Trim(text, " \t\r\n")
		want, ok := exactDate(number)
		ok = ok && len(number) <= maxNumber
		for name, read := range map[string]func(*claims.Claims) time.Time{
			"exp": (*claims.Claims).ExpiresAt,
			"nbf": (*claims.Claims).NotBefore,
			"iat": (*claims.Claims).IssuedAt,
		} {
			c, err := claims.FromJSON([]byte(`{"`+name+`":`+text+`}`), claims.Config{})
			require.Equal(t, ok, err == nil, "%s %q", name, text)
			if ok {
				assert.True(t, want.Equal(read(c)), "%s %q: want %v, got %v",
					name, text, want.UTC(), read(c).UTC())
			}
		}
	})
}

// The oracle is held to results worked out by hand.
func TestExactDate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text        string
		ok          bool
		seconds     int64
		nanoseconds int64
	}{
		{text: "0", ok: true},
		{text: "-0", ok: true},
		{text: "-0.0e99999999999999999999", ok: true},
		{text: "-1"},
		{text: "-1e-99999999999999999999"},
		{text: "1e-99999999999999999999", ok: true},
		{text: "1e99999999999999999999"},
		{text: "0.0000000009", ok: true},
		{text: "1e-9", ok: true, nanoseconds: 1},
		{text: "1.7e9", ok: true, seconds: 1700000000},
		{text: "1699999999.9999999999", ok: true, seconds: 1699999999, nanoseconds: 999999999},
		{text: "17000000001234567899e-10", ok: true, seconds: 1700000000, nanoseconds: 123456789},
		{text: "253402300799", ok: true, seconds: 253402300799},
		{text: "253402300799.000", ok: true, seconds: 253402300799},
		{text: "253402300799.000000000000000000001"},
		{text: "253402300800"},
		{text: "01"},
		{text: "+1"},
		{text: "1."},
		{text: ""},
	} {
		got, ok := exactDate(tt.text)
		assert.Equal(t, tt.ok, ok, tt.text)
		if ok {
			assert.True(t, time.Unix(tt.seconds, tt.nanoseconds).Equal(got), "%s is %v", tt.text, got.UTC())
		}
	}
}
