package dpop_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
)

type m = map[string]any

// request is what a Confirmer is shown of a request.
type request struct {
	method, url string
	proofs      []string
	fields      map[string]string // of the response
}

func (r *request) Prove(context.Context) claims.Proof {
	return claims.Proof{
		Method: r.method, URL: r.url, DPoP: r.proofs,
		Respond: func(name, value string) { r.fields[name] = value },
	}
}

const (
	tokenText = "an.access.token"
	orderURL  = "https://api.example/orders"
)

// ask has a Confirmer look at a GET of a URL with these proofs.
func ask(t testing.TB, by *dpop.Confirmer, key *claimstest.Key, url string, proofs ...string) (nonce string, err error) {
	t.Helper()
	r := &request{"GET", url, proofs, map[string]string{}}
	err = by.Confirm(t.Context(), key.Thumbprint(), claims.Credentials{Scheme: "DPoP", Token: tokenText, Proof: r})
	return r.fields["DPoP-Nonce"], err
}

func proofOf(key *claimstest.Key, p claimstest.Proof) string {
	if p.Method == "" {
		p.Method = "GET"
	}
	if p.URL == "" {
		p.URL = orderURL
	}
	p.Token = tokenText
	return key.Prove(p)
}

func newConfirmer(t testing.TB, cfg dpop.Config) *dpop.Confirmer {
	t.Helper()
	c, err := dpop.New(cfg)
	require.NoError(t, err)
	return c
}

func assertRefused(t testing.TB, reason claims.Reason, err error) {
	t.Helper()
	if assert.Error(t, err) {
		refusal := claims.AsError(err)
		assert.Equal(t, reason, refusal.Reason(), "%v", errors.Unwrap(refusal))
	}
}

const (
	maxNonce = 4 * time.Second
	waiting  = 30 * time.Second
	tick     = 100 * time.Millisecond
)

// outage is a store that is down at times.
type outage struct {
	dpop.ReplayStore
	down *atomic.Bool
}

func (o outage) Use(ctx context.Context, jkt, jti string, until time.Time) (bool, error) {
	if o.down.Load() {
		return false, errors.New("connection refused")
	}
	return o.ReplayStore.Use(ctx, jkt, jti, until)
}
