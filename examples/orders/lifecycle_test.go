package main_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
)

func TestService_issuerDownAtStart(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	issuer.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler) // closes the connection
		})
	})
	d := start(t, "-issuer", issuer.URL())
	token := issuer.Mint(claimstest.Token{Scope: "orders:read orders:write orders:delete"})

	for _, path := range []string{"/orders", "/readyz"} {
		got := d.call(t, "GET", path, token, "")
		assert.Equal(t, 503, got.Status, path)
		assert.Empty(t, got.Header.Get("WWW-Authenticate"), "no other token would help")
		seconds, err := strconv.Atoi(got.Header.Get("Retry-After"))
		require.NoError(t, err, path)
		assert.Positive(t, seconds, path)
		assert.NotContains(t, got.Body, issuer.URL(), "nothing internal")
		assert.Equal(t, "keys_unavailable", got.Decode(t)["reason"])
	}
	assert.Equal(t, 200, d.call(t, "GET", "/healthz", "", "").Status)
	client := d.orders(t)
	for _, method := range methods {
		header, err := method.call(withToken(t, token), client)
		assertRefused(t, err, codes.Unavailable, "KEYS_UNAVAILABLE")
		assert.Empty(t, header.Get("www-authenticate"), method.name)
		assert.True(t, hasRetryInfo(err), method.name)
	}
	// What a caller sends does not choose this outcome.
	assert.Equal(t, 401, d.call(t, "GET", "/orders", "", "").Status)
	assert.Equal(t, 401, d.call(t, "GET", "/orders", "secret", "").Status)

	issuer.Intercept(nil)
	require.Eventually(t, func() bool {
		return d.call(t, "GET", "/readyz", "", "").Status == 200
	}, demotest.Timeout, 50*time.Millisecond)
	assert.Equal(t, 200, d.call(t, "GET", "/orders", token, "").Status)
	for _, method := range methods {
		_, err := method.call(withToken(t, token), client)
		assert.NoError(t, err, method.name)
	}
}

func hasRetryInfo(err error) bool {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration() >= time.Second
		}
	}
	return false
}

func TestService_readyNeedsEveryIssuer(t *testing.T) {
	t.Parallel()
	up, down := startIssuer(t), startIssuer(t)
	down.Fail(http.StatusInternalServerError)
	d := start(t, "-issuer", up.URL(), "-issuer", down.URL())
	assert.Equal(t, 503, d.call(t, "GET", "/readyz", "", "").Status)
	token := up.Mint(claimstest.Token{Scope: "orders:read"})
	assert.Equal(t, 200, d.call(t, "GET", "/orders", token, "").Status, "the other still works")
}

func TestService_readyDoesNotWaitForAStalledIssuer(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	issuer.Intercept(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		})
	})
	d := start(t, "-issuer", issuer.URL())
	assert.Equal(t, 503, d.call(t, "GET", "/readyz", "", "").Status)
}

// Who waits for keys is told in time that there are none, whatever of the
// issuer does not answer.
func TestService_silentIssuer(t *testing.T) {
	t.Parallel()
	silent := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	}
	metadataAlone := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/.well-known/") {
				next.ServeHTTP(w, r)
				return
			}
			silent(nil).ServeHTTP(w, r)
		})
	}
	const enough = 8 * time.Second // a fetch may take 5
	for _, test := range []struct {
		name string
		wrap func(http.Handler) http.Handler
		warm bool // it has answered before, and then changed its keys
		http int
		grpc codes.Code
	}{
		{name: "from the start", wrap: silent, http: 503, grpc: codes.Unavailable},
		{name: "but for its metadata", wrap: metadataAlone, http: 503, grpc: codes.Unavailable},
		{name: "with new keys", wrap: silent, warm: true, http: 401, grpc: codes.Unauthenticated},
		{
			name: "but for its metadata, with new keys", wrap: metadataAlone, warm: true,
			http: 401, grpc: codes.Unauthenticated,
		},
	} {
		for _, transport := range []string{"HTTP", "gRPC"} {
			t.Run(transport+", "+test.name, func(t *testing.T) {
				t.Parallel()
				issuer := startIssuer(t)
				d := start(t, "-issuer", issuer.URL())
				if test.warm {
					token := issuer.Mint(claimstest.Token{Scope: "orders:read"})
					require.Equal(t, 200, d.call(t, "GET", "/orders", token, "").Status)
					issuer.Rotate("")
				}
				issuer.Intercept(test.wrap)
				token := issuer.Mint(claimstest.Token{Scope: "orders:read"})
				client, ctx := d.orders(t), withToken(t, token)
				started := time.Now()
				if transport == "HTTP" {
					assert.Equal(t, test.http, d.call(t, "GET", "/orders", token, "").Status)
				} else {
					_, err := client.GetOrder(ctx, &orderspb.GetOrderRequest{Id: "1"})
					assert.Equal(t, test.grpc, status.Code(err), "%v", err)
				}
				assert.Less(t, time.Since(started), enough)
			})
		}
	}
}

func TestService_drains(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := start(t, "-issuer", issuer.URL())
	token := issuer.Mint(claimstest.Token{Scope: "orders:read orders:write"})
	events := d.openEvents(t, token, "2")
	client := d.orders(t)
	watch, err := client.WatchOrders(withToken(t, token), &orderspb.WatchOrdersRequest{})
	require.NoError(t, err)
	_, err = watch.Recv()
	require.NoError(t, err)
	// A caller that never ends its stream is cut off.
	sync, err := client.SyncOrders(withToken(t, token))
	require.NoError(t, err)
	require.NoError(t, sync.Send(&orderspb.SyncOrdersRequest{Item: "tea", Quantity: 1}))
	_, err = sync.Recv()
	require.NoError(t, err)

	d.Stop() // asserts exit code 0
	for err = nil; err == nil; {
		_, err = watch.Recv()
	}
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Equal(t, "the service is stopping", status.Convert(err).Message())
	_, err = sync.Recv()
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Equal(t, "id: 3", events.next(t))
	assert.Empty(t, events.next(t), "the end")
	assert.NoError(t, events.lines.Err(), "a clean one")
	_, err = http.Get(d.URL + "/healthz")
	assert.Error(t, err)
}
