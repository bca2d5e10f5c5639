package grpcmw_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// failing is a KeySource that is out of order once it is told.
type failing struct {
	claims.KeySource
	down  atomic.Bool
	asked atomic.Int32 // since
}

func (f *failing) Lookup(ctx context.Context, keyID, algorithm string) ([]*jwks.Key, error) {
	if f.down.Load() {
		f.asked.Add(1)
		return nil, &jwks.UnavailableError{RetryAfter: time.Minute}
	}
	return f.KeySource.Lookup(ctx, keyID, algorithm)
}

// chat opens a stream on which each message is answered, and returns a function
// that sends one and waits for the answer.
func chat(
	t *testing.T, auth claims.Authenticator, cfg grpcmw.Config, token string,
) (exchange func() error) {
	t.Helper()
	cfg.Policy = grpcmw.Policy{pendingMethod: cfg.Policy[""]}
	guard, err := grpcmw.New(auth, cfg)
	require.NoError(t, err)
	conn := serving(t, guard, kindsOf("pending.Service", &seen{}, func(_ any, stream grpc.ServerStream) error {
		in := &wrapperspb.StringValue{} // one for all, as a handler may
		for {
			if err := stream.RecvMsg(in); err != nil {
				return err
			}
			if err := stream.SendMsg(in); err != nil {
				return err
			}
		}
	}))
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	stream, err := conn.NewStream(
		withAuthorization(ctx, []string{"Bearer " + token}), &streamKinds[2], pendingMethod)
	require.NoError(t, err)
	return func() error {
		<-time.After(20 * time.Millisecond)
		_ = stream.SendMsg(wrapperspb.String("acme")) // RecvMsg tells why not
		return stream.RecvMsg(&wrapperspb.StringValue{})
	}
}

// What takes the ground from under a token or a permission reaches the streams
// that are open, whatever their handlers do.
func TestStream_revokedWhileOpen(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		needs claims.Requirement
		code  codes.Code
	}{
		"Issuers.Remove":            {claims.Scopes("read"), codes.Unauthenticated},
		"Config.Check":              {claims.Scopes("read"), codes.Unauthenticated},
		"PermissionCache.Forget":    {claims.Permissions("p"), codes.PermissionDenied},
		"Forget, in a workspace":    {overGRPC.workspace(claims.Permissions("p")), codes.PermissionDenied},
		"a Func":                    {claims.Func("allowed", nil), codes.PermissionDenied},
		"Remove, of a pending type": {claims.All(claims.Scopes("read"), overGRPC.ofAcme), codes.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer := claimstest.Start(t, claimstest.Config{})
			var revoked atomic.Bool
			issuers, err := claims.NewIssuers(claims.Config{
				Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
				Check: func(context.Context, *claims.Claims) error {
					if name == "Config.Check" && revoked.Load() {
						return claims.NewError(claims.ErrInvalidToken, claims.ReasonRejected, nil)
					}
					return nil
				},
			})
			require.NoError(t, err)
			cache, err := claims.NewPermissionCache(granter(func(claims.Principal) (claims.Grants, error) {
				if revoked.Load() {
					return claims.Grants{}, nil
				}
				return claims.Grants{Permissions: []string{"p"}}, nil
			}), claims.PermissionCacheConfig{})
			require.NoError(t, err)
			needs := tt.needs
			if name == "a Func" {
				needs = claims.Func("allowed", func(context.Context, *claims.Claims) (bool, error) {
					return !revoked.Load(), nil
				})
			}
			decisions := &ledger{}
			exchange := chat(t, issuers, grpcmw.Config{
				Policy: grpcmw.Policy{"": needs}, Permissions: cache, Observer: decisions.observe,
			}, mint(issuer))
			for start := time.Now(); time.Since(start) < 1200*time.Millisecond; {
				require.NoError(t, exchange())
			}
			_, parts := decisions.take(pendingMethod)
			assert.Empty(t, parts, "nobody needs a record a second of each stream")

			revoked.Store(true)
			switch name {
			case "Issuers.Remove", "Remove, of a pending type":
				issuers.Remove(issuer.URL())
			case "PermissionCache.Forget", "Forget, in a workspace":
				cache.Forget(claims.Principal{Issuer: issuer.URL(), Subject: "alice"})
			}
			at := time.Now()
			for err = error(nil); err == nil; err = exchange() {
			}
			assert.Equal(t, tt.code, status.Code(err), "%v", err)
			assert.Less(t, time.Since(at), testTimeout/2)
			assert.Eventually(t, func() bool {
				_, parts = decisions.take(pendingMethod)
				return len(parts) > 0
			}, testTimeout, time.Millisecond)
			assert.Len(t, parts, 1)
		})
	}
}

// An outage ends no stream, and is asked about again.
func TestStream_outageWhileOpen(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	keys, err := jwks.Parse(issuer.KeySet())
	require.NoError(t, err)
	source := &failing{KeySource: keys}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: source,
	})
	require.NoError(t, err)
	exchange := chat(t, verifier, grpcmw.Config{
		Policy: grpcmw.Policy{"": claims.Authenticated()},
	}, mint(issuer))
	require.NoError(t, exchange())
	source.down.Store(true)
	for source.asked.Load() < 2 {
		require.NoError(t, exchange())
	}
	source.down.Store(false)
	require.NoError(t, exchange())
}

// However many messages pass, it is asked once a second whether they may.
func TestStream_asksOnceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		needs := claims.Func("count", func(context.Context, *claims.Claims) (bool, error) {
			asked++
			return true, nil
		})
		err := onGuarded(t, needs, func(stream grpc.ServerStream) error {
			for range 1000 { // in 10 s
				assert.NoError(t, stream.RecvMsg(nil))
				assert.NoError(t, stream.SendMsg(nil))
				time.Sleep(10 * time.Millisecond)
			}
			time.Sleep(30 * time.Second)
			assert.Equal(t, 1+9, asked, "a stream without messages asks nothing")
			return nil
		})
		assert.NoError(t, err)
	})
}

func TestStream_messageAllocatesNothing(t *testing.T) {
	_ = onGuarded(t, claims.Authenticated(), func(stream grpc.ServerStream) error {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			_ = stream.RecvMsg(nil)
			_ = stream.SendMsg(nil)
		}))
		return nil
	})
}

// Whoever else of a handler is at work learns of the end, and nobody waits for
// them.
func TestStream_revokedWhileBlocked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start, revoked := time.Now(), atomic.Bool{}
		needs := claims.All(claims.Scopes("read"), claims.Func("allowed",
			func(context.Context, *claims.Claims) (bool, error) {
				if revoked.Load() {
					return false, claims.ErrInvalidToken
				}
				return true, nil
			}))
		err := onGuarded(t, needs, func(stream grpc.ServerStream) error {
			revoked.Store(true)
			go func() {
				time.Sleep(5 * time.Second)
				assert.ErrorIs(t, stream.RecvMsg(nil), claims.ErrInvalidToken)
			}()
			<-stream.Context().Done()
			assert.ErrorIs(t, context.Cause(stream.Context()), claims.ErrInvalidToken)
			time.Sleep(time.Hour) // it does not care
			return nil
		})
		assert.Equal(t, 5*time.Second, time.Since(start))
		assert.Equal(t, codes.Unauthenticated, status.Code(err))
		info, _ := details(t, status.Convert(err))
		assert.Equal(t, "read", info.GetMetadata()["scope"], "that another token needs")
		time.Sleep(2 * time.Hour)
	})
}

// onGuarded runs handler as a stream of somebody who has what is needed.
func onGuarded(
	t *testing.T, needs claims.Requirement, handler func(grpc.ServerStream) error,
) error {
	t.Helper()
	issuer, verifier := offline(t)
	auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: grpcmw.Policy{pendingMethod: needs}})
	require.NoError(t, err)
	p := &pipe{ctx: metadata.NewIncomingContext(t.Context(),
		metadata.Pairs("authorization", "Bearer "+mint(issuer)))}
	return auth.Stream(nil, p, &grpc.StreamServerInfo{FullMethod: pendingMethod},
		func(_ any, stream grpc.ServerStream) error { return handler(stream) })
}
