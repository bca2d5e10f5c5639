package jwks_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// A set without a usable key says of each what is wrong, of ten at most.
func TestParse_reasons(t *testing.T) {
	t.Parallel()
	_, err := jwks.Parse(keySet(`{"kty":"AKP","kid":"post-quantum"}`, jwkOf("ES256", members{"use": "enc", "kid": nil})))
	assert.EqualError(t, err,
		`jwks: no usable key among 2: key 0 ("post-quantum") unsupported_type; key 1 use`)
	_, err = jwks.Parse(keySet(strings.Split(strings.Repeat(`{"kty":"oct","kid":"`+strings.Repeat("x", 100)+`"} `, 500), " ")[:500]...))
	require.ErrorContains(t, err, "no usable key among 500: ")
	assert.Equal(t, 10, strings.Count(err.Error(), "unsupported_type"))
	assert.Less(t, len(err.Error()), 1200)
	_, err = jwks.Parse([]byte(`{"keys":[]}`))
	assert.EqualError(t, err, "jwks: no usable key among 0")
}

// Of a set with more keys than are taken, the first thousand are, and it is
// told.
func TestParse_manyKeys(t *testing.T) {
	t.Parallel()
	for n, skipped := range map[int][]jwks.Skipped{
		101: nil, 1000: nil,
		1001: {{Index: 1000, KeyID: "the ES256 key", Reason: "too_many"}},
		1500: {{Index: 1000, KeyID: "the ES256 key", Reason: "too_many"}},
	} {
		set, err := jwks.Parse(manyKeys(n))
		require.NoError(t, err)
		assert.Len(t, set.Keys(), min(n, 1000))
		assert.Equal(t, skipped, set.Skipped())
	}
	bad := strings.Repeat(`{},`, 5000)
	set, err := jwks.Parse([]byte(`{"keys":[` + bad + jwkOf("ES256", nil) + `]}`))
	require.NoError(t, err, "however many cannot be used")
	assert.Len(t, set.Keys(), 1)
	assert.Len(t, set.Skipped(), 1000)
}
