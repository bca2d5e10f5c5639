package claims_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// askable is an Authenticator that can be asked again.
type askable struct {
	caller *claims.Claims
	asked  atomic.Int64
	says   atomic.Pointer[error]
}

func (r *askable) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return r.caller, nil
}

func (r *askable) Recheck(context.Context, *claims.Claims) error {
	r.asked.Add(1)
	if err := r.says.Load(); err != nil {
		return *err
	}
	return nil
}

func (r *askable) say(err error) { r.says.Store(&err) }

// What lasts is asked about every few seconds, however idle it is, if its
// Authenticator can be asked; an outage ends none.
func TestHold_asks(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]bool{"the first": false, "a second": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				by := &askable{caller: says(t, m{"sub": "alice"})}
				auth, cfg, needs := claims.Authenticator(claims.FirstOf(by)), claims.GuardConfig{}, claims.Authenticated()
				c := bearer("t")
				if second {
					auth = authenticator(func(context.Context, claims.Credentials) (*claims.Claims, error) { return says(t, m{}), nil })
					cfg.Second = map[string]claims.Authenticator{"box": by}
					needs = claims.Second("box", claims.Authenticated())
					c.Second = func(string) (claims.Credentials, error) { return bearer("second"), nil }
				}
				guard, err := claims.NewGuard(auth, cfg)
				require.NoError(t, err)
				ctx, err := guard.Authorize(t.Context(), claims.Operation{Requirement: needs}, c, nil)
				require.NoError(t, err)
				ended := make(chan *claims.Error, 1)
				hold := guard.Hold(ctx, func(refusal *claims.Error) { ended <- refusal })
				defer hold.Release()
				require.True(t, hold.Ends())
				time.Sleep(5*time.Second - 1)
				require.Zero(t, by.asked.Load())
				time.Sleep(25*time.Second + 1)
				synctest.Wait()
				require.EqualValues(t, 6, by.asked.Load())
				by.say(claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided, nil))
				time.Sleep(time.Minute)
				require.Nil(t, hold.Err())
				by.say(errors.New("revoked"))
				start := time.Now()
				refusal := <-ended
				assert.LessOrEqual(t, time.Since(start), 5*time.Second)
				require.ErrorIs(t, refusal, claims.ErrInvalidToken)
				require.ErrorIs(t, hold.Err(), claims.ErrInvalidToken)
				asked := by.asked.Load()
				time.Sleep(time.Minute)
				assert.Equal(t, asked, by.asked.Load(), "what has ended is not asked about")
			})
		})
	}
}

// Who cannot be asked costs nothing, and what is over is not asked about.
func TestHold_asksNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		verifier, err := claims.NewVerifier(claims.Config{Issuer: "https://a.example", Audiences: []string{"a"}})
		require.NoError(t, err)
		own := authenticator(func(context.Context, claims.Credentials) (*claims.Claims, error) { return says(t, m{}), nil })
		guard, err := claims.NewGuard(claims.FirstOf(own, verifier), claims.GuardConfig{})
		require.NoError(t, err)
		ctx, err := guard.Authorize(t.Context(), claims.Operation{Requirement: claims.Authenticated()}, bearer("t"), nil)
		require.NoError(t, err)
		hold := guard.Hold(ctx, func(*claims.Error) {})
		assert.False(t, hold.Ends())
		hold.Release()

		by := &askable{caller: says(t, m{"exp": time.Now().Add(12 * time.Second).Unix()})}
		guard, err = claims.NewGuard(by, claims.GuardConfig{})
		require.NoError(t, err)
		ctx, err = guard.Authorize(t.Context(), claims.Operation{Requirement: claims.MayOutlive(claims.Authenticated())}, bearer("t"), nil)
		require.NoError(t, err)
		hold = guard.Hold(ctx, func(*claims.Error) { t.Error("it may outlive its token") })
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.EqualValues(t, 2, by.asked.Load(), "while there was a token")
		hold.Release()
		time.Sleep(time.Minute)
	})
}
