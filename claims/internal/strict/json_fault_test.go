package strict

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What is wrong with a text, and near which byte.
func TestReader_Fault(t *testing.T) {
	t.Parallel()
	members := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"%d":0`, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	for _, tt := range []struct {
		name, text string
		want       Fault
		place      int
		repeated   string
	}{
		{name: "good", text: `{"a":[1,{}]}`, place: 12},
		{name: "no value", text: `{"a":}`, want: Syntax, place: 5},
		{name: "cut short", text: `{"a":"b`, want: Syntax, place: 6},
		{name: "line break in a string", text: "{\"a\":\"b\n\"}", want: Syntax, place: 7},
		{name: "escape", text: `{"a":"b\x"}`, want: Syntax, place: 9},
		{name: "byte", text: "{\"a\":\"b\xff\"}", want: NotUTF8, place: 6},
		{name: "byte before an escape", text: "{\"a\":\"b\xff\\n\"}", want: NotUTF8, place: 6},
		{name: "byte behind an escape", text: "{\"a\":\"\\nb\xff\"}", want: NotUTF8, place: 8},
		{name: "half of a pair", text: `{"a":"\ud800"}`, want: NotUTF8, place: 12},
		{name: "other half", text: `{"a":"\udc00\ud800"}`, want: NotUTF8, place: 18},
		{name: "twice", text: `{"a":{"b":1,"\u0062":2}}`, want: Twice, place: 20, repeated: "b"},
		{name: "the empty name twice", text: `{"":1,"":2}`, want: Twice, place: 8},
		{name: "deepest", text: strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth), place: 2 * MaxDepth},
		{name: "deeper", text: strings.Repeat("[", MaxDepth+1), want: TooDeep, place: MaxDepth + 1},
		{name: "most members", text: members(MaxMembers), place: len(members(MaxMembers))},
		{name: "more members", text: members(MaxMembers + 1), want: TooMany, place: len(members(MaxMembers+1)) - 3},
		{
			name: "more in all", text: "[" + members(MaxMembers/2) + "," + members(MaxMembers/2) + `,{"a":0}]`,
			want: TooMany, place: 2*len(members(MaxMembers/2)) + 7,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := NewReader(tt.text)
			r.Skip()
			assert.Equal(t, tt.want, r.Fault())
			assert.Equal(t, tt.want != Sound, r.Failed())
			assert.Equal(t, tt.place, r.Place())
			assert.Equal(t, tt.repeated, r.Repeated())
		})
	}
}
