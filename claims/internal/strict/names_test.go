package strict

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNames_Resembled(t *testing.T) {
	t.Parallel()
	long := "https://" + strings.Repeat("Example.", 12) + "example/Roles"
	names := NewNames("", "iss", "kid", "scope", "Roles", "roles", "groß", "Ärger", long)
	for name, want := range map[string]string{
		"": "", "iss": "", "x": "", "isss": "", "is": "",
		"ISS": "iss", "Iss": "iss", "i\u017fs": "iss", "i\u017f\u017f": "iss", "\u0131ss": "",
		"\u212aid": "kid", "kid": "", "KID": "kid", "\u017fcope": "scope",
		"roles": "", "Roles": "", "ROLES": "Roles",
		"GROß": "groß", "GRO\u1e9e": "groß", "gross": "", "ärger": "Ärger", "A\u0308rger": "",
		strings.ToUpper(long): long, long: "", long + "x": "", long[1:]: "",
		strings.Repeat("\u212a", 1000): "", strings.Repeat("I", 1000): "",
	} {
		assert.Equal(t, want, names.Resembled(name), "%q", name)
	}
	assert.Empty(t, NewNames().Resembled("x"))
	assert.Empty(t, NewNames().Resembled(""))
	assert.Empty(t, NewNames("iss").Resembled("Äss"))
}

// It is what strings.EqualFold says, for every character.
func TestNames_Resembled_allCharacters(t *testing.T) {
	t.Parallel()
	var all []string
	for char := rune(1); char < 0x1f000; char++ {
		if char < 0xd800 || char > 0xdfff {
			all = append(all, string(char))
		}
	}
	for _, name := range []string{"s", "k", "K", "\u017f", "\u212a", "å", "\u212b", "σ", "ς", "ǅ", "1"} {
		names := NewNames(name)
		for _, other := range all {
			want := ""
			if other != name && strings.EqualFold(other, name) {
				want = name
			}
			if got := names.Resembled(other); got != want {
				assert.Equal(t, want, got, "%q and %q", name, other)
			}
		}
	}
}

func TestNames_Resembled_allocations(t *testing.T) {
	names := NewNames("iss", "client_id")
	for _, name := range []string{"CLIENT_ID", "i\u017f\u017f", strings.Repeat("A", 1000), "é"} {
		assert.Zero(t, testing.AllocsPerRun(10, func() { names.Resembled(name) }), name)
	}
}
