package introspection_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/introspection"
)

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
	a := &authority{}
	a.set("2YotnFZFEjr1zCsicMWpAA", good(nil))
	run("opaque/remembered", a.start(b, nil), "2YotnFZFEjr1zCsicMWpAA")
	run("opaque/asked", a.start(b, func(cfg *introspection.Config) { cfg.MaxAge = 1 }), "2YotnFZFEjr1zCsicMWpAA")
	of := claimstest.Start(b, claimstest.Config{Audience: audience})
	token := of.Mint(claimstest.Token{Subject: "alice"})
	a.set(token, good(nil))
	for name, most := range map[string]int{"remembered": 0, "verified": -1} {
		verifier, err := claims.NewVerifier(claims.Config{
			Issuer: of.URL(), Audiences: []string{audience}, MaxTokens: most,
		})
		require.NoError(b, err)
		run("JWT/"+name, verifier, token)
		run("JWT/"+name+" and introspected", introspection.Also(verifier, a.start(b, func(cfg *introspection.Config) {
			cfg.Accept.Issuer = of.URL()
		})), token)
	}
}
