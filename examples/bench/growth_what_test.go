package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
)

// growMethods calls the methods of a policy in turn, with one token.
func growMethods(b *testing.B, c *crowd, n int) {
	cfg := grpcmw.Config{Policy: grpcmw.Policy{}}
	infos := make([]grpc.UnaryServerInfo, n)
	for i := range infos {
		infos[i].FullMethod = fmt.Sprintf("/orders.v1.Service%d/Method%d", i/20, i%20)
		cfg.Policy[infos[i].FullMethod] = claims.Scopes(requiredScope)
	}
	verifier := c.remembering(b, 1).verifier
	guard, err := grpcmw.New(verifier, cfg)
	require.NoError(b, err)
	ctx := metadata.NewIncomingContext(b.Context(), metadata.Pairs(
		":authority", "orders.example", "content-type", "application/grpc",
		"authorization", "Bearer "+c.tokens(1)[0]))
	handler := func(context.Context, any) (any, error) { return nil, nil }
	i := 0
	call := func() error {
		i = (i + 1) % n
		_, err := guard.Unary(ctx, nil, &infos[i], handler)
		return err
	}
	require.NoError(b, call())
	b.Run("op=call", func(b *testing.B) { measure(b, call) })
	b.Run("op=new", func(b *testing.B) {
		measure(b, func() error {
			_, err := grpcmw.New(verifier, cfg)
			return err
		})
	})
}

// growRoutes requests the routes in turn, with one token, and those of the mux
// of the standard library, which asks nobody for a token.
func growRoutes(b *testing.B, c *crowd, n int) {
	verifier := c.remembering(b, 1).verifier
	guarded := httpmw.NewServeMux(httpmw.New(verifier, httpmw.Config{}))
	bare := http.NewServeMux()
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	paths := make([]string, n)
	for i := range paths {
		pattern := fmt.Sprintf("GET /service%d/thing%d/{id}", i/20, i%20)
		guarded.Handle(pattern, claims.Scopes(requiredScope), handler)
		bare.Handle(pattern, handler)
		paths[i] = fmt.Sprintf("/service%d/thing%d/42", i/20, i%20)
	}
	for _, m := range []struct {
		name string
		mux  http.Handler
	}{{"op=guarded", guarded}, {"op=bare", bare}} {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://api.example/", nil)
		require.NoError(b, err)
		r.Header.Set("Authorization", "Bearer "+c.tokens(1)[0])
		w := &statusWriter{responseWriter{http.Header{}}, 0}
		i := 0
		request := func() error {
			i = (i + 1) % n
			r.URL.Path = paths[i]
			clear(w.header)
			m.mux.ServeHTTP(w, r)
			if w.status != http.StatusNoContent {
				return errNotServed
			}
			return nil
		}
		require.NoError(b, request())
		b.Run(m.name, func(b *testing.B) { measure(b, request) })
	}
}

type statusWriter struct {
	responseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) { w.status = status }

// growPrincipals has a token of each, and a guard that asks a PermissionCache
// for what its caller may do, beside one that does not.
func growPrincipals(b *testing.B, c *crowd, n int) {
	tokens := c.tokens(n)
	verifier := c.remembering(b, n).verifier
	cache, err := claims.NewPermissionCache(grantTen{}, claims.PermissionCacheConfig{
		TTL: time.Hour, Max: 2 * n,
	})
	require.NoError(b, err)
	scope := claims.Scopes(requiredScope)
	for _, m := range []struct {
		name        string
		permissions claims.PermissionSource
		needs       claims.Requirement
	}{
		{"op=scope", nil, scope},
		{"op=permission", cache, claims.All(scope, claims.Permissions("orders:archive"))},
	} {
		guard, err := claims.NewGuard(verifier, claims.GuardConfig{Permissions: m.permissions})
		require.NoError(b, err)
		operation := claims.Operation{Protocol: "HTTP", Name: "GET /orders", Requirement: m.needs}
		op := func(token string) error {
			credentials := claims.Credentials{Scheme: "Bearer", Token: token}
			_, err := guard.Authorize(b.Context(), operation, credentials, nil)
			return err
		}
		each(b, tokens, op)
		b.Run(m.name, func(b *testing.B) { measureArriving(b, anyOf(tokens), op) })
	}
}

// grantTen grants everybody ten permissions, each in memory of its own, as a
// database would.
type grantTen struct{}

func (grantTen) Permissions(context.Context, claims.Principal) (claims.Grants, error) {
	permissions := []string{"orders:archive"}
	for i := range 9 {
		permissions = append(permissions, fmt.Sprintf("orders:permission-%d", i))
	}
	return claims.Grants{Permissions: permissions}, nil
}

// growParts checks requirements of n parts: all that are needed, and
// alternatives of which the last is met, or none.
func growParts(b *testing.B, _ *crowd, n int) {
	var scopes []string
	var met, missed []claims.Requirement
	for i := range n {
		scope := fmt.Sprintf("orders:%d", i)
		scopes = append(scopes, scope)
		met = append(met, claims.Scopes(scope))
		missed = append(missed, claims.Scopes("other:"+scope))
	}
	object, err := json.Marshal(map[string]string{"scope": strings.Join(scopes, " ")})
	require.NoError(b, err)
	caller, err := claims.FromJSON(object, claims.Config{})
	require.NoError(b, err)
	ctx := claims.NewContext(b.Context(), caller)
	last := append(append([]claims.Requirement{}, missed[:n-1]...), met[n-1])
	for _, m := range []struct {
		name  string
		needs claims.Requirement
		want  bool
	}{
		{"op=all-met", claims.All(met...), true},
		{"op=all-refused", claims.All(missed...), false},
		{"op=any-met", claims.AnyOf(last...), true},
		{"op=any-refused", claims.AnyOf(missed...), false},
	} {
		require.NoError(b, m.needs.Validate())
		b.Run(m.name, func(b *testing.B) {
			measure(b, func() error {
				if err := claims.Allowed(ctx, m.needs); (err == nil) != m.want {
					return fmt.Errorf("bench: %s: %v", m.needs, err)
				}
				return nil
			})
		})
	}
}
