package revocation_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/revocation"
)

// An Entry that names several things ends the tokens that have all of them.
func TestEntry_several(t *testing.T) {
	t.Parallel()
	whole := token{issuer: here, id: "t1", session: "s1", subject: "alice", client: "shop"}
	for name, e := range map[string]revocation.Entry{
		"all":                 {Token: "t1", Session: "s1", Subject: "alice", ClientID: "shop"},
		"token and session":   {Token: "t1", Session: "s1"},
		"token and subject":   {Token: "t1", Subject: "alice"},
		"token and client":    {Token: "t1", ClientID: "shop"},
		"session and subject": {Session: "s1", Subject: "alice"},
		"session and client":  {Session: "s1", ClientID: "shop"},
		"subject and client":  {Subject: "alice", ClientID: "shop"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t, revocation.Config{})
			e.Issuer = here
			require.NoError(t, table.Revoke(t.Context(), e))
			assert.Error(t, table.Revoked(whole.claims(t)))
			for _, part := range []struct {
				named  bool
				change func(*token)
			}{
				{true, func(k *token) { k.issuer = elsewhere }},
				{e.Token != "", func(k *token) { k.id = "t2" }},
				{e.Session != "", func(k *token) { k.session = "s2" }},
				{e.Subject != "", func(k *token) { k.subject = "bob" }},
				{e.ClientID != "", func(k *token) { k.client = "desk" }},
			} {
				other := whole
				part.change(&other)
				err := table.Revoked(other.claims(t))
				assert.Equal(t, !part.named, err != nil, "%+v", other)
			}
		})
	}
}
