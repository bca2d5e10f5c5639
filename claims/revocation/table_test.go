package revocation_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/revocation"
)

// Each kind of entry ends the tokens that have all it names, and no other.
func TestTable_kinds(t *testing.T) {
	t.Parallel()
	start := time.Now().Truncate(time.Second)
	alice := token{
		issuer: here, id: "t1", session: "s1", subject: "alice", client: "shop", issued: start.Add(-time.Minute),
	}
	but := func(change func(*token)) token {
		other := alice
		change(&other)
		return other
	}
	for name, tt := range map[string]struct {
		entry  revocation.Entry
		passes []token
		ends   []token
	}{
		"token": {
			entry: revocation.Entry{Token: "t1"},
			ends:  []token{but(func(k *token) { k.issued = start.Add(time.Hour) })},
			passes: []token{
				but(func(k *token) { k.id = "t2" }), but(func(k *token) { k.id = "" }),
			},
		},
		"session": {
			entry: revocation.Entry{Session: "s1"},
			ends:  []token{but(func(k *token) { k.id, k.subject = "t2", "bob" })},
			passes: []token{
				but(func(k *token) { k.session = "s2" }), but(func(k *token) { k.session = "" }),
			},
		},
		"subject": {
			entry:  revocation.Entry{Subject: "alice"},
			ends:   []token{but(func(k *token) { k.id, k.session, k.client = "", "", "" })},
			passes: []token{but(func(k *token) { k.subject = "Alice" }), but(func(k *token) { k.subject = "" })},
		},
		"client": {
			entry:  revocation.Entry{ClientID: "shop"},
			ends:   []token{but(func(k *token) { k.subject = "bob" })},
			passes: []token{but(func(k *token) { k.client = "alice" })},
		},
		"subject at a client": {
			entry: revocation.Entry{Subject: "alice", ClientID: "shop"},
			ends:  []token{but(func(k *token) { k.id = "t2" })},
			passes: []token{
				but(func(k *token) { k.client = "till" }), but(func(k *token) { k.subject = "bob" }),
			},
		},
		"issuer": {
			entry: revocation.Entry{Before: start},
			ends:  []token{{issuer: here, issued: start}, {issuer: here}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t, revocation.Config{})
			require.NoError(t, table.Revoked(alice.claims(t)), "no news")
			tt.entry.Issuer = here
			require.NoError(t, table.Revoke(t.Context(), tt.entry))
			for _, k := range append(tt.ends, alice) {
				err := table.Revoked(k.claims(t))
				if assert.ErrorIs(t, err, claims.ErrInvalidToken, "%+v", k) {
					assert.Equal(t, claims.ReasonRevoked, claims.AsError(err).Reason())
				}
			}
			other := alice
			other.issuer = elsewhere
			passes := append(tt.passes, other)
			if tt.entry.Token == "" {
				passes = append(passes, but(func(k *token) { k.issued = start.Add(2 * time.Minute) }))
			}
			for _, k := range passes {
				assert.NoError(t, table.Revoked(k.claims(t)), "%+v", k)
			}
		})
	}
}

// What was issued in the second of the news has ended, what was issued in the
// next has not; the issuer's clock may be ahead by the leeway.
func TestTable_before(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(400 * time.Millisecond) // synctest starts at a whole second
		for _, leeway := range []time.Duration{0, 10 * time.Second} {
			table := newTable(t, revocation.Config{Leeway: leeway})
			require.NoError(t, table.Revoke(t.Context(), revocation.Entry{Issuer: here, Subject: "alice"}))
			at := func(d time.Duration) error {
				return table.Revoked(token{issuer: here, subject: "alice", issued: time.Now().Add(leeway + d)}.claims(t))
			}
			assert.ErrorIs(t, at(-time.Hour), claims.ErrInvalidToken)
			assert.ErrorIs(t, at(0), claims.ErrInvalidToken, "the same second")
			assert.ErrorIs(t, at(500*time.Millisecond), claims.ErrInvalidToken, "the same second, later")
			assert.NoError(t, at(time.Second))
		}
	})
}
