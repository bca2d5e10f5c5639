package strict

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readObject reads text as an object whose members' values are read with read.
func readObject(text string, read func(r *Reader)) bool {
	var seen Members
	r := NewReader(text)
	for r.Enter('{'); r.Next('}'); {
		r.ReadName(&seen)
		read(&r)
	}
	return r.End()
}

// readText reads text as the value of a member, with read.
func readText(text string, read func(r *Reader)) bool {
	return readObject(`{"x":`+text+`}`, read)
}

func arrays(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func objects(n int) string {
	return strings.Repeat(`{"x":`, n-1) + "{}" + strings.Repeat("}", n-1)
}

func TestReadObject(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		text     string
		ok       bool
		stricter bool // than encoding/json, which takes it
	}{
		{name: "empty", text: `{}`, ok: true},
		{name: "all types", text: `{"a":1,"b":"x","c":true,"d":false,"e":null,"f":{},"g":[]}`, ok: true},
		{name: "nested", text: `{"a":[{"b":[[1],{"c":{}}]},"x"],"b":{"a":{"a":1}}}`, ok: true},
		{name: "empty name", text: `{"":1}`, ok: true},
		{name: "white space", text: " \t\r\n{ \"a\"\n:\t1 ,\r\"b\" : [ 1 , 2 ] } \n", ok: true},
		{name: "not ASCII", text: `{"é":"漢字😀"}`, ok: true},
		{name: "delete and C1 controls", text: "{\"a\":\"\x7f\u0080\u2028\"}", ok: true},
		{name: "noncharacters", text: "{\"a\":\"\ufffe\uffff\ufffd\"}", ok: true},
		{name: "same name at several depths", text: `{"a":{"a":[{"a":1},{"a":2}]}}`, ok: true},
		{name: "names differ in case", text: `{"a":1,"A":2}`, ok: true},
		{name: "names differ in normal form", text: `{"é":1,"e\u0301":2}`, ok: true},

		{name: "nothing", text: ``},
		{name: "white space alone", text: ` `},
		{name: "array", text: `[]`, stricter: true},
		{name: "string", text: `"a"`, stricter: true},
		{name: "number", text: `1`, stricter: true},
		{name: "null", text: `null`, stricter: true},
		{name: "open", text: `{`},
		{name: "open after a name", text: `{"a"`},
		{name: "open after a colon", text: `{"a":`},
		{name: "open after a value", text: `{"a":1`},
		{name: "open after a comma", text: `{"a":1,`},
		{name: "open in an escape", text: `{"a\`},
		{name: "open array", text: `{"a":[1`},
		{name: "comma last", text: `{"a":1,}`},
		{name: "comma first", text: `{,"a":1}`},
		{name: "comma alone", text: `{,}`},
		{name: "two commas", text: `{"a":1,,"b":2}`},
		{name: "no comma", text: `{"a":1 "b":2}`},
		{name: "no colon", text: `{"a" 1}`},
		{name: "two colons", text: `{"a"::1}`},
		{name: "no value", text: `{"a":}`},
		{name: "no name", text: `{:1}`},
		{name: "name a number", text: `{1:1}`},
		{name: "name null", text: `{null:1}`},
		{name: "comma last in an array", text: `{"a":[1,]}`},
		{name: "comma alone in an array", text: `{"a":[,]}`},
		{name: "wrong bracket", text: `{"a":[1}}`},
		{name: "wrong brace", text: `{"a":1]`},
		{name: "single quotes", text: `{'a':1}`},
		{name: "comment", text: `{/**/"a":1}`},
		{name: "line comment", text: "{\"a\":1//x\n}"},
		{name: "letters after it", text: `{}x`},
		{name: "object after it", text: `{}{}`},
		{name: "brace after it", text: `{}}`},
		{name: "comma after it", text: `{},`},
		{name: "NUL after it", text: "{}\x00"},
		{name: "NUL as a value", text: "{\"a\":\x00}"},
		{name: "byte order mark", text: "\ufeff{}"},
		{name: "other white space", text: "{\v}"},
		{name: "no-break space", text: "{\u00a0}"},
		{name: "line separator", text: "{\u2028}"},

		{name: "not UTF-8 in a value", text: "{\"a\":\"\xff\"}", stricter: true},
		{name: "not UTF-8 in a name", text: "{\"\xff\":1}", stricter: true},
		{name: "UTF-8 cut short", text: "{\"a\":\"\xe2\x82\"}", stricter: true},
		{name: "surrogate in UTF-8", text: "{\"a\":\"\xed\xa0\x80\"}", stricter: true},
		{name: "overlong", text: "{\"a\":\"\xc0\x80\"}", stricter: true},
		{name: "beyond Unicode", text: "{\"a\":\"\xf4\x90\x80\x80\"}", stricter: true},

		{name: "duplicate", text: `{"a":1,"a":1}`, stricter: true},
		{name: "duplicate empty name", text: `{"":1,"":2}`, stricter: true},
		{name: "duplicate by escape", text: `{"a":1,"\u0061":2}`, stricter: true},
		{name: "duplicate, both escaped", text: `{"\u002F":1,"\/":2}`, stricter: true},
		{name: "duplicate surrogate pair", text: `{"😀":1,"\ud83d\ude00":2}`, stricter: true},
		{name: "duplicate nested", text: `{"x":{"a":1,"a":1}}`, stricter: true},
		{name: "duplicate in an array", text: `{"x":[1,{"a":1,"b":2,"a":1}]}`, stricter: true},
		{name: "duplicate, and open after it", text: `{"a":1,"a":`},
		{name: "duplicate nested, and no value", text: `{"x":{"a":1,"a":}`},

		{name: "32 arrays deep", text: `{"a":` + arrays(31) + `}`, ok: true},
		{name: "33 arrays deep", text: `{"a":` + arrays(32) + `}`, stricter: true},
		{name: "32 objects deep", text: objects(32), ok: true},
		{name: "33 objects deep", text: objects(33), stricter: true},
		{name: "many shallow", text: `{"a":[` + strings.Repeat(`[],`, 99) + `[]]}`, ok: true},
		{name: "many shallow objects", text: `{"a":[` + strings.Repeat(`{},`, 99) + `{}]}`, ok: true},
		{name: "32 deep twice", text: `{"a":` + arrays(31) + `,"b":` + arrays(31) + `}`, ok: true},
		{name: "open and deep", text: strings.Repeat("[", 100000)},
		{name: "open objects and deep", text: strings.Repeat(`{"a":`, 100000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.ok, readObject(tt.text, (*Reader).Skip))
			assert.Equal(t, tt.ok || tt.stricter, json.Valid([]byte(tt.text)), "encoding/json")
		})
	}
}

func TestReader_strings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		text     string
		ok       bool
		stricter bool
	}{
		{name: "empty", text: `""`, ok: true},
		{name: "plain", text: `"alice"`, ok: true},
		{name: "not ASCII", text: `"é漢😀"`, ok: true},
		{name: "delete", text: "\"\x7f\"", ok: true},
		{name: "short escapes", text: `"\"\\\/\b\f\n\r\t"`, ok: true},
		{name: "escapes amid", text: `"a\nb\u0063d"`, ok: true},
		{name: "NUL", text: `"\u0000"`, ok: true},
		{name: "space after an escape", text: `"\u0061 b"`, ok: true},
		{name: "hex in both cases", text: `"\u00e9\u00E9\uABCD\uabcd"`, ok: true},
		{name: "least and greatest hex digits", text: `"\u0a0A\u0f0F\u0909"`, ok: true},
		{name: "before the surrogates", text: `"\ud7ff"`, ok: true},
		{name: "after the surrogates", text: `"\ue000"`, ok: true},
		{name: "replacement character", text: `"\ufffd"`, ok: true},
		{name: "noncharacter", text: `"\uffff"`, ok: true},
		{name: "pair", text: `"\ud83d\ude00"`, ok: true},
		{name: "least pair", text: `"\ud800\udc00"`, ok: true},
		{name: "greatest pair", text: `"\udbff\udfff"`, ok: true},
		{name: "pair in upper case", text: `"\uD83D\uDE00x"`, ok: true},
		{name: "backslash before u", text: `"\\ud800"`, ok: true},
		{name: "lone high", text: `"\ud83d"`, stricter: true},
		{name: "lone high and text", text: `"\ud83dx"`, stricter: true},
		{name: "lone low", text: `"\ude00"`, stricter: true},
		{name: "low and high", text: `"\ude00\ud83d"`, stricter: true},
		{name: "two high", text: `"\ud83d\ud83d"`, stricter: true},
		{name: "high and a letter", text: `"\ud83d\u0061"`, stricter: true},
		{name: "high and a line break", text: `"\ud83d\n"`, stricter: true},
		{name: "high and U escaped in text", text: `"\ud83d\\ude00"`, stricter: true},
		{name: "high and a low without its backslash", text: `"\ud83dde00"`, stricter: true},
		{name: "high and half a low", text: `"\ud83d\ude0"`},
		{name: "high and upper-case U", text: `"\ud83d\Ude00"`},
		{name: "open", text: `"a`},
		{name: "open after an escape", text: `"a\n`},
		{name: "open in an escape", text: `"a\`},
		{name: "open in a code", text: `"\u00`},
		{name: "code too short", text: `"\u00e"`},
		{name: "code of one digit", text: `"\u1"`},
		{name: "code not hex", text: `"\u00g0"`},
		{name: "code with a sign", text: `"\u+061"`},
		{name: "code with a space", text: `"\u 061"`},
		{name: "unknown escape", text: `"\a"`},
		{name: "escaped zero", text: `"\0"`},
		{name: "escaped x", text: `"\x41"`},
		{name: "escaped single quote", text: `"\'"`},
		{name: "line break", text: "\"a\nb\""},
		{name: "line break after an escape", text: "\"\\n\nb\""},
		{name: "line break, and open", text: "\"\n"},
		{name: "line break after an escape, and open", text: "\"\\n\n"},
		{name: "tab", text: "\"\t\""},
		{name: "NUL as it is", text: "\"\x00\""},
		{name: "unit separator", text: "\"\x1f\""},
		{name: "single quotes", text: `'a'`},
		{name: "no quotes", text: `a`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var ours, theirs string
			ok := readText(tt.text, func(r *Reader) { ours = r.ReadString() })
			assert.Equal(t, tt.ok, ok)
			assert.Equal(t, tt.ok, readText(tt.text, (*Reader).Skip), "skipped")
			assert.Equal(t, tt.ok, readObject(`{`+tt.text+`:1}`, (*Reader).Skip), "as a name")
			err := json.Unmarshal([]byte(tt.text), &theirs)
			assert.Equal(t, tt.ok || tt.stricter, err == nil, "encoding/json")
			if tt.ok {
				assert.Equal(t, theirs, ours)
			}
		})
	}
}

func TestReader_string_wrongType(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`1`, `null`, `true`, `{}`, `[]`, `["a"]`, ``} {
		assert.False(t, readText(text, func(r *Reader) { r.ReadString() }), text)
	}
}

func TestReader_numbers(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		`0`: true, `-0`: true, `1`: true, `-1`: true, `10`: true, `1234567890123456789012345`: true,
		`0.0`: true, `0.5`: true, `-0.5`: true, `1.50`: true, `1e3`: true, `1E3`: true, `1e+3`: true,
		`1e-3`: true, `0e0`: true, `1.5e300`: true, `1e999`: true, `0e-0`: true, ` 1 `: true,

		``: false, `-`: false, `+1`: false, `.5`: false, `1.`: false, `01`: false, `-01`: false,
		`00`: false, `1e`: false, `1e+`: false, `1.e1`: false, `0x1`: false, `1_000`: false,
		`1 000`: false,
		`--1`:   false,
		`1e1.5`: false, `1-1`: false, `- 1`: false, `NaN`: false, `Infinity`: false, `-Infinity`: false,
		`1f`: false, `1.5.5`: false, `e1`: false, `١`: false, `1,`: false, `-.5`: false, `1e+-1`: false,
	} {
		var ours string
		assert.Equal(t, ok, readText(text, func(r *Reader) { ours = r.ReadNumber() }), text)
		assert.Equal(t, ok, readText(text, (*Reader).Skip), "%s skipped", text)
		var theirs json.Number
		err := json.Unmarshal([]byte(text), &theirs)
		assert.Equal(t, ok, err == nil, "encoding/json: %s", text)
		if ok {
			assert.Equal(t, theirs.String(), ours)
		}
	}
}

func TestReader_literals(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		`true`: true, `false`: true, `null`: true, ` true `: true,
		`True`: false, `FALSE`: false, `nul`: false, `nulll`: false, `truefalse`: false, `t`: false,
		`tru e`: false, `undefined`: false, `nil`: false,
	} {
		assert.Equal(t, ok, readText(text, (*Reader).Skip), text)
		assert.Equal(t, ok, json.Valid([]byte(text)), "encoding/json: %s", text)
	}
}

func TestReader_dates(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want time.Time // zero if it is refused
	}{
		{text: `0`, want: time.Unix(0, 0)},
		{text: `-0`, want: time.Unix(0, 0)},
		{text: `0.0`, want: time.Unix(0, 0)},
		{text: `1`, want: time.Unix(1, 0)},
		{text: `1.5`, want: time.Unix(1, 5e8)},
		{text: `1.25e1`, want: time.Unix(12, 5e8)},
		{text: `1e9`, want: time.Unix(1e9, 0)},
		{text: `1700000000.0`, want: time.Unix(1_700_000_000, 0)},
		{text: `1700000000.5`, want: time.Unix(1_700_000_000, 5e8)},
		{text: `253402300799`, want: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{text: `2.53402300799e11`, want: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{text: `253402300799.5`},
		{text: `253402300799.0000000000001`},
		{text: `253402300799.000`, want: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{text: `1699999999.9999999999`, want: time.Unix(1_699_999_999, 999_999_999)},
		{text: `12e-1`, want: time.Unix(1, 2e8)},
		{text: `1e-999999999999999999999`, want: time.Unix(0, 0)},
		{text: `0e999999999999999999999`, want: time.Unix(0, 0)},
		{text: `1e999999999999999999999`},
		{text: `-1e-999999999999999999999`},
		{text: `1` + strings.Repeat("0", 64)},
		{text: `1.` + strings.Repeat("0", 62), want: time.Unix(1, 0)},
		{text: `1.` + strings.Repeat("0", 63)},
		{text: `253402300800`},
		{text: `1e12`},
		{text: `1e300`},
		{text: `1e999`},
		{text: `9223372036854775807`},
		{text: `9223372036854775808`},
		{text: `18446744073709551617`},
		{text: `-1`},
		{text: `-0.5`},
		{text: `-1e300`},
		{text: `-9223372036854775808`},
		{text: `"1"`},
		{text: `null`},
		{text: `true`},
		{text: `[1]`},
		{text: `{}`},
	} {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			var got time.Time
			ok := readText(tt.text, func(r *Reader) { got = r.ReadDate() })
			assert.Equal(t, !tt.want.IsZero(), ok)
			if ok {
				assert.True(t, tt.want.Equal(got), "%v", got)
			}
		})
	}
}

func TestReader_lists(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text    string
		ok      bool
		strings []string
		scopes  []string
	}{
		{text: `"a"`, ok: true, strings: []string{"a"}, scopes: []string{"a"}},
		{text: `""`, ok: true, strings: []string{""}, scopes: []string{}},
		{text: `"a b"`, ok: true, strings: []string{"a b"}, scopes: []string{"a", "b"}},
		{text: `" a  b "`, ok: true, strings: []string{" a  b "}, scopes: []string{"a", "b"}},
		{text: `"a\tb\nc"`, ok: true, strings: []string{"a\tb\nc"}, scopes: []string{"a\tb\nc"}},
		{text: `"a\u0020b"`, ok: true, strings: []string{"a b"}, scopes: []string{"a", "b"}},
		{text: `"a\u00a0b"`, ok: true, strings: []string{"a\u00a0b"}, scopes: []string{"a\u00a0b"}},
		{text: `"a,b"`, ok: true, strings: []string{"a,b"}, scopes: []string{"a,b"}},
		{text: `[]`, ok: true, strings: []string{}, scopes: []string{}},
		{text: ` [ ] `, ok: true, strings: []string{}, scopes: []string{}},
		{text: `["a"]`, ok: true, strings: []string{"a"}, scopes: []string{"a"}},
		{text: `["a","b"]`, ok: true, strings: []string{"a", "b"}, scopes: []string{"a", "b"}},
		{text: `["a b",""]`, ok: true, strings: []string{"a b", ""}, scopes: []string{"a b", ""}},
		{text: `["a","a"]`, ok: true, strings: []string{"a", "a"}, scopes: []string{"a", "a"}},
		{text: `["a",1]`},
		{text: `["a",null]`},
		{text: `[["a"]]`},
		{text: `["a",]`},
		{text: `["a"`},
		{text: `null`},
		{text: `1`},
		{text: `{}`},
	} {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			var list, scopes []string
			assert.Equal(t, tt.ok, readText(tt.text, func(r *Reader) { list = r.ReadStrings() }))
			assert.Equal(t, tt.ok, readText(tt.text, func(r *Reader) { scopes = r.ReadWords() }))
			if tt.ok {
				assert.Equal(t, tt.strings, list)
				assert.Equal(t, tt.scopes, scopes)
			}
		})
	}
}

// A list is made for as many scopes as there are.
func TestWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, " ": 0, "a": 1, "ab": 1, "a b": 2, " a": 1, "a ": 1, "  ab   c ": 2, "a\tb": 1,
	} {
		assert.Equal(t, want, words(text), "%q", text)
	}
}

// A duplicate is found wherever it and its twin are: names are kept in two
// ways.
func TestReadObject_duplicateAmongMany(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 15, 16, 17, 18, 33, 500, MaxMembers - 1} {
		members := make([]string, n)
		for i := range members {
			members[i] = fmt.Sprintf(`"m%d":%d`, i, i)
		}
		text := strings.Join(members, ",")
		require.True(t, readObject("{"+text+"}", (*Reader).Skip), "%d members", n)
		for _, twin := range []int{0, 1, 14, 15, 16, 17, n - 2, n - 1} {
			if twin < n {
				assert.False(t, readObject(fmt.Sprintf(`{%s,"m%d":0}`, text, twin), (*Reader).Skip),
					"%d members and the one at %d again", n, twin)
			}
		}
	}
}

// The sender chooses how many members there are and what they are called: their
// names must not be compared each with each.
func TestMembers_linear(t *testing.T) {
	t.Parallel()
	var seen Members
	few := len(seen.few)
	require.LessOrEqual(t, few, 32)
	for i := range 5000 {
		name := fmt.Sprint(i)
		require.True(t, seen.Add(name))
		require.False(t, seen.Add(name))
		require.Equal(t, i+1, seen.Len())
		if i < few {
			require.Nil(t, seen.many, "no table for %d names", i+1)
		} else {
			require.Less(t, 2*len(seen.many), len(seen.table)+2, "half of it is free")
		}
	}
}

// All members are there once, in the order of their names, however many.
func TestMembers_all(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 15, 16, 17, 18, 40} {
		var object Members
		want := map[string]string{}
		for i := range n {
			name := fmt.Sprintf("m%d", i*7%n)
			require.True(t, object.Add(name))
			object.Set(name, fmt.Sprint(i))
			want[name] = fmt.Sprint(i)
		}
		var names []string
		for name, value := range object.All() {
			names = append(names, name)
			assert.Equal(t, want[name], value)
		}
		assert.Equal(t, slices.Sorted(maps.Keys(want)), names)
		for range object.All() {
			break
		}
		for _, name := range append(names, "", "m", "m0x", "x0") {
			value, ok := object.Find(name)
			assert.Equal(t, want[name] != "", ok)
			assert.Equal(t, want[name], value)
		}
	}
}

// Allocations do not grow with the square of the number of members, and few
// members, which is what real tokens have, need none at all.
func TestReadObject_allocations(t *testing.T) {
	object := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"%04x":[{"x":"y"},-1.5e3,null,true]`, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	cost := func(n int) float64 {
		text := object(n)
		require.True(t, readObject(text, (*Reader).Skip))
		return testing.AllocsPerRun(20, func() { readObject(text, (*Reader).Skip) })
	}
	few, some, many := cost(16), cost(100), cost(250)
	assert.LessOrEqual(t, few, 1.0) // the reader
	// A table doubles its size, and the list too.
	assert.LessOrEqual(t, some, 8.0)
	assert.LessOrEqual(t, many, 16.0)
}

// After the first fault every call returns a zero value and the reader stays
// where it is: no caller has to ask in between.
func TestReader_staysBad(t *testing.T) {
	t.Parallel()
	r := &Reader{text: `"a" 1 [2] {"b":3} true`}
	r.Fail()
	assert.Empty(t, r.ReadString())
	assert.Empty(t, r.ReadNumber())
	assert.True(t, r.ReadDate().IsZero())
	r.ReadStrings()
	r.ReadWords()
	r.Skip()
	r.Enter('{')
	assert.False(t, r.Next('}'))
	assert.Empty(t, r.ReadName(new(Members)))
	assert.Empty(t, r.ReadRaw())
	r.expect('"')
	assert.Zero(t, r.pos)
	assert.Zero(t, r.Peek())
	assert.Zero(t, r.hex4())
	r.literal(r.text)
	assert.True(t, r.Failed())
	assert.Zero(t, r.pos)
	r = &Reader{text: `true`}
	r.literal(`false`)
	assert.Zero(t, r.pos)
	r = &Reader{text: `0041`, fault: Syntax}
	assert.Zero(t, r.hex4())
	r.fault = Sound
	assert.Equal(t, 'A', r.hex4(), "else it is read to its end")
}

// Wherever it stands in a string, however long that is and whatever follows,
// what is not UTF-8 is noticed.
func TestReadString_notUTF8(t *testing.T) {
	t.Parallel()
	for length := range 20 {
		for at := range length + 1 {
			for _, escape := range []string{"", `\n`} {
				for _, behind := range []string{"", `,"some":"more"`} {
					text := func(c string) string {
						plain := strings.Repeat("a", length)
						return plain[:at] + c + plain[at:] + escape
					}
					for _, c := range []string{"\xff", "\xc3", "\xed\xa0\x80"} {
						for _, object := range []string{
							`{"x":"` + text(c) + `"` + behind + `}`, `{"x":"` + escape + text(c) + `"` + behind + `}`,
							`{"` + text(c) + `":1` + behind + `}`,
						} {
							assert.False(t, readObject(object, (*Reader).Skip), "%q", object)
							assert.False(t, readObject(object, func(r *Reader) { r.ReadString() }), "%q", object)
						}
					}
					object := `{"x":"` + text("é") + `"` + behind + `}`
					assert.True(t, readObject(object, func(r *Reader) { r.ReadString() }), "%q", object)
				}
			}
		}
	}
}

// What has a fault is not returned in part.
func TestReader_zeroOnFault(t *testing.T) {
	t.Parallel()
	name := func(r *Reader) string { return r.ReadName(new(Members)) }
	date := func(r *Reader) string {
		if at := r.ReadDate(); !at.IsZero() {
			return at.String()
		}
		return ""
	}
	escape := func(r *Reader) string { return strings.Trim(string(r.escape()), "\x00\ufffd") }
	for _, tt := range []struct {
		name string
		read func(*Reader) string
		text string
	}{
		{name: "open string", read: (*Reader).ReadString, text: `"ab`},
		{name: "string without a quote before it", read: (*Reader).ReadString, text: `ab"`},
		{name: "string with a line break", read: (*Reader).ReadString, text: "\"a\nb\""},
		{name: "open string with an escape", read: (*Reader).ReadString, text: `"a\nb`},
		{name: "string with a bad escape", read: (*Reader).ReadString, text: `"a\nb\x"`},
		{name: "string with a line break after an escape", read: (*Reader).ReadString, text: "\"a\\nb\n\""},
		{name: "number without a fraction", read: (*Reader).ReadNumber, text: `1.`},
		{name: "number without an exponent", read: (*Reader).ReadNumber, text: `1e`},
		{name: "date without a fraction", read: date, text: `1.`},
		{name: "date before 1970", read: date, text: `-1`},
		{name: "date after 9999", read: date, text: `253402300800`},
		{name: "date after 9999, with an exponent", read: date, text: `1e300`},
		{name: "value with a fault within", read: (*Reader).ReadRaw, text: `[1 2]`},
		{name: "name without a colon", read: name, text: `"a" 1`},
		{name: "code cut short", read: escape, text: `u004`},
		{name: "code of other letters", read: escape, text: `u004g`},
		{name: "escape of another letter", read: escape, text: `a`},
		{name: "escape of nothing", read: escape, text: ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := NewReader(tt.text)
			assert.Empty(t, tt.read(&r))
			assert.True(t, r.Failed())
		})
	}
	seen := new(Members)
	for _, want := range []string{"a", ""} {
		r := NewReader(`"a":1`)
		assert.Equal(t, want, r.ReadName(seen), "the second time it is a duplicate")
	}
}
