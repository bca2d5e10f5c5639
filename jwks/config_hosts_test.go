package jwks_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// Only the hosts that are named may be asked over http, at the ports that are.
func TestConfig_InsecureHTTPHosts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		host, url string
		ok        bool
	}{
		{"keycloak", "http://keycloak:8080", true},
		{"keycloak", "http://keycloak", true},
		{"keycloak", "http://KEYCLOAK:1", true},
		{"Keycloak:8080", "http://keycloak:8080", true},
		{"keycloak:80", "http://keycloak", true},
		{"10.0.0.1", "http://10.0.0.1:8080", true},
		{"fd00::1", "http://[fd00::1]:8080", true},
		{"[fd00::1]:8080", "http://[fd00::1]:8080", true},
		{"keycloak:8080", "http://keycloak:8081", false},
		{"keycloak:8080", "http://keycloak", false},
		{"keycloak", "http://keycloak.example", false},
		{"keycloak", "http://a.keycloak", false},
		{"keycloak", "http://keycloak.", false},
		{"keycloak", "http://keycloak@evil.example", false},
		{"keycloak", "ftp://keycloak", false},
		{"example", "http://issuer.example", false},
	} {
		for field, cfg := range map[string]jwks.Config{
			"Issuer":      {Issuer: tt.url + "/realms/a"},
			"URL":         {URL: tt.url + "/jwks"},
			"MetadataURL": {Issuer: issuerURL, MetadataURL: tt.url + "/metadata"},
		} {
			cfg.InsecureHTTPHosts = []string{tt.host}
			_, err := jwks.NewCache(cfg)
			assert.Equal(t, tt.ok, err == nil, "%s of %s with %s: %v", field, tt.url, tt.host, err)
			cfg.InsecureHTTPHosts = nil
			_, err = jwks.NewCache(cfg)
			assert.ErrorContains(t, err, "Config."+field, "nothing without it")
		}
	}
}

func TestConfig_InsecureHTTPHosts_malformed(t *testing.T) {
	t.Parallel()
	for _, host := range []string{
		"", "*", "*.example", "http://keycloak", "keycloak/", "keycloak:8080/a", "keycloak:", ":8080",
		"user:pass-word@keycloak", "key cloak", "keycloak:port", "keycloak?a", "keycloak#a", "[fd00::1", "%",
	} {
		cfg := jwks.Config{Issuer: issuerURL, InsecureHTTPHosts: []string{"good", host}}
		_, err := jwks.NewCache(cfg)
		require.ErrorContains(t, err, "jwks: Config.InsecureHTTPHosts[1] of ", host)
		assert.NotContains(t, err.Error(), "pass-word")
		_, err = jwks.NewRemote(jwks.RemoteConfig{Issuer: issuerURL, InsecureHTTPHosts: cfg.InsecureHTTPHosts})
		require.ErrorContains(t, err, "jwks: RemoteConfig.InsecureHTTPHosts[1] of ", host)
	}
}

// The key set's URL that metadata names, and where it redirects to, are held to
// the same.
func TestRemote_insecureHosts(t *testing.T) {
	for _, tt := range []struct {
		name     string
		insecure string
		metadata string // where it is
		keys     string // what it names
		redirect string // where that redirects to, if it does
		fault    jwks.Fault
	}{
		{"all on one host", "keycloak", "http://keycloak:8080/m", "http://keycloak:8080/k", "", ""},
		{"keys on a host not named", "keycloak", "http://keycloak:8080/m", "http://other:8080/k", "", jwks.FaultMetadata},
		{"keys on a port not named", "keycloak:8080", "http://keycloak:8080/m", "http://keycloak:8081/k", "", jwks.FaultMetadata},
		{"metadata over https, keys on the host", "keycloak", "https://issuer.example/m", "http://keycloak:8080/k", "", ""},
		{"metadata over https, keys on loopback", "keycloak", "https://issuer.example/m", "http://127.0.0.1/k", "", jwks.FaultMetadata},
		{"redirect within the origin", "keycloak", "http://keycloak/m", "http://keycloak/k", "http://keycloak/l", ""},
		{"redirect to another port", "keycloak", "http://keycloak/m", "http://keycloak/k", "http://keycloak:81/l", jwks.FaultRedirect},
		{"redirect to a host that is named", "keycloak", "https://issuer.example/m", "https://issuer.example/k", "http://keycloak/l", jwks.FaultRedirect},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch {
					case r.URL.Path == "/m":
						_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, issuerURL, tt.keys)
					case r.URL.Path == "/k" && tt.redirect != "":
						http.Redirect(w, r, tt.redirect, http.StatusFound)
					default:
						_, _ = w.Write(document(testKey("ES256")))
					}
				})
				cache := newCache(t, jwks.Config{
					Issuer: issuerURL, MetadataURL: tt.metadata, InsecureHTTPHosts: []string{tt.insecure},
					Client: &http.Client{Transport: everywhere{answer}},
				})
				err := cache.Ready(t.Context())
				assert.Equal(t, tt.fault, cache.Stats().LastFault, "%v", err)
			})
		})
	}
}
