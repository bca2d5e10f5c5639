package boundclient_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
	"github.com/sallyport-go/sallyport/examples/boundclient"
)

// post sends a body, and returns what came back.
func post(t testing.TB, client *http.Client, url string, body io.Reader) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	require.NoError(t, err)
	response, err := client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text)
}

// A request passes with its proof; where a nonce is wanted the first is sent
// twice, with its body, and those after it once.
func TestTransport(t *testing.T) {
	t.Parallel()
	for _, nonce := range []bool{false, true} {
		w, key := start(t, dpop.Config{RequireNonce: nonce}), newKey(t)
		client := &http.Client{Transport: &boundclient.Transport{
			Key: key, Source: w.tokens("jkt", key.Thumbprint()), Base: w.base(),
		}}
		for i := range 3 {
			code, text := post(t, client, w.url+"/a%2Fb?c=d#e", strings.NewReader("the body"))
			assert.Equal(t, 200, code)
			assert.Equal(t, "the body", text)
			want := 1
			if nonce && i == 0 {
				want = 2
			}
			assert.EqualValues(t, want, w.asked.Swap(0), "%d", i)
		}
	}
}

// A body that can be sent once is not sent again: the next request has the
// nonce.
func TestTransport_bodyOnce(t *testing.T) {
	t.Parallel()
	w, key := start(t, dpop.Config{RequireNonce: true}), newKey(t)
	client := &http.Client{Transport: &boundclient.Transport{
		Key: key, Source: w.tokens("jkt", key.Thumbprint()), Base: w.base(),
	}}
	code, _ := post(t, client, w.url, io.MultiReader(strings.NewReader("once")))
	assert.Equal(t, 401, code)
	code, text := post(t, client, w.url, io.MultiReader(strings.NewReader("twice")))
	assert.Equal(t, 200, code)
	assert.Equal(t, "twice", text)
	assert.EqualValues(t, 2, w.asked.Load())
}

// Whatever a server asks for, a request is sent twice at most.
func TestTransport_neverLoops(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer func(n int32, header http.Header)
		asked  int32
	}{
		{name: "a new nonce each time", asked: 2, answer: func(n int32, header http.Header) {
			header.Set("DPoP-Nonce", fmt.Sprint("nonce", n))
			header.Set("WWW-Authenticate", `DPoP error="use_dpop_nonce"`)
		}},
		{name: "a nonce that it does not say", asked: 1, answer: func(_ int32, header http.Header) {
			header.Set("WWW-Authenticate", `DPoP error="use_dpop_nonce"`)
		}},
		{name: "another token", asked: 1, answer: func(n int32, header http.Header) {
			header.Set("DPoP-Nonce", fmt.Sprint("nonce", n))
			header.Set("WWW-Authenticate", `DPoP error="invalid_token"`)
		}},
	} {
		var asked atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			tt.answer(asked.Add(1), w.Header())
			w.WriteHeader(http.StatusUnauthorized)
		}))
		key := newKey(t)
		client := &http.Client{Transport: &boundclient.Transport{Key: key, Source: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "t"})}}
		code, _ := post(t, client, server.URL, nil)
		server.Close()
		assert.Equal(t, 401, code, tt.name)
		assert.Equal(t, tt.asked, asked.Load(), tt.name)
	}
}

// Requests side by side each have a proof of their own.
func TestTransport_sideBySide(t *testing.T) {
	t.Parallel()
	w, key := start(t, dpop.Config{RequireNonce: true}), newKey(t)
	client := &http.Client{Transport: &boundclient.Transport{
		Key: key, Source: w.tokens("jkt", key.Thumbprint()), Base: w.base(),
	}}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			code, _ := post(t, client, w.url, nil)
			assert.Equal(t, 200, code)
		})
	}
	all.Wait()
}

// The token endpoint is proven to as well, without a token.
func TestTransport_tokenEndpoint(t *testing.T) {
	t.Parallel()
	var proof string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before := proof
		proof = r.Header.Get("DPoP")
		assert.Empty(t, r.Header.Get("WWW-Authenticate"))
		w.Header().Set("Content-Type", "application/json")
		if before == "" {
			w.Header().Set("DPoP-Nonce", "the nonce")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":"use_dpop_nonce"}`)
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"bound","token_type":"DPoP","expires_in":60}`)
	}))
	t.Cleanup(server.Close)
	asking := &http.Client{Transport: &boundclient.Transport{Key: newKey(t)}}
	cfg := clientcredentials.Config{ClientID: "id", ClientSecret: "secret", TokenURL: server.URL + "/token"}
	token, err := cfg.Token(context.WithValue(t.Context(), oauth2.HTTPClient, asking))
	require.NoError(t, err)
	assert.Equal(t, "bound", token.AccessToken)
	assert.Len(t, strings.Split(proof, "."), 3)
}

// A call passes with its proof, twice where a nonce is wanted and the first
// time alone; a stream that was refused for the nonce passes when it is opened
// again.
func TestCalls(t *testing.T) {
	t.Parallel()
	w, key := start(t, dpop.Config{RequireNonce: true}), newKey(t)
	calls := &boundclient.Calls{Key: key, Source: w.tokens("jkt", key.Thumbprint())}
	secure := grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: w.roots}))
	client := w.dial(t, append(calls.DialOptions(), secure)...)
	for i := range 3 {
		_, err := client.Check(t.Context(), nil)
		require.NoError(t, err)
		want := 1
		if i == 0 {
			want = 2
		}
		assert.EqualValues(t, want, w.asked.Swap(0))
	}
	stream, err := client.Watch(t.Context(), nil)
	require.NoError(t, err)
	_, err = stream.Recv()
	require.NoError(t, err)

	fresh := &boundclient.Calls{Key: key, Source: calls.Source}
	client = w.dial(t, append(fresh.DialOptions(), secure)...)
	for _, want := range []codes.Code{codes.Unauthenticated, codes.OK} {
		stream, err := client.Watch(t.Context(), nil)
		require.NoError(t, err)
		_, err = stream.Recv()
		assert.Equal(t, want, status.Code(err))
	}

	thief := &boundclient.Calls{Key: newKey(t), Source: calls.Source}
	_, err = w.dial(t, append(thief.DialOptions(), secure)...).Check(t.Context(), nil)
	assert.Equal(t, codes.Unauthenticated, status.Code(err))
	assert.EqualValues(t, 1, w.asked.Load(), "another nonce would not help")
}

// A token that is bound to a certificate passes as Bearer with that.
func TestCertified(t *testing.T) {
	t.Parallel()
	w := start(t, dpop.Config{})
	own := claimstest.NewCertificate("client")
	source := w.tokens("x5t#S256", claimstest.CertificateThumbprint(own.Leaf))
	for _, tt := range []struct {
		name   string
		client boundclient.Certified
		accept bool
	}{
		{name: "its certificate", client: boundclient.Certified{Certificate: own, Roots: w.roots}, accept: true},
		{name: "another", client: boundclient.Certified{Certificate: claimstest.NewCertificate("x"), Roots: w.roots}},
	} {
		client := &http.Client{Transport: &oauth2.Transport{Source: source, Base: tt.client.Client().Transport}}
		code, _ := post(t, client, w.url, nil)
		_, err := w.dial(t, grpc.WithTransportCredentials(tt.client.Credentials()),
			grpc.WithPerRPCCredentials(boundclient.Bearer{Source: source})).Check(t.Context(), nil)
		if tt.accept {
			assert.Equal(t, 200, code, tt.name)
			assert.NoError(t, err, tt.name)
		} else {
			assert.Equal(t, 401, code, tt.name)
			assert.Equal(t, codes.Unauthenticated, status.Code(err), tt.name)
		}
	}
}
