package jwks_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// A key is the same if all is the same that a token can be accepted by.
func TestKey_Equal(t *testing.T) {
	t.Parallel()
	const p256 = `"kty":"EC","crv":"P-256",` +
		`"x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"`
	const other = `"kty":"EC","crv":"P-256",` +
		`"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`
	const okp = `"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`
	parse := func(members string) *jwks.Key {
		set, err := jwks.Parse(fmt.Appendf(nil, `{"keys":[{%s}]}`, members))
		require.NoError(t, err)
		return set.Keys()[0]
	}
	key := parse(`"kid":"a",` + p256)
	assert.True(t, key.Equal(key))
	assert.True(t, key.Equal(parse(p256+`,"kid":"a","x5t":"ignored"`)))
	for name, different := range map[string]*jwks.Key{
		"another ID":          parse(`"kid":"b",` + p256),
		"no ID":               parse(p256),
		"another key":         parse(`"kid":"a",` + other),
		"a key of other kind": parse(`"kid":"a",` + okp),
		"of an issuer":        parse(`"kid":"a","issuer":"https://issuer.example",` + p256),
		"nil":                 nil,
	} {
		assert.False(t, key.Equal(different), name)
		assert.False(t, different.Equal(key), name)
	}
	const rsa = `"kid":"a","kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtV` +
		`T86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YG` +
		`jQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lF` +
		`d2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"`
	any, one := parse(rsa), parse(rsa+`,"alg":"RS256"`)
	assert.False(t, any.Equal(one), "it is for more algorithms")
	assert.True(t, any.Fits("PS256") && any.Fits("RS256") && one.Fits("RS256"))
	assert.False(t, one.Fits("PS256") || any.Fits("ES256") || key.Fits("RS256") || key.Fits(""))
	assert.True(t, (*jwks.Key)(nil).Equal(nil))
}
