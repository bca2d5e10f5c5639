package dpop_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/dpop"
)

const (
	// RFC 9449 section 7.1, figures 12 and 13.
	rfcToken = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
	rfcProof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik" +
		"VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR" +
		"nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE" +
		"QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIj" +
		"oiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0Z" +
		"WRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNF" +
		"c05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71E" +
		"OptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
	// Section 4.1, for a token endpoint.
	rfcTokenProof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik" +
		"VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR" +
		"nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE" +
		"QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIj" +
		"oiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwia" +
		"WF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg" +
		"4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
	// Section 6.1.
	rfcThumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
)

// The proof that RFC 9449 has for a resource passes at its time, once, and
// nowhere else.
func TestConfirmer_rfc(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		at            int64 // when it is seen
		jkt, token    string
		method, url   string
		proof         string
		reason, again claims.Reason // empty if it passes
	}{
		{name: "as it stands there", again: claims.ReasonProofUsed},
		{name: "a minute after", at: 1562262618 + 60, again: claims.ReasonProofUsed},
		{name: "a minute before", at: 1562262618 - 60, again: claims.ReasonProofUsed},
		{name: "too late", at: 1562262618 + 61, reason: claims.ReasonProofTime},
		{name: "too early", at: 1562262618 - 61, reason: claims.ReasonProofTime},
		{name: "another key", jkt: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", reason: claims.ReasonBinding},
		{name: "another token", token: "Kz~8mXK1EalYznwH-LC-1fBAo", reason: claims.ReasonProof},
		{name: "another method", method: "POST", reason: claims.ReasonProofTarget},
		{name: "the method in lower case", method: "get", reason: claims.ReasonProofTarget},
		{name: "another URL", url: "https://resource.example.org/protected", reason: claims.ReasonProofTarget},
		{name: "that for the token endpoint", proof: rfcTokenProof, reason: claims.ReasonProof},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				or := func(value *string, usual string) {
					if *value == "" {
						*value = usual
					}
				}
				or(&tt.jkt, rfcThumbprint)
				or(&tt.token, rfcToken)
				or(&tt.method, "GET")
				or(&tt.url, "https://resource.example.org/protectedresource")
				or(&tt.proof, rfcProof)
				if tt.at == 0 {
					tt.at = 1562262618
				}
				time.Sleep(time.Until(time.Unix(tt.at, 0)))
				c := newConfirmer(t, dpop.Config{})
				confirm := func() error {
					return c.Confirm(t.Context(), tt.jkt, claims.Credentials{Scheme: "DPoP", Token: tt.token,
						Proof: &request{method: tt.method, url: tt.url, proofs: []string{tt.proof}}})
				}
				err := confirm()
				if tt.reason != "" {
					assertRefused(t, tt.reason, err)
					return
				}
				require.NoError(t, err)
				assertRefused(t, tt.again, confirm())
			})
		})
	}
}

// What a Confirmer is called is what RFC 9449 calls it.
func TestConfirmer_Confirms(t *testing.T) {
	t.Parallel()
	c := newConfirmer(t, dpop.Config{Algorithms: []string{"ES256", "Ed25519"}})
	member, scheme := c.Confirms()
	assert.Equal(t, "jkt", member)
	assert.Equal(t, "DPoP", scheme)
	assert.Equal(t, []string{"ES256", "Ed25519"}, c.Algorithms())
}
