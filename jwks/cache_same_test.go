package jwks_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// A cache names the issuer that its keys are of.
func TestCache_Issuer(t *testing.T) {
	t.Parallel()
	remote, err := jwks.NewRemote(jwks.RemoteConfig{Issuer: issuerURL, URL: "https://keys.example"})
	require.NoError(t, err)
	for want, configs := range map[string][]jwks.Config{
		issuerURL: {
			{Issuer: issuerURL},
			{Issuer: issuerURL, URL: "https://keys.example"},
			{Sources: []jwks.Source{jwks.File("keys.json"), remote}},
		},
		"": {{URL: "https://keys.example"}, {Sources: []jwks.Source{jwks.File("keys.json")}}},
	} {
		for _, cfg := range configs {
			assert.Equal(t, want, newCache(t, cfg).Issuer())
		}
	}
}

// numberedSource is a source of somebody's own that can be compared.
type numberedSource int

func (numberedSource) KeySet(context.Context, bool) (*jwks.Set, time.Duration, error) {
	return nil, 0, nil
}

func TestCache_SameConfig(t *testing.T) {
	t.Parallel()
	client := &http.Client{}
	own := userSource(func(context.Context, bool) (*jwks.Set, time.Duration, error) {
		return nil, 0, nil
	})
	remote := func() jwks.Source {
		r, err := jwks.NewRemote(jwks.RemoteConfig{Issuer: "https://issuer.example", Client: client})
		require.NoError(t, err)
		return r
	}
	base := jwks.Config{Issuer: "https://issuer.example", Client: client}
	for name, row := range map[string]struct {
		a, b jwks.Config
		same bool
	}{
		"the same": {base, base, true},
		"defaults written out": {base, jwks.Config{
			Issuer: base.Issuer, Client: client, Timeout: 5 * time.Second,
			DefaultMaxAge: 10 * time.Minute, MaxStale: time.Hour, Cooldown: 30 * time.Second,
		}, true},
		"observers": {base, jwks.Config{
			Issuer: base.Issuer, Client: client, Observer: func(context.Context, jwks.Event) {},
		}, true},
		"issuer": {base, jwks.Config{Issuer: "https://other.example", Client: client}, false},
		"client": {base, jwks.Config{Issuer: base.Issuer, Client: &http.Client{Timeout: 1}}, false},
		"URL":    {base, jwks.Config{URL: "https://issuer.example/jwks", Client: client}, false},
		"stale":  {base, jwks.Config{Issuer: base.Issuer, Client: client, MaxStale: -1}, false},
		"cooldown": {base, jwks.Config{
			Issuer: base.Issuer, Client: client, Cooldown: time.Minute,
		}, false},
		"files": {
			jwks.Config{Sources: []jwks.Source{jwks.File("/a"), remote()}},
			jwks.Config{Sources: []jwks.Source{jwks.File("/a"), remote()}}, true,
		},
		"other files": {
			jwks.Config{Sources: []jwks.Source{jwks.File("/a")}},
			jwks.Config{Sources: []jwks.Source{jwks.File("/b")}}, false,
		},
		"timeout": {
			jwks.Config{Sources: []jwks.Source{jwks.File("/a")}},
			jwks.Config{Sources: []jwks.Source{jwks.File("/a")}, Timeout: time.Second}, false,
		},
		"age": {base, jwks.Config{
			Issuer: base.Issuer, Client: client, DefaultMaxAge: time.Minute,
		}, false},
		"file and remote": {
			jwks.Config{Sources: []jwks.Source{jwks.File("/a")}},
			jwks.Config{Sources: []jwks.Source{remote()}}, false,
		},
		"one more": {
			jwks.Config{Sources: []jwks.Source{jwks.File("/a")}},
			jwks.Config{Sources: []jwks.Source{jwks.File("/a"), remote()}}, false,
		},
		"equal ones of one's own": {
			jwks.Config{Sources: []jwks.Source{numberedSource(1)}},
			jwks.Config{Sources: []jwks.Source{numberedSource(1)}}, true,
		},
		"unequal ones": {
			jwks.Config{Sources: []jwks.Source{numberedSource(1)}},
			jwks.Config{Sources: []jwks.Source{numberedSource(2)}}, false,
		},
		"function and one of one's own": {
			jwks.Config{Sources: []jwks.Source{own}},
			jwks.Config{Sources: []jwks.Source{numberedSource(1)}}, false,
		},
		"functions, which cannot be compared": {
			jwks.Config{Sources: []jwks.Source{own}}, jwks.Config{Sources: []jwks.Source{own}}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := newCache(t, row.a), newCache(t, row.b)
			assert.Equal(t, row.same, a.SameConfig(b))
			assert.Equal(t, row.same, b.SameConfig(a))
		})
	}
}
