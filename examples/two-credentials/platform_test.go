package main

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

func TestRun(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, `OAuth and a sandbox token      REST 200, gRPC OK
environment and sandbox token  REST 200, gRPC OK
environment token alone        REST 401, gRPC Unauthenticated
`, out.String())
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, issuerConfig())
	p, err := start(t.Context(), issuer, t.TempDir())
	require.NoError(t, err)
	good := newOAuth(t.Context(), p.tokenURL, robot.ID, robot.Secret)
	mint := func(token claimstest.Token) oauth2.TokenSource {
		token.Subject, token.ClientID = "robot", "robot"
		return static(issuer.Mint(token))
	}
	for _, tt := range []struct {
		name       string
		auth       credentials
		rest, grpc string
	}{
		{"both", credentials{good, p.sandbox}, "200", "OK"},
		{"environment token", credentials{static(p.environment), p.sandbox}, "200", "OK"},
		{"no sandbox token", credentials{good, ""}, "401", "Unauthenticated"},
		{"each in the other's place", credentials{static(p.sandbox), p.environment}, "401", "Unauthenticated"},
		{"the environment token twice", credentials{static(p.environment), p.environment}, "401", "Unauthenticated"},
		{"an environment token that was changed", credentials{static(p.environment[:len(p.environment)-1] + "0"), p.sandbox},
			"401", "Unauthenticated"},
		{"an OAuth token that has expired",
			credentials{mint(claimstest.Token{Scope: "entities:read", Lifetime: -time.Hour}), p.sandbox}, "401", "Unauthenticated"},
		{"an OAuth token without the scope", credentials{mint(claimstest.Token{}), p.sandbox}, "403", "PermissionDenied"},
	} {
		assert.Equal(t, tt.rest, callREST(t.Context(), p.rest, tt.auth), tt.name)
		assert.Equal(t, tt.grpc, callGRPC(t.Context(), p.grpc, tt.auth), tt.name)
	}
	assert.Equal(t, 1, issuer.Requests("/api/v1/oauth/token"), "one token for all calls of a client")
}

// The client keeps a token and fetches the next five minutes before it
// expires.
func TestOAuth_fiveMinutesEarly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := issuerConfig()
		cfg.URL = "http://issuer.example"
		issuer, err := claimstest.New(cfg)
		require.NoError(t, err)
		ctx := context.WithValue(t.Context(), oauth2.HTTPClient, issuer.Client())
		source := newOAuth(ctx, issuer.TokenURL(), robot.ID, robot.Secret)
		token := func() string {
			t.Helper()
			token, err := source.Token()
			require.NoError(t, err)
			return token.AccessToken
		}
		first := token()
		time.Sleep(cfg.Lifetime - early - time.Second)
		assert.Equal(t, first, token())
		time.Sleep(2 * time.Second)
		second := token()
		assert.NotEqual(t, first, second)
		assert.Equal(t, second, token())
		assert.Equal(t, 2, issuer.Requests("/api/v1/oauth/token"))
		issuer.Fail(http.StatusBadGateway)
		time.Sleep(cfg.Lifetime - early + time.Second)
		_, err = source.Token()
		require.Error(t, err)
	})
}
