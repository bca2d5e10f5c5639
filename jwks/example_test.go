package jwks_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/sallyport-go/sallyport/jwks"
)

// A cache with settings of its own: the keys of an issuer without metadata, by
// a client with a proxy or a private certificate authority, kept for an outage
// of four hours.
func ExampleNewCache() {
	keys, err := jwks.NewCache(jwks.Config{
		Issuer:   "https://issuer.example",
		URL:      "https://issuer.example/keys.json",
		Client:   &http.Client{ /* Transport: … */ },
		MaxStale: 4 * time.Hour,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(keys.Issuer())
	// Output: https://issuer.example
}

// An issuer inside of a private network, without TLS.
func ExampleConfig_insecureHTTPHosts() {
	_, err := jwks.NewCache(jwks.Config{
		Issuer:            "http://keycloak:8080/realms/orders",
		InsecureHTTPHosts: []string{"keycloak:8080"},
	})
	fmt.Println(err)
	// Output: <nil>
}

// Metrics of what a cache does.
func ExampleConfig_observer() {
	set, err := jwks.Parse([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1",
		"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	if err != nil {
		log.Fatal(err)
	}
	refused := 0
	keys, err := jwks.NewCache(jwks.Config{
		Sources: []jwks.Source{set},
		Observer: func(_ context.Context, e jwks.Event) {
			switch e.Kind {
			case jwks.EventFetch: // a histogram, by e.Cause and e.Fault
			case jwks.EventRefusal: // a counter, by e.Refusal
				refused++
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = keys.Lookup(context.Background(), "2", "EdDSA")
	fmt.Println(err, refused)
	// Output: jwks: unknown key 1
}

// What to alert on: the state, by name, and why.
func ExampleCache_Stats() {
	keys, err := jwks.NewCache(jwks.Config{Sources: []jwks.Source{jwks.File("/nowhere.json")}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(keys.Stats().State)
	_ = keys.Ready(context.Background())
	stats := keys.Stats()
	fmt.Println(stats.State, stats.LastFault, stats.Failures)
	// Output:
	// empty
	// unavailable file 1
}

// The issuer first, and a file where it fails.
func ExampleFile() {
	issuer, err := jwks.NewRemote(jwks.RemoteConfig{Issuer: "https://issuer.example"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = jwks.NewCache(jwks.Config{
		Sources: []jwks.Source{issuer, jwks.File("/etc/orders/keys.json")},
	})
	fmt.Println(err)
	// Output: <nil>
}

// A static key in PEM, as an issuer's documentation may have it. A Set can be
// the Keys of a claims.Config.
func ExampleParse() {
	keys, err := jwks.Parse([]byte(`-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, key := range keys.Keys() {
		fmt.Println(key.Algorithms())
	}
	// Output: [EdDSA Ed25519]
}

// A key that the program has from elsewhere. As it is the only one, tokens that
// name whatever key ID are verified with it.
func ExampleNewSet() {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	keys, err := jwks.NewSet(private.Public())
	if err != nil {
		log.Fatal(err)
	}
	found, err := keys.Lookup(context.Background(), "2026-05", "ES256")
	fmt.Println(len(found), err)
	_, err = jwks.NewSet(private)
	fmt.Println(err)
	// Output:
	// 1 <nil>
	// jwks: NewSet: key 0 of type *ecdsa.PrivateKey: private
}

// vault is a Source of one's own: keys that a secret store has.
type vault struct {
	read func(context.Context) (json.RawMessage, error)
}

// KeySet heeds the context, and says that what it read is current for a minute.
func (v vault) KeySet(ctx context.Context, _ bool) (*jwks.Set, time.Duration, error) {
	data, err := v.read(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("vault: %w", err)
	}
	set, err := jwks.Parse(data)
	return set, time.Minute, err
}

func ExampleSource() {
	keys, err := jwks.NewCache(jwks.Config{Sources: []jwks.Source{
		vault{func(context.Context) (json.RawMessage, error) { return nil, os.ErrDeadlineExceeded }},
	}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(keys.Ready(context.Background()))
	// Output: jwks: key set unavailable: of sources: vault: i/o timeout
}
