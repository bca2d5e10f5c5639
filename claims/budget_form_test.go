//go:build !race

package claims

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A refusal by form is cheap, whatever the token is full of.
func TestBudget_form(t *testing.T) {
	for name, text := range map[string]string{
		"too large":     strings.Repeat("A", maxTokenSize+1),
		"one segment":   strings.Repeat("A", maxTokenSize),
		"many segments": strings.Repeat("A.", maxTokenSize/2),
		"line break":    "AA.AA.AA\n",
	} {
		g, nobody := newGate(algorithms, 10), new(issuerTable)
		refuse := func() error {
			_, _, err := g.authenticate(t.Context(), Request{Scheme: "Bearer", Token: text}, nobody)
			return err
		}
		err := refuse()
		require.Error(t, err, name)
		assert.Zero(t, testing.AllocsPerRun(20, func() { _ = refuse() }), name)
	}
}

// What has a fault is not returned in part.
func TestReader_zeroOnFault(t *testing.T) {
	t.Parallel()
	name := func(r *reader) string { return r.name(new(members)) }
	date := func(r *reader) string {
		if at := r.date(); !at.IsZero() {
			return at.String()
		}
		return ""
	}
	escape := func(r *reader) string { return strings.Trim(string(r.escape()), "\x00\ufffd") }
	for _, tt := range []struct {
		name string
		read func(*reader) string
		text string
	}{
		{name: "open string", read: (*reader).string, text: `"ab`},
		{name: "string without a quote before it", read: (*reader).string, text: `ab"`},
		{name: "string with a line break", read: (*reader).string, text: "\"a\nb\""},
		{name: "open string with an escape", read: (*reader).string, text: `"a\nb`},
		{name: "string with a bad escape", read: (*reader).string, text: `"a\nb\x"`},
		{name: "string with a line break after an escape", read: (*reader).string, text: "\"a\\nb\n\""},
		{name: "number without a fraction", read: (*reader).number, text: `1.`},
		{name: "number without an exponent", read: (*reader).number, text: `1e`},
		{name: "date without a fraction", read: date, text: `1.`},
		{name: "date before 1970", read: date, text: `-1`},
		{name: "date after 9999", read: date, text: `253402300800`},
		{name: "date after 9999, with an exponent", read: date, text: `1e300`},
		{name: "value with a fault within", read: (*reader).raw, text: `[1 2]`},
		{name: "name without a colon", read: name, text: `"a" 1`},
		{name: "code cut short", read: escape, text: `u004`},
		{name: "code of other letters", read: escape, text: `u004g`},
		{name: "escape of another letter", read: escape, text: `a`},
		{name: "escape of nothing", read: escape, text: ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newReader(tt.text)
			assert.Empty(t, tt.read(&r))
			assert.True(t, r.bad)
		})
	}
	seen := new(members)
	for _, want := range []string{"a", ""} {
		r := newReader(`"a":1`)
		assert.Equal(t, want, r.name(seen), "the second time it is a duplicate")
	}
}
