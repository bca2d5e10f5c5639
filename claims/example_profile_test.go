package claims_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/jwks"
)

func ExampleProfile() {
	fmt.Println(claims.EntraV2)
	fmt.Println(claims.EntraV2.Config().RequiredClaims)
	// Output:
	// EntraV2
	// [sub azp scp|roles]
}

func ExampleProfile_rfc9068() {
	_, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://authorization-server.example.com/",
		Audiences: []string{"https://orders.example"},
		Profile:   claims.RFC9068,
	})
	fmt.Println(err)
	// Output: <nil>
}

// The slash at the end of the issuer is part of it. The audience is the
// identifier of the API in the dashboard.
func ExampleProfile_auth0() {
	_, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://acme.eu.auth0.com/",
		Audiences: []string{"https://orders.example"},
		Profile:   claims.Auth0,
	})
	fmt.Println(err)
	// Output: <nil>
}

// Tokens of a user pool have no audience unless the client asked for a
// resource. Which clients may call is then said by name.
func ExampleProfile_cognito() {
	_, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf123",
		ClientIDs: []string{"1h57kf5cpq17m0eml12EXAMPLE"},
		Profile:   claims.Cognito,
	})
	fmt.Println(err)
	// Output: <nil>
}

// With tokens of version 1.0 the audience may be the application ID URI or the
// client ID of the API.
func ExampleProfile_entraV1() {
	_, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://sts.windows.net/fa15d692-e9c7-4460-a743-29f2956fd429/",
		Audiences: []string{"api://orders", "ef1da9d4-ff77-4c3e-a005-840c3f830745"},
		Profile:   claims.EntraV1,
	})
	fmt.Println(err)
	// Output: <nil>
}

// The audience is always the client ID of the API.
func ExampleProfile_entraV2() {
	const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	_, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://login.microsoftonline.com/" + tenant + "/v2.0",
		Audiences: []string{"6e74172b-be56-4843-9ff4-e66a39bb12e3"},
		Profile:   claims.EntraV2,
	})
	fmt.Println(err)
	// Output: <nil>
}

// One registration for the tenants of several customers.
func ExampleProfile_entraV2Tenants() {
	const issuer = "https://login.microsoftonline.com/{tenantid}/v2.0"
	const metadata = "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration"
	keys, err := jwks.NewCache(jwks.Config{Issuer: issuer, MetadataURL: metadata})
	if err != nil {
		log.Fatal(err)
	}
	customers := map[string]bool{"72f988bf-86f1-41af-91ab-2d7cd011db47": true}
	_, err = claims.NewVerifier(claims.Config{
		Issuer: issuer, Keys: keys, Profile: claims.EntraV2,
		TrustTenant: func(id string) bool { return customers[id] },
		Audiences:   []string{"6e74172b-be56-4843-9ff4-e66a39bb12e3"},
	})
	fmt.Println(err)
	// Output: <nil>
}

// A service on Cloud Run that another service, or Pub/Sub, calls with the ID
// token of its service account.
func ExampleProfile_google() {
	_, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://accounts.google.com",
		Audiences: []string{"https://orders-abcdefghij-ew.a.run.app"},
		ClientIDs: []string{"checkout@acme-prod.iam.gserviceaccount.com"},
		Profile:   claims.Google,
	})
	fmt.Println(err)
	// Output: <nil>
}

func ExampleProfile_hydra() {
	_, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://acme.projects.oryapis.com",
		Audiences: []string{"https://orders.example"},
		Profile:   claims.Hydra,
	})
	fmt.Println(err)
	// Output: <nil>
}

// The audience is what the audience mapper adds.
func ExampleProfile_keycloak() {
	_, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://sso.example/realms/acme",
		Audiences: []string{"orders"},
		Profile:   claims.Keycloak,
		PermissionMap: map[string][]string{
			"orders:admin": {"orders:read", "orders:refund"},
		},
	})
	fmt.Println(err)
	// Output: <nil>
}

const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/"

// clusterTransport sends the pod's token, without which most clusters do not
// show their keys. It is read each time: the kubelet renews it.
type clusterTransport struct{ base http.RoundTripper }

func (t clusterTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := os.ReadFile(serviceAccount + "token")
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(token))
	return t.base.RoundTrip(r)
}

// The keys of a cluster, for a pod in it: from the API server, whose
// certificate is of the cluster's own authority.
func ExampleProfile_kubernetes() {
	ca, err := os.ReadFile(serviceAccount + "ca.crt")
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	base := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	keys, err := jwks.NewCache(jwks.Config{
		URL:    "https://kubernetes.default.svc/openid/v1/jwks",
		Client: &http.Client{Transport: clusterTransport{base}},
	})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://kubernetes.default.svc.cluster.local",
		Audiences: []string{"https://orders.example"}, // of the projected volume
		Keys:      keys,
		Profile:   claims.Kubernetes,
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Println(verifier.Ready(context.Background()))
}

func ExampleProfile_okta() {
	_, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://acme.okta.com/oauth2/default",
		Audiences: []string{"api://default"},
		Profile:   claims.Okta,
	})
	fmt.Println(err)
	// Output: <nil>
}
