package claims_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

func TestVerifier_headers(t *testing.T) {
	t.Parallel()
	// Its base64 ends with a whole group, after which anything more is seen.
	whole := head(nil)
	for len(whole)%3 != 0 {
		whole += " "
	}
	for _, tt := range []struct {
		name   string
		token  string
		reason claims.Reason // empty if it is accepted
	}{
		{name: "whole groups", token: forged(whole, body(nil))},
		{
			name:   "whole groups and a group that is none",
			token:  spelled("p256", "ES256", b64([]byte(whole))+"!!!!", b64([]byte(body(nil)))),
			reason: claims.ReasonMalformed,
		},
		{
			name: "crit true", token: forged(head(m{"crit": true}), body(nil)),
			reason: claims.ReasonCritical,
		},
		{
			name: "typ that begins as application/ does", reason: claims.ReasonType,
			token: forged(head(m{"typ": "application.at+jwt"}), body(nil)),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			caller, err := offline(t, nil).Authenticate(t.Context(), bearer(tt.token))
			if tt.reason == "" {
				require.NoError(t, err)
				assert.Equal(t, "alice", caller.Subject())
				return
			}
			assertRefused(t, caller, err, tt.reason)
		})
	}
}
