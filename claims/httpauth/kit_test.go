package httpauth_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// read is a challenge as a client reads it.
type read struct {
	scheme string
	params map[string]string // by name in lower case
}

// readAll returns the challenges in the fields of an answer. It is written from
// the grammar of RFC 9110 section 11.6.1 and 5.6 and knows nothing of the
// package that it tests: what is not that grammar fails the test.
func readAll(t testing.TB, fields ...string) []read {
	t.Helper()
	var found []read
	for _, field := range fields {
		r := reader{t, field}
		found = append(found, r.challenges()...)
		require.Empty(t, r.rest, "after the challenges in %q", field)
	}
	return found
}

type reader struct {
	t    testing.TB
	rest string
}

// challenges = challenge *( OWS "," OWS challenge ). What follows a comma is a
// challenge if it is a token and a space, and a parameter if it is a token and
// "=".
func (r *reader) challenges() []read {
	var found []read
	for {
		name := r.token()
		if r.skip("=") {
			require.NotEmpty(r.t, found, "a parameter of no challenge")
			params := found[len(found)-1].params
			name = strings.ToLower(name)
			require.NotContains(r.t, params, name, "a parameter twice")
			params[name] = r.value()
		} else {
			found = append(found, read{name, map[string]string{}})
			if r.skip(" ") {
				continue
			}
		}
		r.blanks()
		if !r.skip(",") {
			return found
		}
		r.blanks()
	}
}

func (r *reader) blanks() { r.rest = strings.TrimLeft(r.rest, " \t") }

func (r *reader) skip(s string) bool {
	rest, found := strings.CutPrefix(r.rest, s)
	r.rest = rest
	return found
}

// token = 1*tchar
func (r *reader) token() string {
	const tchar = "!#$%&'*+-.^_`|~0123456789" +
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	rest := strings.TrimLeft(r.rest, tchar)
	token := r.rest[:len(r.rest)-len(rest)]
	require.NotEmpty(r.t, token, "no token before %q", r.rest)
	r.rest = rest
	return token
}

// value = token / quoted-string
func (r *reader) value() string {
	if !r.skip(`"`) {
		return r.token()
	}
	var b strings.Builder
	for !r.skip(`"`) {
		r.skip(`\`)
		require.NotEmpty(r.t, r.rest, "no end of a quoted-string")
		c := r.rest[0]
		require.True(r.t, c == '\t' || 0x20 <= c && c < 0x7f, "%q in a quoted-string", c)
		b.WriteByte(c)
		r.rest = r.rest[1:]
	}
	return b.String()
}
