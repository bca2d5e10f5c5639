package telemetry_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/claims/telemetry"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// world is a service that is guarded, measured and read by Prometheus' own
// exporter, each over loopback.
type world struct {
	issuer  *claimstest.Issuer
	api     string // its URL
	metrics string // the URL of what Prometheus reads
	tel     *telemetry.Telemetry
	auth    *claims.Issuers
	source  *source
	ended   *revocation.Table
}

// source is a database of permissions.
type source struct{ down atomic.Bool }

func (s *source) Permissions(_ context.Context, who claims.Principal) (claims.Grants, error) {
	if s.down.Load() {
		return claims.Grants{}, errors.New("the database is down")
	}
	return claims.Grants{Permissions: []string{"orders:approve"}}, nil
}

// newWorld starts everything. The key set has a key that is left out.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{issuer: claimstest.Start(t, claimstest.Config{}), source: new(source)}
	w.issuer.Intercept(func(next http.Handler) http.Handler { return withEncryptionKey(t, next) })

	registry := prometheus.NewRegistry()
	exporter, err := otelprom.New(otelprom.WithRegisterer(registry))
	require.NoError(t, err)
	provider := metric.NewMeterProvider(metric.WithReader(exporter))
	w.metrics = serve(t, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	w.tel, err = telemetry.New(telemetry.Config{
		MeterProvider: provider, Issuers: map[string]string{w.issuer.URL(): "main"},
	})
	require.NoError(t, err)

	w.auth, err = claims.NewIssuers(claims.Config{
		Issuer: w.issuer.URL(), Audiences: []string{claimstest.Audience},
		KeyCache: jwks.Config{
			Observer: w.tel.KeyObserver(w.issuer.URL()), Logger: slog.New(slog.DiscardHandler),
		},
	})
	require.NoError(t, err)
	permissions, err := claims.NewPermissionCache(w.tel.Permissions(w.source),
		claims.PermissionCacheConfig{TTL: time.Hour})
	require.NoError(t, err)
	w.ended, err = revocation.NewTable(revocation.Config{})
	require.NoError(t, err)
	mux := httpmw.NewServeMux(httpmw.New(w.auth, httpmw.Config{
		Observer: w.tel.Observe, Permissions: permissions, Revocations: w.ended,
	}))
	served := func(http.ResponseWriter, *http.Request) {}
	mux.HandleFunc("GET /orders/{id}", claims.Scopes("orders:read"), served)
	mux.HandleFunc("POST /orders/{id}/approve", claims.Permissions("orders:approve"), served)
	mux.HandleFunc("DELETE /orders/{id}", claims.ReportOnly(claims.Scopes("orders:delete")), served)
	w.api = serve(t, mux)
	w.tel.SetPolicy(mux.Operations())
	require.NoError(t, w.tel.WatchKeys(w.auth.KeyStats))
	require.NoError(t, w.tel.WatchRevocations(w.ended.Stats))
	return w
}

// withEncryptionKey adds a key to the key set that no token can be signed by.
func withEncryptionKey(t *testing.T, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/jwks") {
			next.ServeHTTP(w, r)
			return
		}
		recorder := httptest.NewRecorder()
		next.ServeHTTP(recorder, r)
		var set struct {
			Keys []map[string]any `json:"keys"`
		}
		if err := json.NewDecoder(recorder.Body).Decode(&set); err != nil {
			t.Error(err)
		}
		set.Keys = append(set.Keys, map[string]any{"kty": "oct", "kid": "enc", "use": "enc"})
		_ = json.NewEncoder(w).Encode(set)
	})
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// send makes a request and returns its status.
func (w *world) send(t *testing.T, method, path, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.api+path, nil)
	require.NoError(t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	return resp.StatusCode
}

// traffic is each thing once that makes a metric.
func (w *world) traffic(t *testing.T) {
	t.Helper()
	read := w.issuer.Mint(claimstest.Token{Subject: "alice", Scope: "orders:read"})
	require.Equal(t, http.StatusOK, w.send(t, "GET", "/orders/1", read))
	require.Equal(t, http.StatusOK, w.send(t, "GET", "/orders/2", read))
	require.Equal(t, http.StatusUnauthorized, w.send(t, "GET", "/orders/3", ""))
	require.Equal(t, http.StatusUnauthorized, w.send(t, "GET", "/orders/3",
		w.issuer.Mint(claimstest.Token{Lifetime: -time.Hour})))
	require.Equal(t, http.StatusForbidden, w.send(t, "GET", "/orders/4",
		w.issuer.Mint(claimstest.Token{Subject: "bob"})))
	require.Equal(t, http.StatusOK, w.send(t, "POST", "/orders/1/approve", read))
	require.Equal(t, http.StatusOK, w.send(t, "DELETE", "/orders/1", read))
	for range 2 { // the second within the cooldown
		invented, err := claimstest.NewKey("ES256")
		require.NoError(t, err)
		require.Equal(t, http.StatusUnauthorized, w.send(t, "GET", "/orders/5",
			w.issuer.Mint(claimstest.Token{Key: invented})))
	}
	require.NoError(t, w.ended.Revoke(t.Context(), revocation.Entry{
		Issuer: w.issuer.URL(), Subject: "dave",
	}))
	require.Equal(t, http.StatusUnauthorized, w.send(t, "GET", "/orders/6",
		w.issuer.Mint(claimstest.Token{Subject: "dave", Scope: "orders:read"})))
	w.source.down.Store(true)
	require.Equal(t, http.StatusServiceUnavailable, w.send(t, "POST", "/orders/1/approve",
		w.issuer.Mint(claimstest.Token{Subject: "carol"})))
}

// sample is one line of what Prometheus reads.
type sample struct {
	name, labels, value string
}

var line = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? (\S+)$`)

// scrape reads the metrics as Prometheus does.
func (w *world) scrape(t *testing.T) (samples []sample, text string) {
	t.Helper()
	resp, err := http.Get(w.metrics)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, string(body))
	lines := bufio.NewScanner(strings.NewReader(string(body)))
	for lines.Scan() {
		if m := line.FindStringSubmatch(lines.Text()); m != nil {
			samples = append(samples, sample{m[1], m[2], m[3]})
		}
	}
	require.NotEmpty(t, samples)
	return samples, string(body)
}
