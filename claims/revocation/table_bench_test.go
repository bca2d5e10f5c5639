package revocation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/jwks"
)

// filled returns a table of so many entries, of each kind but a whole issuer.
func filled(t testing.TB, issuer string, entries int) *revocation.Table {
	t.Helper()
	table := newTable(t, revocation.Config{MaxEntries: max(entries, 2)})
	for i := range entries {
		e := revocation.Entry{Issuer: issuer}
		switch name := fmt.Sprint("other-", i); i % 4 {
		case 0:
			e.Subject = name
		case 1:
			e.Token = name
		case 2:
			e.Session = name
		case 3:
			e.ClientID = name
		}
		require.NoError(t, table.Apply(e))
	}
	return table
}

// guarded returns a Guard that asks the table, and a token that it accepts.
func guarded(t testing.TB, issuer *claimstest.Issuer, news claims.Revocations) (*claims.Guard, claims.Credentials) {
	t.Helper()
	keys, err := jwks.Parse(issuer.KeySet())
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
	})
	require.NoError(t, err)
	guard, err := claims.NewGuard(verifier, claims.GuardConfig{Revocations: news})
	require.NoError(t, err)
	return guard, claims.Credentials{Scheme: "Bearer", Token: issuer.Mint(claimstest.Token{
		Subject: "alice", ClientID: "shop", Lifetime: time.Hour, Claims: map[string]any{"sid": "s1"},
	})}
}

// BenchmarkTable is what a request pays for a table of so many entries: of a
// token that is remembered, and to look one up after a piece of news.
func BenchmarkTable(b *testing.B) {
	issuer, err := claimstest.New(claimstest.Config{URL: here})
	require.NoError(b, err)
	op := claims.Operation{Protocol: "HTTP", Name: "GET /", Requirement: claims.Authenticated()}
	b.Run("remembered/no table", func(b *testing.B) {
		guard, token := guarded(b, issuer, nil)
		b.ReportAllocs()
		for b.Loop() {
			_, _ = guard.Authorize(b.Context(), op, token, nil)
		}
	})
	for _, entries := range []int{0, 1000, 1_000_000} {
		table := filled(b, here, entries)
		guard, token := guarded(b, issuer, table)
		b.Run(fmt.Sprint("remembered/", entries), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = guard.Authorize(b.Context(), op, token, nil)
			}
		})
		caller := token1.claims(b)
		b.Run(fmt.Sprint("looked up/", entries), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = table.Revoked(caller)
			}
		})
	}
}

var token1 = token{issuer: here, id: "t1", session: "s1", subject: "alice", client: "shop", issued: time.Unix(1_700_000_000, 0)}
