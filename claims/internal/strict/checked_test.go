package strict

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// describe writes down what a Reader finds in a value.
func describe(r *Reader) string {
	switch r.Peek() {
	case '{':
		var b strings.Builder
		var seen Members
		for r.Enter('{'); r.Next('}'); {
			fmt.Fprintf(&b, "%q: %s\n", r.ReadName(&seen), describe(r))
		}
		return "{" + b.String() + "}"
	case '[':
		var b strings.Builder
		for r.Enter('['); r.Next(']'); {
			b.WriteString(describe(r) + "\n")
		}
		return "[" + b.String() + "]"
	case '"':
		again := *r
		return fmt.Sprintf("%q %q", r.ReadString(), again.ReadWords())
	}
	return r.ReadRaw()
}

// describeChecked writes down what a Checked finds in a value.
func describeChecked(r *Checked) string {
	switch r.Peek() {
	case '{':
		var b strings.Builder
		for r.Enter(); r.Next(); {
			fmt.Fprintf(&b, "%q: %s\n", r.ReadName(), describeChecked(r))
		}
		return "{" + b.String() + "}"
	case '[':
		var b strings.Builder
		for r.Enter(); r.Next(); {
			b.WriteString(describeChecked(r) + "\n")
		}
		return "[" + b.String() + "]"
	case '"':
		again := *r
		return fmt.Sprintf("%q %q", r.ReadString(), again.AppendWords(nil))
	}
	start := r.At()
	r.Skip()
	return r.Since(start)
}

// FuzzChecked: what a Reader reads without a fault a Checked reads alike, and
// it comes to an end whatever it reads.
func FuzzChecked(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,-2.5e3,true,false,null,"",{},[]],"b":{"c":"d"}}`,
		" { \"a\" : [ 1 , \"x y\" , { } , [ ] ] ,\n\t\"b\" : true } ",
		`{"a\"b":"c\\","\u0061\n":"\ud83d\ude00","long enough for a word":"long enough \" for two of them"}`,
		"[\"\u017f\u212a\",\"]\",\"}\",\"[{,:\"]", `"a`, `"a\`, `{"a"`, `{"a":`, `[1,`, `]`, `}`, `:`, `,`, ``, `[}`,
		strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		sound, read, skipped := NewReader(text), NewChecked(text), NewChecked(text)
		got := describeChecked(&read)
		skipped.Skip()
		want := describe(&sound)
		place := sound.Place()
		if !sound.End() {
			return
		}
		assert.Equal(t, want, got)
		assert.Equal(t, place, read.pos)
		assert.Equal(t, place, skipped.pos)
	})
}

// To read again what has no escapes costs no allocation.
func TestChecked_allocations(t *testing.T) {
	const text = `{"a":["one","two \u0033"],"b":{"c":true},"d":"e"}`
	var found []string
	allocations := testing.AllocsPerRun(100, func() {
		found = found[:0]
		r := NewChecked(text)
		for r.Enter(); r.Next(); {
			if found = append(found, r.ReadName()); r.Peek() == '"' {
				found = append(found, r.ReadString())
			} else {
				r.Skip()
			}
		}
	})
	require.Equal(t, []string{"a", "b", "d", "e"}, slices.Clone(found))
	assert.Zero(t, allocations)
}
