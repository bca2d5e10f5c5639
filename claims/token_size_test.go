package claims_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// largeToken is a token of n bytes with as many roles as Keycloak puts into
// one.
func largeToken(n int) string {
	good := body(nil)
	empty := len(forged(head(nil), with(good, `"x":""`)))
	room := (n - empty) * 3 / 4
	var roles []string
	for used := 40; used < room-100; {
		role := fmt.Sprintf("role-of-somebody-%05d", len(roles))
		roles = append(roles, role)
		used += len(role) + 3
	}
	payload := with(good, `"realm_access":{"roles":["`+strings.Join(roles, `","`)+`"]},"x":"`)
	for pad := 0; ; pad++ { // to the byte, as far as base64 allows
		token := forged(head(nil), payload[:len(payload)-1]+strings.Repeat("x", pad)+`"}`)
		if len(token) >= n {
			return token
		}
	}
}

// A token of up to 64 KiB is accepted where the Config allows it, and every
// time.
func TestVerifier_maxTokenSize(t *testing.T) {
	t.Parallel()
	const most = 64 << 10
	for _, tt := range []struct {
		name          string
		allowed, size int
		reason        claims.Reason
	}{
		{name: "as by default", size: 16<<10 - 4},
		{name: "more than by default", size: 16<<10 + 4, reason: claims.ReasonTooLarge},
		{name: "30 KiB", allowed: 32 << 10, size: 30 << 10},
		{name: "as much as can be allowed", allowed: most, size: most - 4},
		{name: "more", allowed: most, size: most + 4, reason: claims.ReasonTooLarge},
		{name: "less than by default", allowed: 1 << 10, size: 2 << 10, reason: claims.ReasonTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			verifier := offline(t, func(cfg *claims.Config) {
				cfg.MaxTokenSize, cfg.PermissionClaims = tt.allowed, []string{"realm_access.roles"}
			})
			token := largeToken(tt.size)
			for range 3 {
				caller, err := verifier.Authenticate(t.Context(), bearer(token))
				if tt.reason != "" {
					assertRefused(t, caller, err, tt.reason)
					continue
				}
				require.NoError(t, err)
				assert.Greater(t, len(caller.Permissions()), tt.size/50)
			}
			assert.Equal(t, tt.reason != "", verifier.Explain(t.Context(), token).Err != nil)
		})
	}
}
