package bench

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// crowdAlg has keys that are made at once.
const crowdAlg = "EdDSA"

// crowd makes what a curve needs many of, and keeps it for the next point.
type crowd struct {
	world   *world
	minted  []string // each of a subject of its own
	trusted []trusted

	remember map[int]*remembering // by number
}

// remembering is a verifier that remembers the first tokens of a crowd, and
// what they take of the heap.
type remembering struct {
	verifier *claims.Verifier
	bytes    float64
}

// trusted is an issuer with one token of it.
type trusted struct {
	config claims.Config
	token  string
}

func newCrowd(tb testing.TB) *crowd {
	tb.Helper()
	return &crowd{world: newWorld(tb), remember: map[int]*remembering{}}
}

// tokens returns n tokens of one issuer.
func (c *crowd) tokens(n int) []string {
	first := len(c.minted)
	if n > first {
		c.minted = append(c.minted, make([]string, n-first)...)
		inParallel(n-first, func(i int) {
			token := realistic(issuerKeys()[crowdAlg])
			token.Subject = fmt.Sprintf("auth0|%024x", first+i)
			c.minted[first+i] = c.world.issuer.Mint(token)
		})
	}
	return c.minted[:n]
}

// issuers returns n issuers, each with a key of its own.
func (c *crowd) issuers(n int) []trusted {
	first := len(c.trusted)
	if n > first {
		c.trusted = append(c.trusted, make([]trusted, n-first)...)
		inParallel(n-first, func(i int) {
			issuer, err := claimstest.New(claimstest.Config{
				URL: fmt.Sprintf("https://issuer-%d.example", first+i), Algorithm: crowdAlg,
				Lifetime: lifetime,
			})
			if err != nil {
				panic(err)
			}
			c.trusted[first+i] = trusted{
				claims.Config{
					Issuer: issuer.URL(), Audiences: []string{audience}, Keys: keysOf(issuer.KeySet()),
				},
				issuer.Mint(realistic(issuer.Key())),
			}
		})
	}
	return c.trusted[:n]
}

// remembering returns what remembers n tokens, with room for as many again.
func (c *crowd) remembering(tb testing.TB, n int) *remembering {
	tb.Helper()
	if r, ok := c.remember[n]; ok {
		return r
	}
	tokens := c.tokens(n)
	cfg := sallyportConfig(tb, c.world)
	cfg.MaxTokens = 2 * n
	r := &remembering{verifier: newVerifier(tb, cfg)}
	require.NoError(tb, r.verifier.Ready(tb.Context()))
	before := heap()
	each(tb, tokens, authenticating(tb.Context(), r.verifier))
	r.bytes = float64(heap()) - float64(before)
	c.remember[n] = r
	return r
}

// keysOf returns a cache of the key set in a document.
func keysOf(document []byte) *jwks.Cache {
	set, err := jwks.Parse(document)
	if err != nil {
		panic(err)
	}
	cache, err := jwks.NewCache(jwks.Config{
		Sources: []jwks.Source{fixedSource{set}},
		Logger:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	return cache
}

func tokensOf(all []trusted) []string {
	tokens := make([]string, len(all))
	for i, t := range all {
		tokens[i] = t.token
	}
	return tokens
}

// authenticating is op for a token of auth's.
func authenticating(ctx context.Context, auth claims.Authenticator) func(token string) error {
	return func(token string) error {
		_, err := auth.Authenticate(ctx, claims.Credentials{Scheme: "Bearer", Token: token})
		return err
	}
}

// each calls op once for every token.
func each(tb testing.TB, tokens []string, op func(token string) error) {
	tb.Helper()
	errs := make([]error, len(tokens))
	inParallel(len(tokens), func(i int) { errs[i] = op(tokens[i]) })
	for _, err := range errs {
		require.NoError(tb, err)
	}
}

// inParallel calls f for 0 to n-1.
func inParallel(n int, f func(i int)) {
	workers := runtime.GOMAXPROCS(0)
	var running sync.WaitGroup
	for w := range workers {
		running.Go(func() {
			for i := w; i < n; i += workers {
				f(i)
			}
		})
	}
	running.Wait()
}
