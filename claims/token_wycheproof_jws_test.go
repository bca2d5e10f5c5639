package claims_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/claims/internal/jws"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/internal/conformance"
	"github.com/sallyport-go/sallyport/jwks"
)

// The pieces of a Verifier, in their order. The last refuses or accepts.
const (
	byForm      = "form"      // parseToken
	byHeader    = "header"    // parseToken
	byKeySet    = "key set"   // jwks.Parse
	byLookup    = "look-up"   // jwks.Set.Lookup
	bySignature = "signature" // jws.Verify
)

// judgeJWS does with a JWS what a Verifier does, except for its claims:
// payloads of published vectors are not always claims sets. It returns the
// piece that decided.
func judgeJWS(t *testing.T, keys []byte, text string) (accepted bool, piece string) {
	t.Helper()
	set, broken := jwks.Parse(keys)
	signed, err := claims.ParseJWS(text)
	if err != nil {
		var refusal *claims.Error
		require.ErrorAs(t, err, &refusal)
		if refusal.Reason() == claims.ReasonMalformed {
			return false, byForm
		}
		return false, byHeader
	}
	if broken != nil {
		return false, byKeySet
	}
	found, err := set.Lookup(t.Context(), signed.KeyID, signed.Algorithm)
	if err != nil {
		return false, byLookup
	}
	return slices.ContainsFunc(found, func(key *jwks.Key) bool {
		return jws.Asymmetric.Verify(signed.Algorithm, key.Public(), signed.Input, signed.Signature)
	}), bySignature
}

// deviation is a vector that is judged otherwise than its suite wants.
type deviation struct{ reason, piece string }

var (
	emptyPayload = deviation{reason: "an empty payload is no claims set", piece: byForm}
	otherAlg     = deviation{
		reason: `the key's "alg" is PS256 and the token's PS384 (RFC 7517 section 4.4)`,
		piece:  byLookup,
	}
	noAlg = deviation{
		reason: `the key's "alg" is ES521, which is none (RFC 7518 section 3.1)`, piece: byKeySet,
	}
	roca = deviation{
		reason: "a modulus is not searched for the ROCA weakness", piece: bySignature,
	}
)

// jwsDeviations are by file and vector.
var jwsDeviations = map[string]map[int]deviation{
	"json_web_signature": {
		259: emptyPayload, 264: emptyPayload, 268: emptyPayload, 272: emptyPayload,
		320: emptyPayload, 325: emptyPayload,
		346: otherAlg, 350: otherAlg, 347: noAlg, 351: noAlg,
	},
	"json_web_crypto": {46: roca},
}

func wycheproofJWS(t *testing.T) []*conformance.Row {
	var rows []*conformance.Row
	for _, name := range []string{"json_web_signature", "json_web_crypto"} {
		row := &conformance.Row{Suite: "Wycheproof " + name}
		rows = append(rows, row)
		for _, group := range conformance.Wycheproof(t, name+"_test.json").TestGroups {
			for _, vector := range group.Tests {
				judgeVector(t, row, group, vector, jwsDeviations[name])
			}
		}
	}
	return rows
}

func judgeVector(
	t *testing.T, row *conformance.Row, group conformance.Group, vector conformance.Vector,
	deviations map[int]deviation,
) {
	t.Helper()
	if vector.JWS == nil {
		row.Skip("encryption")
		return
	}
	text := string(vector.JWS)
	key := group.Public
	if key == nil { // a secret, which a key set may not have
		key = group.Private
	}
	keys := fmt.Appendf(nil, `{"keys":[%s]}`, key)
	accepted, piece := judgeJWS(t, keys, text)
	assertNoClaims(t, keys, text)
	wanted, deviates := deviations[vector.ID]
	switch {
	case group.Public == nil:
		assert.False(t, accepted, "%v: by HMAC", vector)
		row.Skip("HMAC, which is refused")
	case deviates:
		if set, err := jwks.Parse(keys); err != nil || isApproved(set.Keys()[0].Public()) {
			assert.NotEqual(t, vector.Valid(), accepted, "%v: no deviation any more", vector)
		}
		assert.Equal(t, wanted.piece, piece, "%v: %s", vector, wanted.reason)
		row.Deviate(itoa(vector.ID), wanted.reason, piece)
	case assert.Equal(t, vector.Valid(), accepted, "%s %v: by %s", row.Suite, vector, piece):
		row.Pass(piece)
	}
}

// assertNoClaims asserts that a Verifier refuses a token, for want of claims if
// of nothing else.
func assertNoClaims(t *testing.T, keys []byte, text string) {
	t.Helper()
	set, err := jwks.Parse(keys)
	if err != nil {
		return // the issuer has no keys
	}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuerURL, Audiences: []string{claimstest.Audience}, Keys: set,
	})
	require.NoError(t, err)
	caller, err := verifier.Authenticate(t.Context(), bearer(text))
	assert.Nil(t, caller)
	assert.ErrorIs(t, err, claims.ErrInvalidToken)
}
