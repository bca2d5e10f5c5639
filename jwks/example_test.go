package jwks_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/jwks"
)

// A cache with settings of its own: the keys of an issuer without metadata, by a
// client with a proxy or a private certificate authority, kept for an outage of
// four hours.
func ExampleNewCache() {
	keys, err := jwks.NewCache(jwks.Config{
		Issuer:   "https://issuer.example",
		URL:      "https://issuer.example/keys.json",
		Client:   &http.Client{ /* Transport: … */ },
		MaxStale: 4 * time.Hour,
		Observer: func(_ context.Context, e jwks.Event) {
			if e.Kind == jwks.EventFetch {
				fmt.Println("fetched", e.Cause, e.Duration, e.Fault) // a metric
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	stats := keys.Stats()
	fmt.Println(stats.State, stats.UsableFor)
	// Output: empty 0s
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
