package jwks_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// An error has the value that is wrong, and none of what may be secret in it.
func TestConfig_errorsHaveTheValue(t *testing.T) {
	t.Parallel()
	var none *jwks.Set
	for want, cfg := range map[string]jwks.Config{
		`jwks: Config.Issuer of "http://issuer.example" must be https`:      {Issuer: "http://issuer.example"},
		`jwks: Config.Issuer of "issuer.example" must be an absolute`:       {Issuer: "issuer.example"},
		`jwks: Config.URL of "http://issuer.example/…" must be https`:       {URL: "http://issuer.example/secret?secret"},
		`jwks: Config.URL of "https://…@issuer.example" must not have user`: {URL: "https://user:secret@issuer.example"},
		`jwks: Config.MetadataURL of "ftp://a" must be an https URL`:        {Issuer: issuerURL, MetadataURL: "ftp://a"},
		`jwks: Config.Sources[0] is nil`:                                    {Sources: []jwks.Source{none}},
		`jwks: one of Config.Issuer, Config.URL and Config.Sources is`:      {},
	} {
		_, err := jwks.NewCache(cfg)
		require.Error(t, err)
		assert.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "secret")
	}
	_, err := jwks.NewRemote(jwks.RemoteConfig{})
	assert.EqualError(t, err, "jwks: one of RemoteConfig.Issuer and RemoteConfig.URL is required")
	_, err = jwks.NewRemote(jwks.RemoteConfig{Issuer: "http://a.example", Timeout: -1})
	assert.ErrorContains(t, err, `jwks: RemoteConfig.Issuer of "http://a.example" must be https`)
	assert.ErrorContains(t, err, `jwks: RemoteConfig.Timeout of -1ns is negative`)
}

func TestNewCache_refuses(t *testing.T) {
	t.Parallel()
	const password = "pass-word"
	tests := []struct {
		name string
		url  string // in place of Issuer and of URL
		says string
	}{
		{"relative", "/jwks", "absolute"},
		{"without scheme", "issuer.example", "absolute"},
		{"without host", "https:///jwks", "absolute"},
		{"port only", "https://:443/jwks", "host"},
		{"opaque", "https:issuer.example", "absolute"},
		{"http", "http://issuer.example", "https"},
		{"http on a private address", "http://10.0.0.1", "https"},
		{"http on an address that looks like loopback", "http://127.0.0.1.example", "https"},
		{"http on all addresses", "http://0.0.0.0", "https"},
		{"ftp", "ftp://issuer.example", "https"},
		{"file", "file://localhost/pass-word", "https"},
		{"user information", "https://user:pass-word@issuer.example", "user information"},
		{"user name", "https://pass-word@issuer.example", "user information"},
		{"fragment", "https://issuer.example#pass-word", "fragment"},
		{"empty fragment", "https://issuer.example#", "fragment"},
		{"not a URL", "https://user:pass-word@issuer.example:port/%", "URL"},
		{"control character", "https://issuer.example/\npass-word", "URL"},
		{"white space", " https://issuer.example", "URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for field, cfg := range map[string]jwks.Config{
				"Config.Issuer": {Issuer: tt.url},
				"Config.URL":    {URL: tt.url},
				"URL":           {Issuer: issuerURL, URL: tt.url},
			} {
				cache, err := jwks.NewCache(cfg)
				if !assert.Error(t, err, field) {
					continue
				}
				assert.Nil(t, cache)
				assert.ErrorContains(t, err, field)
				assert.ErrorContains(t, err, tt.says)
				assert.True(t, strings.HasPrefix(err.Error(), "jwks: "), err.Error())
				assert.NotContains(t, err.Error(), password)
			}
		})
	}
}

func TestNewCache_refusesConfigs(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]jwks.Config{
		"nothing":              {},
		"client only":          {Client: &http.Client{}},
		"issuer with query":    {Issuer: issuerURL + "?pass-word"}, // RFC 8414 section 2
		"issuer, empty query":  {Issuer: issuerURL + "/?"},
		"issuer, query, slash": {Issuer: issuerURL + "/a/?tenant=pass-word"},
	} {
		cache, err := jwks.NewCache(cfg)
		require.Error(t, err, name)
		assert.Nil(t, cache, name)
		assert.NotContains(t, err.Error(), "pass-word", name)
		assert.ErrorContains(t, err, "Issuer", name)
	}
}

func TestNewCache_accepts(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"https://issuer.example", "https://issuer.example/", "https://issuer.example:8443/a/b",
		"HTTPS://ISSUER.EXAMPLE", "https://[2001:db8::1]:8443", "http://127.0.0.1:8082",
		"http://127.1.2.3", "http://[::1]:8082/a", "http://localhost", "http://LOCALHOST:1",
		"https://issuer.example/a%2Fb",
	} {
		_, err := jwks.NewCache(jwks.Config{Issuer: good})
		assert.NoError(t, err, good)
		_, err = jwks.NewCache(jwks.Config{URL: good + "?tenant=a"})
		assert.NoError(t, err, good)
	}
}

// Whoever mends a Config sees all that is wrong with it at once.
func TestNewCache_reportsEverything(t *testing.T) {
	t.Parallel()
	const bad = "http://user:pass-word@issuer.example/?query#fragment"
	_, err := jwks.NewCache(jwks.Config{Issuer: bad})
	for _, part := range []string{"https", "user information", "query", "fragment"} {
		assert.ErrorContains(t, err, part)
	}
	assert.NotContains(t, err.Error(), "pass-word")
	_, err = jwks.NewCache(jwks.Config{URL: "/relative", Cooldown: -1})
	for _, part := range []string{"Config.Cooldown", "Config.URL", "absolute"} {
		assert.ErrorContains(t, err, part)
	}
	assert.NotContains(t, err.Error(), "pass-word")
}

func TestConfig_reportsEverything(t *testing.T) {
	t.Parallel()
	_, err := jwks.NewCache(jwks.Config{
		Issuer:        "https://issuer.example",
		Sources:       []jwks.Source{nil},
		Timeout:       time.Hour,
		DefaultMaxAge: time.Second,
		MaxStale:      25 * time.Hour,
		Cooldown:      time.Millisecond,
	})
	require.Error(t, err)
	for _, field := range []string{
		"Sources takes the place", "Sources[0] is nil",
		"Timeout", "DefaultMaxAge", "MaxStale", "Cooldown",
	} {
		assert.ErrorContains(t, err, "Config."+field)
	}
	_, err = jwks.NewRemote(jwks.RemoteConfig{
		URL: "https://issuer.example/jwks", MetadataURL: "https://issuer.example/metadata", Timeout: -1,
	})
	assert.ErrorContains(t, err, `RemoteConfig.MetadataURL of "https://issuer.example/…" contradicts`)
	assert.ErrorContains(t, err, "RemoteConfig.Timeout of -1ns")
	_, err = jwks.NewRemote(jwks.RemoteConfig{Issuer: "x", MetadataURL: "ftp://issuer.example"})
	assert.ErrorContains(t, err, `RemoteConfig.MetadataURL of "ftp://issuer.example" must be an https URL`)
}
