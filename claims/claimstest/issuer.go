package claimstest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Audience is the audience of tokens for which no other is given.
const Audience = "https://api.example"

// Config says what an [Issuer] is. The zero value is useful for [Start].
type Config struct {
	// URL is the issuer identifier, with or without a path. [New] needs it;
	// Start sets it.
	URL string

	// Algorithm is the algorithm of the first key, by [NewKey]. Empty means
	// ES256, whose keys are made at once; RS256 is what most issuers use.
	Algorithm string

	// Audience is "aud" of tokens for which no other is given. Empty means
	// [Audience].
	Audience string

	// Lifetime is how long tokens are valid for which nothing else is given.
	// Zero means 5 minutes.
	Lifetime time.Duration

	// Clients are the clients that the token endpoint knows.
	Clients []Client

	// Profile is the kind of issuer whose tokens these look like: a
	// claims.Profile, by its String. Nil means RFC 9068.
	Profile interface{ String() string }

	// TokenPath is where the token endpoint is, below the issuer's own path.
	// Empty means "/token".
	TokenPath string
}

// Client is a client of the token endpoint.
type Client struct {
	ID, Secret string
	// Scopes are what the client may be granted, and what it is granted if it
	// does not ask for less.
	Scopes []string

	// Subject is "sub" of its tokens. Empty means its ID.
	Subject string
	// Permissions are what its tokens say that it may do, in the way of the
	// issuer's Profile.
	Permissions []string
	// Claims are further members of its tokens, as in [Token].
	Claims map[string]any
}

// Issuer is an authorization server, an [http.Handler]. It is safe for
// concurrent use.
type Issuer struct {
	cfg   Config
	path  string
	shape func(t Token, payload, header map[string]any)
	mux   *http.ServeMux

	mu          sync.Mutex // guards the fields below
	signing     *Key
	published   []*Key
	interceptor http.Handler // answers in place of mux, unless nil
	requests    map[string]int
}

// New returns an Issuer that nobody serves yet.
func New(cfg Config) (*Issuer, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nil, errors.New("claimstest: Config.URL must be an absolute URL")
	}
	for _, client := range cfg.Clients {
		if client.ID == "" || client.Secret == "" {
			return nil, errors.New("claimstest: Config.Clients has one without ID or secret")
		}
	}
	name := "RFC9068"
	if cfg.Profile != nil {
		name = cfg.Profile.String()
	}
	shape, known := shapes[name]
	if !known {
		return nil, fmt.Errorf("claimstest: Config.Profile of %s is none of %s", name, shapeNames())
	}
	cfg.TokenPath = cmp.Or(cfg.TokenPath, "/token")
	if !strings.HasPrefix(cfg.TokenPath, "/") || strings.ContainsAny(cfg.TokenPath, "{} ?#") {
		return nil, fmt.Errorf("claimstest: Config.TokenPath of %q is no path", cfg.TokenPath)
	}
	if cfg.Algorithm == "" {
		cfg.Algorithm = "ES256"
	}
	if cfg.Audience == "" {
		cfg.Audience = Audience
	}
	if cfg.Lifetime == 0 {
		cfg.Lifetime = 5 * time.Minute
	}
	key, err := NewKey(cfg.Algorithm)
	if err != nil {
		return nil, err
	}
	i := &Issuer{
		cfg:       cfg,
		path:      strings.TrimSuffix(u.Path, "/"),
		shape:     shape,
		mux:       http.NewServeMux(),
		signing:   key,
		published: []*Key{key},
		requests:  map[string]int{},
	}
	i.mux.HandleFunc("GET "+i.path+"/.well-known/openid-configuration", i.serveMetadata)
	i.mux.HandleFunc("GET /.well-known/oauth-authorization-server"+i.path, i.serveMetadata)
	i.mux.HandleFunc("GET "+i.path+"/jwks", i.serveKeys)
	endpoint := i.path + cfg.TokenPath
	if strings.HasSuffix(endpoint, "/") {
		endpoint += "{$}" // it alone
	}
	i.mux.HandleFunc("POST "+endpoint, i.serveToken)
	return i, nil
}

// Start returns an Issuer that listens on a loopback address of its own until
// the test ends. The path of cfg.URL, if any, becomes that of the issuer.
func Start(tb testing.TB, cfg Config) *Issuer {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("claimstest: %v", err)
	}
	var path string
	if u, err := url.Parse(cfg.URL); err == nil {
		path = u.Path
	}
	cfg.URL = "http://" + listener.Addr().String() + path
	issuer, err := New(cfg)
	if err != nil {
		listener.Close()
		tb.Fatal(err)
	}
	server := &http.Server{Handler: issuer, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // always ErrServerClosed
	}()
	tb.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return issuer
}

// URL returns the issuer identifier, "iss".
func (i *Issuer) URL() string { return i.cfg.URL }

// JWKSURL returns where the key set is.
func (i *Issuer) JWKSURL() string { return strings.TrimSuffix(i.cfg.URL, "/") + "/jwks" }

// TokenURL returns where the token endpoint is.
func (i *Issuer) TokenURL() string { return strings.TrimSuffix(i.cfg.URL, "/") + i.cfg.TokenPath }

// Key returns the key that tokens are signed with.
func (i *Issuer) Key() *Key {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.signing
}

// Rotate makes a new key, publishes it beside the others, and signs with it
// from now on. An empty algorithm means that of the key before. It panics if
// there are no keys for the algorithm.
func (i *Issuer) Rotate(algorithm string) *Key {
	if algorithm == "" {
		algorithm = i.Key().Algorithm
	}
	key := MustKey(algorithm)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.signing = key
	i.published = append(i.published, key)
	return key
}

// Publish adds a key to the key set, without signing with it.
func (i *Issuer) Publish(key *Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.published = append(i.published, key)
}

// Revoke takes a key out of the key set.
func (i *Issuer) Revoke(key *Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.published = slices.DeleteFunc(i.published, func(k *Key) bool { return k == key })
}

// KeySet returns the key set as it is served.
func (i *Issuer) KeySet() []byte {
	i.mu.Lock()
	published := slices.Clone(i.published)
	i.mu.Unlock()
	keys := make([]any, 0, len(published))
	for _, key := range published {
		keys = append(keys, key.JWK())
	}
	set, err := json.Marshal(map[string]any{"keys": keys})
	must(err)
	return set
}

// Intercept puts wrap(next) in the place of the issuer's own handler, next,
// from the next request on: to be down, to stall, to serve junk, for some paths
// or all. Nil restores it. Requests are counted before they are intercepted.
func (i *Issuer) Intercept(wrap func(next http.Handler) http.Handler) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.interceptor = nil
	if wrap != nil {
		i.interceptor = wrap(i.mux)
	}
}

// Fail makes the issuer answer every request with the status, until
// Intercept(nil).
func (i *Issuer) Fail(status int) {
	i.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "out of order", status)
		})
	})
}

// Requests returns how many requests there were for a path so far.
func (i *Issuer) Requests(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.requests[path]
}

// KeySetRequests returns how many requests there were for the key set so far.
func (i *Issuer) KeySetRequests() int { return i.Requests(i.path + "/jwks") }

// ServeHTTP serves the metadata, the key set and the token endpoint.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.requests[r.URL.Path]++
	handler := i.interceptor
	i.mu.Unlock()
	if handler == nil {
		handler = i.mux
	}
	handler.ServeHTTP(w, r)
}

func (i *Issuer) serveMetadata(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                i.URL(),
		"jwks_uri":                              i.JWKSURL(),
		"token_endpoint":                        i.TokenURL(),
		"grant_types_supported":                 []string{"client_credentials"},
		"response_types_supported":              []string{},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
	})
}

func (i *Issuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_, _ = w.Write(i.KeySet())
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}
