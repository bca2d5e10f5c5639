package signed_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/internal/signed"
	"github.com/sallyport-go/sallyport/jwks"
)

// keysOf returns a key set of one key, for an issuer if that is given.
func keysOf(t testing.TB, key *claimstest.Key, issuer string) *jwks.Set {
	t.Helper()
	jwk := key.JWK()
	if issuer != "" {
		jwk["issuer"] = issuer
	}
	document, err := json.Marshal(map[string]any{"keys": []any{jwk}})
	require.NoError(t, err)
	set, err := jwks.Parse(document)
	require.NoError(t, err)
	return set
}

func TestVerify(t *testing.T) {
	t.Parallel()
	key := claimstest.MustKey("ES256")
	const issuer = "https://login.example/t1/v2.0"
	good := key.Sign([]byte(`{"alg":"ES256","kid":"`+key.ID+`","typ":"x+jwt"}`), []byte(`{"iss":"x"}`))
	for _, tt := range []struct {
		name, text, keyOf string
		algorithms        []string
		want              error
	}{
		{name: "good", text: good},
		{name: "a key of the issuer", text: good, keyOf: issuer},
		{name: "a key of all tenants", text: good, keyOf: "https://login.example/{tenantid}/v2.0"},
		{name: "a key of another issuer", text: good, keyOf: "https://other.example", want: signed.ErrKey},
		{name: "a key of another's tenants", text: good, keyOf: "https://other.example/{tenantid}/v2.0", want: signed.ErrKey},
		{name: "a key of a longer name's tenants", text: good, keyOf: "https://{host}/v2.0", want: signed.ErrKey},
		{name: "an algorithm that is not taken", text: good, algorithms: []string{"RS256"}, want: signed.ErrAlgorithm},
		{name: "another payload", text: good[:strings.IndexByte(good, '.')] + ".e30" + good[strings.LastIndexByte(good, '.'):], want: signed.ErrKey},
		{name: "unsigned", text: good[:strings.LastIndexByte(good, '.')+1], want: signed.ErrKey},
	} {
		token, err := signed.Parse(tt.text)
		require.NoError(t, err, tt.name)
		err = token.Verify(t.Context(), issuer, keysOf(t, key, tt.keyOf), tt.algorithms)
		if tt.want == nil {
			assert.NoError(t, err, tt.name)
		} else {
			assert.ErrorIs(t, err, tt.want, tt.name)
		}
	}
}

// down has no keys.
type down struct{}

func (down) Lookup(context.Context, string, string) ([]*jwks.Key, error) {
	return nil, jwks.ErrUnavailable
}

func TestVerify_unavailable(t *testing.T) {
	t.Parallel()
	token, err := signed.Parse(claimstest.MustKey("ES256").Sign([]byte(`{"alg":"ES256"}`), []byte(`{}`)))
	require.NoError(t, err)
	assert.ErrorIs(t, token.Verify(t.Context(), "x", down{}, nil), jwks.ErrUnavailable)
	token, err = signed.Parse(claimstest.MustKey("ES256").Sign([]byte(`{"alg":"none"}`), []byte(`{}`)))
	require.NoError(t, err)
	assert.ErrorIs(t, token.Verify(t.Context(), "x", down{}, nil), signed.ErrAlgorithm, "no key is looked up")
}

func TestObject(t *testing.T) {
	t.Parallel()
	o, err := signed.ParseObject(` {"s":"a\u0062","n":12,"f":1.5,"t":1700000000,"neg":-1,"big":1234567890123456789,
		"list":["a","b"],"o":{"x":1},"os":[{"a":1},{"b":2}],"null":null} `)
	require.NoError(t, err)
	s, err := o.String("s")
	require.NoError(t, err)
	assert.Equal(t, "ab", s)
	n, err := o.Number("n")
	require.NoError(t, err)
	assert.EqualValues(t, 12, n)
	at, err := o.Time("t")
	require.NoError(t, err)
	assert.True(t, time.Unix(1700000000, 0).Equal(at))
	list, err := o.Strings("list")
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, list)
	objects, err := o.Objects("os", 2)
	require.NoError(t, err)
	require.Len(t, objects, 2)
	assert.Equal(t, `{"b":2}`, objects[1].Text())
	assert.Equal(t, []string{"big", "f", "list", "n", "neg", "null", "o", "os", "s", "t"}, o.Names())
	for name, err := range map[string]error{
		"number of a fraction": second(o.Number("f")), "number below zero": second(o.Number("neg")),
		"number too large": second(o.Number("big")), "number of a string": second(o.Number("s")),
		"string of a number": second(o.String("n")), "string of null": second(o.String("null")),
		"time of a string": second(o.Time("s")), "strings of an object": second(o.Strings("o")),
		"object of a list": second(o.Object("list")), "objects of strings": second(o.Objects("list", 9)),
		"too many": second(o.Objects("os", 1)), "objects of an object": second(o.Objects("o", 9)),
	} {
		assert.ErrorIs(t, err, signed.ErrMalformed, name)
	}
	for name, err := range map[string]error{
		"number": second(o.Number("x")), "string": second(o.String("x")), "time": second(o.Time("x")),
		"strings": second(o.Strings("x")), "object": second(o.Object("x")), "objects": second(o.Objects("x", 0)),
	} {
		assert.NoError(t, err, "no %s is none", name)
	}
	var none signed.Object
	assert.False(t, none.Has("x"))
	assert.Empty(t, none.Names())
}

func second[T any](_ T, err error) error { return err }

// FuzzParse: what is read has one meaning, by encoding/json too.
func FuzzParse(f *testing.F) {
	key := claimstest.MustKey("ES256")
	f.Add(key.Sign([]byte(`{"alg":"ES256"}`), []byte(`{"iss":"x","events":{}}`)))
	f.Add("e30.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := signed.Parse(text)
		if err != nil {
			require.True(t, errors.Is(err, signed.ErrMalformed))
			return
		}
		var members map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(token.Claims.Text()), &members))
		require.Len(t, token.Claims.Names(), len(members))
	})
}
