package jwks_test

import (
	"crypto"
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

func TestThumbprint(t *testing.T) {
	t.Parallel()
	a, b := claimstest.MustKey("ES256"), claimstest.MustKey("EdDSA")
	parse := func(document []byte) string {
		set, err := jwks.Parse(document)
		require.NoError(t, err)
		return set.Thumbprint()
	}
	both := parse(document(a, b))
	assert.Equal(t, both, parse(document(b, a)))
	others := []string{both, parse(document(a)), parse(document(b))}
	renamed := a.JWK()
	renamed["kid"] = "other"
	document, err := json.Marshal(map[string]any{"keys": []any{renamed}})
	require.NoError(t, err)
	others = append(others, parse(document))
	slices.Sort(others)
	assert.Len(t, slices.Compact(others), 4)
}

// The one key of a set has any ID if it has none; of several, or with an ID, it
// has not.
func TestSet_Lookup_oneKeyWithoutID(t *testing.T) {
	t.Parallel()
	one, other := pairs()[1], pairs()[2]
	for name, row := range map[string]struct {
		document []byte
		want     error
	}{
		"alone":                     {one.jwk(t, nil), nil},
		"alone, an ID that is null": {one.jwk(t, map[string]any{"kid": nil}), nil},
		"beside one that is unusable": {
			keySet(string(one.jwk(t, nil)), `{"kty":"oct","kid":"a"}`), nil,
		},
		"with another ID":       {one.jwk(t, map[string]any{"kid": "b"}), jwks.ErrUnknownKey},
		"beside another":        {keySet(string(one.jwk(t, nil)), string(other.jwk(t, nil))), jwks.ErrUnknownKey},
		"beside one with an ID": {keySet(string(one.jwk(t, nil)), string(other.jwk(t, map[string]any{"kid": "b"}))), jwks.ErrUnknownKey},
	} {
		set, err := jwks.Parse(row.document)
		require.NoError(t, err, name)
		found, err := set.Lookup(t.Context(), "a", "ES256")
		assert.ErrorIs(t, err, row.want, name)
		assert.Equal(t, row.want == nil, len(found) == 1, name)
		_, err = set.Lookup(t.Context(), "a", "RS256")
		assert.ErrorIs(t, err, jwks.ErrUnknownKey, name+": of another algorithm")
	}
}

// A Set stands behind an issuer, for an outage.
func TestSet_isASource(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, _ := example(t, nil)
		issuer.Fail(503)
		set, err := jwks.NewSet(pairs()[1].private.Public())
		require.NoError(t, err)
		remote, err := jwks.NewRemote(jwks.RemoteConfig{Issuer: issuer.URL(), Client: issuer.Client()})
		require.NoError(t, err)
		a := newCache(t, jwks.Config{Sources: []jwks.Source{remote, set}})
		_, err = a.Lookup(t.Context(), "any", "ES256")
		require.NoError(t, err)
		assert.Same(t, set, a.Set())
		same, err := jwks.NewSet(pairs()[1].private.Public())
		require.NoError(t, err)
		assert.True(t, a.SameConfig(newCache(t, jwks.Config{Sources: []jwks.Source{remote, same}})))
	})
}

// What a Set hands out cannot change it.
func TestSet_isImmutable(t *testing.T) {
	t.Parallel()
	set, err := jwks.Parse(keySet(jwkOf("ES256", nil), jwkOf("RS256", members{"use": "enc"})))
	require.NoError(t, err)
	set.Keys()[0] = nil
	set.Skipped()[0].Reason = "changed"
	set.Keys()[0].Algorithms()[0] = "changed"
	assert.NotNil(t, set.Keys()[0])
	assert.Equal(t, "use", set.Skipped()[0].Reason)
	assert.Equal(t, []string{"ES256"}, set.Keys()[0].Algorithms())
}

// Keys of several types under one ID: the algorithm chooses.
func TestSet_Lookup_sharedKeyID(t *testing.T) {
	t.Parallel()
	shared := members{"kid": "shared"}
	set, err := jwks.Parse(keySet(
		jwkOf("RS256", shared), jwkOf("ES256", shared), jwkOf("EdDSA", shared),
	))
	require.NoError(t, err)
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		found, err := set.Lookup(t.Context(), "shared", alg)
		require.NoError(t, err)
		require.Len(t, found, 1, alg)
		requireVerifies(t, found[0], testKey(alg))
	}
	_, err = set.Lookup(t.Context(), "shared", "ES384")
	assert.ErrorIs(t, err, jwks.ErrKeyMismatch)
	_, err = set.Lookup(t.Context(), "other", "ES256")
	assert.ErrorIs(t, err, jwks.ErrUnknownKey)
}

func TestSet_Lookup_repeatedKeyID(t *testing.T) {
	t.Parallel()
	one, other := claimstest.MustKey("ES256"), claimstest.MustKey("ES256")
	other.ID = one.ID
	set, err := jwks.Parse(document(one, other))
	require.NoError(t, err)
	found, err := set.Lookup(t.Context(), one.ID, "ES256")
	require.NoError(t, err)
	require.Len(t, found, 2)
	requireVerifies(t, found[0], one)
	requireVerifies(t, found[1], other)
}

// A token without a key ID is tried with a bounded number of keys.
func TestSet_Lookup_withoutKeyID(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name         string
		fitting      int
		withoutKeyID bool // of the keys
		want         int
	}{
		{name: "one", fitting: 1, want: 1},
		{name: "four", fitting: 4, want: 4},
		{name: "five", fitting: 5, want: 5},
		{name: "five keys without ID", fitting: 5, withoutKeyID: true, want: 5},
		{name: "as many as are tried", fitting: 32, withoutKeyID: true, want: 32},
		{name: "one more", fitting: 33, withoutKeyID: true, want: 32},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// Of another algorithm, so neither found nor counted.
			keys := []*claimstest.Key{testKey("EdDSA"), testKey("ES384")}
			var want []crypto.PublicKey
			for range tt.fitting {
				key := claimstest.MustKey("ES256")
				if tt.withoutKeyID {
					key.ID = ""
				}
				keys = append(keys, key)
				want = append(want, key.Public())
			}
			set, err := jwks.Parse(document(keys...))
			require.NoError(t, err)
			require.Len(t, set.Keys(), tt.fitting+2)
			found, err := set.Lookup(t.Context(), "", "ES256")
			require.NoError(t, err)
			var got []crypto.PublicKey
			for _, key := range found {
				got = append(got, key.Public())
			}
			assert.Equal(t, want[:tt.want], got, "the first ones of the document")
			_, err = set.Lookup(t.Context(), "", "RS256")
			assert.ErrorIs(t, err, jwks.ErrUnknownKey)
		})
	}
}
