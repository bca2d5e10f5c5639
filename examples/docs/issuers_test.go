package docs_test

import (
	"context"
	"errors"
	"log"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/jwks"
)

func isTenant(string) bool { return true }

func configs(t *testing.T) map[string]claims.Config {
	entraKeys, err := jwks.NewCache(jwks.Config{
		URL: "https://login.microsoftonline.com/common/discovery/v2.0/keys",
	})
	require.NoError(t, err)
	return map[string]claims.Config{
		"RFC 9068": {
			Issuer:    "https://issuer.example",
			Audiences: []string{"https://orders.example"},
			Profile:   claims.RFC9068,
		},
		"Auth0": {
			Issuer:    "https://TENANT.eu.auth0.com/", // the slash is part of it
			Audiences: []string{"https://orders.example"},
			Profile:   claims.Auth0,
		},
		"Cognito": {
			Issuer:    "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE",
			ClientIDs: []string{"1example23456789"}, // in the place of an audience
			Profile:   claims.Cognito,
		},
		"Entra": {
			Issuer:    "https://login.microsoftonline.com/TENANT-ID/v2.0",
			Audiences: []string{"APPLICATION-ID"}, // of the API; api://… for version 1.0
			Profile:   claims.EntraV2,
		},
		"Entra, several tenants": {
			Issuer:      "https://login.microsoftonline.com/{tenantid}/v2.0",
			TrustTenant: isTenant,
			Audiences:   []string{"APPLICATION-ID"},
			Profile:     claims.EntraV2,
			Keys:        entraKeys,
		},
		"Google": {
			Issuer:    "https://accounts.google.com",
			Audiences: []string{"https://orders-abc.run.app"},
			ClientIDs: []string{"importer@project.iam.gserviceaccount.com"},
			Profile:   claims.Google,
		},
		"Hydra": {
			Issuer:    "https://hydra.example",
			Audiences: []string{"https://orders.example"},
			Profile:   claims.Hydra,
		},
		"Keycloak": {
			Issuer:    "https://sso.example/realms/shop",
			Audiences: []string{"orders"}, // by an audience mapper of the realm
			Profile:   claims.Keycloak,
		},
		"Kubernetes": {
			Issuer:    "https://oidc.cluster.example",
			Audiences: []string{"orders"}, // of the projected token
			Profile:   claims.Kubernetes,
		},
		"Okta": {
			Issuer:    "https://TENANT.okta.com/oauth2/default",
			Audiences: []string{"api://default"},
			Profile:   claims.Okta,
		},
	}
}

func TestIssuers(t *testing.T) {
	for name, cfg := range configs(t) {
		_, err := claims.NewVerifier(cfg)
		assert.NoError(t, err, name)
	}
}

func Example_ready() {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://issuer.example",
		Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		log.Fatal(err) // the program is wrong: every mistake at once
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := verifier.Ready(ctx); errors.Is(err, claims.ErrUnavailable) {
		log.Print(err) // the issuer is down, or is called otherwise: it says which
	}
}
