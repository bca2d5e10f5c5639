package claims

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// extended finds more keys than the cache in it, whose methods it has.
type extended struct {
	*jwks.Cache
	more *jwks.Set
}

func (e extended) Lookup(ctx context.Context, keyID, algorithm string) ([]*jwks.Key, error) {
	if keys, err := e.more.Lookup(ctx, keyID, algorithm); err == nil {
		return keys, nil
	}
	return e.Cache.Lookup(ctx, keyID, algorithm)
}

func TestVerifier_early_keySourceAroundACache(t *testing.T) {
	t.Parallel()
	c := newCounting(t, nil)
	old := c.issuer.Key()
	more, err := jwks.Parse(c.issuer.KeySet())
	require.NoError(t, err)
	c.cfg.Keys = extended{c.cfg.Keys.(*jwks.Cache), more}
	c.issuer.Rotate("")
	c.issuer.Revoke(old)
	v := c.verifier(t)
	c.expect(t, v, c.mint(claimstest.Token{}), "", 1)
	c.expect(t, v, c.mint(claimstest.Token{Header: map[string]any{"kid": "invented"}}), ReasonUnknownKey, 0)
	c.expect(t, v, c.mint(claimstest.Token{Key: old}), "", 1)
}
