package statictoken_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/statictoken"
)

// many is a file of that many tokens, and one of them.
func many(t testing.TB, count int) (path, token string) {
	t.Helper()
	key := statictoken.NewKey()
	text := bytes.NewBufferString(firstLine(t, key))
	for i := range count {
		made, minted, err := statictoken.Mint(key, "", statictoken.Token{Subject: fmt.Sprint(i), Scopes: []string{"read"}})
		require.NoError(t, err)
		fmt.Fprintf(text, "{\"hash\":%q,\"subject\":%q,\"scopes\":[\"read\"]}\n", minted.Hash, minted.Subject)
		if i == count/2 {
			token = made
		}
	}
	path = newPath(t)
	replace(t, path, text.String())
	return path, token
}

// To accept a token costs one allocation, the caller's own Claims, however many
// there are; to refuse one costs none.
func TestBudget_Authenticate(t *testing.T) {
	for _, count := range []int{1, 5000} {
		path, token := many(t, count)
		tokens := newTokens(t, statictoken.Config{File: path, Logger: new(journal).logger()})
		require.NoError(t, tokens.Ready(t.Context()))
		forged, _, err := statictoken.Mint(statictoken.NewKey(), "", statictoken.Token{Subject: "x"})
		require.NoError(t, err)
		for name, of := range map[string]struct {
			token  string
			allocs float64
		}{
			"good": {token, 1}, "mistyped": {token[:len(token)-1] + "-", 0}, "forged": {forged, 0}, "another form": {"x", 0},
		} {
			c := bearer(of.token)
			allocs := testing.AllocsPerRun(200, func() { _, _ = tokens.Authenticate(t.Context(), c) })
			assert.LessOrEqual(t, allocs, of.allocs, "%s of %d", name, count)
		}
	}
}

// Beside a JWT that is verified, and one that is remembered.
func BenchmarkAuthenticate(b *testing.B) {
	run := func(name string, auth claims.Authenticator, token string) {
		c := bearer(token)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := auth.Authenticate(b.Context(), c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, count := range []int{1, 1000, 50_000} {
		path, token := many(b, count)
		tokens := newTokens(b, statictoken.Config{File: path, Logger: new(journal).logger()})
		require.NoError(b, tokens.Ready(b.Context()))
		run(fmt.Sprintf("static/%d", count), tokens, token)
	}
	issuer := claimstest.Start(b, claimstest.Config{})
	for name, most := range map[string]int{"remembered": 0, "verified": -1} {
		verifier, err := claims.NewVerifier(claims.Config{
			Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, MaxTokens: most,
		})
		require.NoError(b, err)
		run("JWT/"+name, verifier, issuer.Mint(claimstest.Token{}))
	}
}
