package statictoken_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/statictoken"
)

// shelf is a Source.
type shelf struct {
	mu     sync.Mutex
	tokens map[string]statictoken.Token
	before func(ctx context.Context) error
	asked  atomic.Int64
}

func (s *shelf) Lookup(ctx context.Context, hash string) (*statictoken.Token, error) {
	s.asked.Add(1)
	s.mu.Lock()
	token, ok := s.tokens[hash]
	before := s.before
	s.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return nil, err
		}
	}
	if !ok {
		return nil, nil
	}
	return &token, nil
}

func (s *shelf) set(before func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

func (s *shelf) add(t testing.TB, key statictoken.Key, of statictoken.Token) (token, hash string) {
	t.Helper()
	token, minted, err := statictoken.Mint(key, "", of)
	require.NoError(t, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens == nil {
		s.tokens = map[string]statictoken.Token{}
	}
	s.tokens[minted.Hash] = minted
	return token, minted.Hash
}

func (s *shelf) drop(hash string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, hash)
}

// A token of a Source is one as of a file, asked about once for many.
func TestSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, by := statictoken.NewKey(), &shelf{}
		token, hash := by.add(t, key, statictoken.Token{Subject: "alice", Scopes: []string{"read"}})
		tokens := newTokens(t, statictoken.Config{Source: by, Key: key})
		require.NoError(t, tokens.Ready(t.Context()))
		by.set(func(context.Context) error { time.Sleep(time.Second); return nil })
		var callers sync.WaitGroup
		for range 100 {
			callers.Go(func() {
				caller, err := tokens.Authenticate(t.Context(), bearer(token))
				if assert.NoError(t, err) {
					assert.Equal(t, "alice", caller.Subject())
					assert.Equal(t, []string{"read"}, caller.Scopes())
				}
			})
		}
		callers.Wait()
		assert.EqualValues(t, 1, by.asked.Load())
		guard, err := claims.NewGuard(tokens, claims.GuardConfig{})
		require.NoError(t, err)
		ctx, err := guard.Authorize(t.Context(), claims.Operation{Requirement: claims.Scopes("read")}, bearer(token), nil)
		require.NoError(t, err)
		require.NoError(t, guard.Recheck(ctx))

		by.set(nil)
		by.drop(hash)
		time.Sleep(5 * time.Second)
		_, err = tokens.Authenticate(t.Context(), bearer(token))
		require.ErrorIs(t, err, claims.ErrInvalidToken)
		require.ErrorIs(t, guard.Recheck(ctx), claims.ErrInvalidToken)
		asked := by.asked.Load()
		_, err = tokens.Authenticate(t.Context(), bearer(token))
		require.ErrorIs(t, err, claims.ErrInvalidToken)
		assert.Equal(t, asked, by.asked.Load(), "that it is gone is remembered as well")
	})
}

// A stranger cannot make a lookup happen.
func TestSource_strangers(t *testing.T) {
	t.Parallel()
	by := &shelf{}
	tokens := newTokens(t, statictoken.Config{Source: by, Key: statictoken.NewKey()})
	for range 1000 {
		forged, _, err := statictoken.Mint(statictoken.NewKey(), "", statictoken.Token{Subject: "mallory"})
		require.NoError(t, err)
		_, err = tokens.Authenticate(t.Context(), bearer(forged))
		require.ErrorIs(t, err, claims.ErrInvalidToken)
	}
	assert.Zero(t, by.asked.Load())
}

// Who cannot tell says so, and nothing of what the user's code does is felt
// beyond that.
func TestSource_outage(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(context.Context) error{
		"an error":        func(context.Context) error { return errors.New("down") },
		"a refusal":       func(context.Context) error { return claims.ErrInvalidToken },
		"a panic":         func(context.Context) error { panic("down") },
		"silence":         func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"not heeding ctx": func(context.Context) error { time.Sleep(time.Minute); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				key, by := statictoken.NewKey(), &shelf{}
				token, _ := by.add(t, key, statictoken.Token{Subject: "alice"})
				tokens := newTokens(t, statictoken.Config{Source: by, Key: key})
				by.set(before)
				start := time.Now()
				_, err := tokens.Authenticate(t.Context(), bearer(token))
				require.ErrorIs(t, err, claims.ErrUnavailable)
				assert.LessOrEqual(t, time.Since(start), 5*time.Second)
				by.set(nil)
				time.Sleep(time.Minute)
				_, err = tokens.Authenticate(t.Context(), bearer(token))
				require.NoError(t, err, "it comes back by itself")
				by.set(before)
				_, err = tokens.Authenticate(t.Context(), bearer(token))
				require.NoError(t, err, "what it said counts for a while")
				time.Sleep(5 * time.Second)
				_, err = tokens.Authenticate(t.Context(), bearer(token))
				require.ErrorIs(t, err, claims.ErrUnavailable)
				by.set(nil)
				time.Sleep(time.Minute) // calls that do not heed ctx end
			})
		})
	}
}

// A Source that mixes up its rows lets nobody in.
func TestSource_anotherToken(t *testing.T) {
	t.Parallel()
	key, by := statictoken.NewKey(), &shelf{}
	token, hash := by.add(t, key, statictoken.Token{Subject: "alice"})
	_, other := by.add(t, key, statictoken.Token{Subject: "root"})
	by.tokens[hash] = by.tokens[other]
	_, err := newTokens(t, statictoken.Config{Source: by, Key: key}).Authenticate(t.Context(), bearer(token))
	require.ErrorIs(t, err, claims.ErrUnavailable)
}
