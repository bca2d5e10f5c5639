package revocation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/revocation"
)

// A user's tokens without a session end by themselves; those of a session, and
// those that an entry of the same subject names, are another matter.
func TestTable_sessionless(t *testing.T) {
	t.Parallel()
	table := newTable(t, revocation.Config{})
	now := time.Now()
	without := token{issuer: here, subject: "alice", issued: now}
	within := token{issuer: here, subject: "alice", session: "s2", issued: now}
	require.NoError(t, table.Revoke(t.Context(), revocation.Entry{
		Issuer: here, Subject: "alice", Sessionless: true, Before: now,
	}))
	assert.Error(t, table.Revoked(without.claims(t)))
	assert.NoError(t, table.Revoked(within.claims(t)))
	assert.NoError(t, table.Revoked(token{issuer: here, subject: "bob", issued: now}.claims(t)))
	assert.NoError(t, table.Revoked(token{issuer: here, subject: "alice", issued: now.Add(time.Hour)}.claims(t)))

	require.NoError(t, table.Revoke(t.Context(), revocation.Entry{
		Issuer: here, Subject: "alice", Before: now.Add(-time.Minute),
	}))
	assert.Error(t, table.Revoked(without.claims(t)), "the one does not take the other's place")
	assert.NoError(t, table.Revoked(within.claims(t)))
	assert.ErrorContains(t, table.Revoke(t.Context(), revocation.Entry{
		Issuer: here, Session: "s", Sessionless: true,
	}), "both Session and Sessionless")
}
