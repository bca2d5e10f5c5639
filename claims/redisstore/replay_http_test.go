package redisstore_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
	"github.com/sallyport-go/sallyport/claims/redisstore/redistest"
	"github.com/sallyport-go/sallyport/httpmw"
)

const api = "https://api.example" // where clients see all replicas

// serveBound starts a replica of a service that takes bound tokens, and returns
// where it is.
func serveBound(t testing.TB, issuer *claimstest.Issuer, redisURL string) string {
	t.Helper()
	confirmer, err := dpop.New(dpop.Config{
		BaseURL: api, Replays: newReplay(t, connect(t, redisURL), ""),
	})
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
		Confirmers: []claims.Confirmer{confirmer},
	})
	require.NoError(t, err)
	auth := httpmw.New(verifier, httpmw.Config{})
	server := httptest.NewServer(auth.Require(claims.Authenticated())(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })))
	t.Cleanup(server.Close)
	return server.URL
}

// present sends a request and returns its status.
func present(t testing.TB, to, scheme, token, proof string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, to+"/orders", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", scheme+" "+token)
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	_ = response.Body.Close()
	return response.StatusCode
}

// Of 1,000 requests at once with one proof, at two replicas, exactly one
// passes; while Redis is away bound tokens cannot be decided about and others
// pass; it goes on by itself.
func TestReplay_requests(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	issuer := claimstest.Start(t, claimstest.Config{})
	replicas := []string{
		serveBound(t, issuer, server.URL()), serveBound(t, issuer, server.URL()),
	}
	key := claimstest.MustKey("ES256")
	token := issuer.Mint(claimstest.Token{
		Subject: "alice", Claims: map[string]any{"cnf": map[string]any{"jkt": key.Thumbprint()}},
	})
	bearer := issuer.Mint(claimstest.Token{Subject: "bob"})
	prove := func() string {
		return key.Prove(claimstest.Proof{Method: "GET", URL: api + "/orders", Token: token})
	}
	require.Equal(t, 200, present(t, replicas[0], "DPoP", token, prove()))

	proof := prove()
	var passed, refused, undecided atomic.Int64
	var all sync.WaitGroup
	slots := make(chan struct{}, 100) // connections of one test
	for i := range 1000 {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			switch present(t, replicas[i%2], "DPoP", token, proof) {
			case 200:
				passed.Add(1)
			case 401:
				refused.Add(1)
			case 503: // a busy machine did not answer in time
				undecided.Add(1)
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, 1, passed.Load())
	assert.EqualValues(t, 999, refused.Load()+undecided.Load())

	server.Stop()
	for _, replica := range replicas {
		assert.Equal(t, 503, present(t, replica, "DPoP", token, prove()))
		assert.Equal(t, 200, present(t, replica, "Bearer", bearer, ""), "others are unaffected")
		assert.Equal(t, 401, present(t, replica, "Bearer", token, ""), "and no bound token is a plain one")
	}
	server.Restart()
	require.Eventually(t, func() bool { return present(t, replicas[1], "DPoP", token, prove()) == 200 },
		patience, fast)
}
