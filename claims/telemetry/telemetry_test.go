package telemetry_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/claims/telemetry"
	"github.com/sallyport-go/sallyport/jwks"
)

// valueOf returns the value of the one series of a metric with these labels.
func valueOf(t *testing.T, samples []sample, name string, labels ...string) float64 {
	t.Helper()
	var found []string
	for _, s := range samples {
		if s.name == name && !slices.ContainsFunc(labels, func(l string) bool {
			return !strings.Contains(s.labels, l)
		}) {
			found = append(found, s.value)
		}
	}
	require.Len(t, found, 1, "%s %q", name, labels)
	value, err := strconv.ParseFloat(found[0], 64)
	require.NoError(t, err)
	return value
}

func TestTelemetry_traffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.traffic(t)
	samples, _ := w.scrape(t)
	const decisions = "sallyport_decision_duration_seconds_count"
	for _, tt := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{decisions, []string{`outcome="allowed"`, `operation="GET /orders/{id}"`, `reason=""`,
			`protocol="HTTP"`, `part="false"`, `issuer="main"`}, 2},
		{decisions, []string{`reason="no_token"`, `outcome="no_token"`, `issuer=""`}, 1},
		{decisions, []string{`reason="expired"`, `outcome="invalid_token"`, `issuer="main"`}, 1},
		{decisions, []string{`reason="scope"`, `outcome="not_permitted"`}, 1},
		{decisions, []string{`reason="unknown_key"`}, 2},
		{decisions, []string{`reason="permissions_unavailable"`, `outcome="unavailable"`,
			`operation="POST /orders/{id}/approve"`}, 1},
		{"sallyport_decision_reported_total", []string{`reason="scope"`, `outcome="not_permitted"`,
			`operation="DELETE /orders/{id}"`}, 1},
		{"sallyport_token_cache_lookup_total", []string{`hit="true"`}, 3},
		{"sallyport_token_cache_lookup_total", []string{`hit="false"`}, 1},
		{"sallyport_permission_lookup_total", []string{`from="source"`}, 2},
		{"sallyport_permission_fetch_duration_seconds_count", []string{`result="ok"`}, 1},
		{"sallyport_permission_fetch_duration_seconds_count", []string{`result="error"`}, 1},
		{"sallyport_key_set_state", []string{`issuer="main"`, `state="fresh"`}, 1},
		{"sallyport_key_set_state", []string{`issuer="main"`, `state="unavailable"`}, 0},
		{"sallyport_key_set_failures", []string{`issuer="main"`}, 0},
		{"sallyport_key_set_keys", []string{`issuer="main"`}, 1},
		{"sallyport_key_set_generation", []string{`issuer="main"`}, 1},
		{"sallyport_key_set_info", []string{`thumbprint="` + w.auth.KeyStats()[w.issuer.URL()].Thumbprint}, 1},
		{"sallyport_key_skipped", []string{`issuer="main"`}, 1},
		{"sallyport_key_set_fetch_duration_seconds_count", []string{`cause="initial"`, `fault=""`}, 1},
		{"sallyport_key_set_lookup_refused_total", []string{`refusal="cooldown"`}, 1},
		{"sallyport_policy_operations", nil, 3},
		{decisions, []string{`reason="revoked"`, `outcome="invalid_token"`}, 1},
		{"sallyport_revocation_entries", nil, 1},
		{"sallyport_revocation_news_total", nil, 1},
		{"sallyport_revocation_widened_total", nil, 0},
		{"sallyport_revocation_feed_age_seconds", nil, 0},
	} {
		assert.InDelta(t, tt.want, valueOf(t, samples, tt.name, tt.labels...), 0, "%s %q", tt.name, tt.labels)
	}
	age := valueOf(t, samples, "sallyport_key_set_age_seconds", `issuer="main"`)
	assert.GreaterOrEqual(t, age, 0.0)
	assert.Less(t, age, 600.0)
	assert.Greater(t, valueOf(t, samples, "sallyport_key_set_usable_for_seconds"), 3000.0)
	assert.NotZero(t, valueOf(t, samples, "sallyport_decision_duration_seconds_bucket",
		`outcome="allowed"`, `operation="GET /orders/{id}"`, `le="+Inf"`))
	assert.GreaterOrEqual(t, valueOf(t, samples, "sallyport_decision_duration_seconds_bucket",
		`outcome="no_token"`, `le="1e-06"`), 0.0, "buckets begin at a microsecond")
}

// Nothing that a caller chooses makes a series, and nothing personal is shown.
func TestTelemetry_labelsThatNobodyMultiplies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.traffic(t)
	before, _ := w.scrape(t)
	for n := range 100 {
		key, err := claimstest.NewKey("ES256")
		require.NoError(t, err)
		secret := fmt.Sprintf("invented-%d-by-a-caller", n)
		w.send(t, "GET", "/"+secret, "")
		w.send(t, "GET", "/orders/"+secret, w.issuer.Mint(claimstest.Token{
			Key: key, Header: map[string]any{"kid": secret},
			Subject: secret, ClientID: secret, Scope: secret,
		}))
		w.send(t, "GET", "/orders/"+secret, w.issuer.Mint(claimstest.Token{
			Claims: map[string]any{"iss": "https://" + secret + ".example", "exp": secret},
		}))
		w.send(t, "GET", "/orders/1", w.issuer.Mint(claimstest.Token{
			Subject: secret, ClientID: secret, Scope: "orders:read " + secret,
		}))
		w.tel.Observe(t.Context(), claims.Decision{
			Protocol: "HTTP", Operation: "GET /" + secret, Issuer: "https://" + secret + ".example",
		})
	}
	after, text := w.scrape(t)
	assert.NotContains(t, text, "invented-")
	assert.NotContains(t, text, "alice")
	assert.NotContains(t, text, w.issuer.Key().ID, "a key ID")
	assert.Contains(t, text, `operation="other"`)
	assert.Contains(t, text, `issuer="other"`)
	// Three reasons that were not met before and the name "other", each a
	// histogram, and the refusals of key look-ups.
	const bucketsAndSums = 22
	assert.LessOrEqual(t, len(after)-len(before), 4*bucketsAndSums+2)
}

func TestTelemetry_issuerDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issuer.Fail(http.StatusInternalServerError)
	token := w.issuer.Mint(claimstest.Token{Scope: "orders:read"})
	require.Equal(t, http.StatusServiceUnavailable, w.send(t, "GET", "/orders/1", token))
	samples, _ := w.scrape(t)
	assert.EqualValues(t, 1, valueOf(t, samples, "sallyport_key_set_state", `state="unavailable"`))
	assert.EqualValues(t, 1, valueOf(t, samples, "sallyport_key_set_failures"))
	assert.EqualValues(t, 1, valueOf(t, samples,
		"sallyport_key_set_fetch_duration_seconds_count", `fault="status"`))
	for _, s := range samples {
		assert.NotEqual(t, "sallyport_key_set_age_seconds", s.name, "there are no keys to be of an age")
	}
}

var (
	metricName  = regexp.MustCompile(`\bsallyport_[a-z_]+\b`)
	labelInExpr = regexp.MustCompile(`(?:by|on) \(([a-z_, ]+)\)`)
	labelMatch  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)\s*"`)
)

// expressions returns what the alert rules and the dashboard ask for.
func expressions(t *testing.T) map[string][]string {
	t.Helper()
	rules, err := os.ReadFile("prometheus/alerts.yml")
	require.NoError(t, err)
	found := map[string][]string{}
	for _, rule := range strings.Split(string(rules), "- alert: ")[1:] {
		name, rest, _ := strings.Cut(rule, "\n")
		expr, _, ok := strings.Cut(rest, "labels:")
		require.True(t, ok, name)
		found["alerts.yml"] = append(found["alerts.yml"], expr)
	}
	raw, err := os.ReadFile("grafana/dashboard.json")
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			Title, Description string
			Targets            []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Definition string }
		}
	}
	require.NoError(t, json.Unmarshal(raw, &dashboard))
	for _, panel := range dashboard.Panels {
		assert.NotEmpty(t, panel.Title)
		assert.NotEmpty(t, panel.Description, panel.Title)
		for _, target := range panel.Targets {
			found["dashboard.json"] = append(found["dashboard.json"], target.Expr)
		}
	}
	require.Greater(t, len(found["alerts.yml"]), 10)
	require.Greater(t, len(found["dashboard.json"]), 20)
	return found
}

// The names and labels in the files, in the documentation and in what is
// exported are the same.
func TestTelemetry_namesInFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.traffic(t)
	samples, _ := w.scrape(t)
	labels := map[string]map[string]bool{} // by metric
	for _, s := range samples {
		if labels[s.name] == nil {
			labels[s.name] = map[string]bool{"job": true, "instance": true} // of Prometheus itself
		}
		for _, m := range labelMatch.FindAllStringSubmatch(s.labels, -1) {
			labels[s.name][m[1]] = true
		}
	}
	used := map[string]bool{}
	for file, exprs := range expressions(t) {
		for _, expr := range exprs {
			known := map[string]bool{"alertname": true}
			for _, name := range metricName.FindAllString(expr, -1) {
				require.Contains(t, labels, name, "%s asks for a metric that nobody emits: %s", file, expr)
				used[name] = true
				for label := range labels[name] {
					known[label] = true
				}
			}
			var asked []string
			for _, m := range labelInExpr.FindAllStringSubmatch(expr, -1) {
				asked = append(asked, strings.Split(m[1], ", ")...)
			}
			for _, m := range labelMatch.FindAllStringSubmatch(expr, -1) {
				asked = append(asked, m[1])
			}
			for _, label := range asked {
				assert.True(t, known[label], "%s asks for label %q of a metric without it: %s", file, label, expr)
			}
		}
	}
	page, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	documented := regexp.MustCompile(`(?m)^//\t([a-z_]+\.[a-z_.]+) +(s?) *(histogram|counter|gauge)(?: |$)`)
	var names []string
	for _, m := range documented.FindAllStringSubmatch(string(page), -1) {
		name := "sallyport_" + strings.ReplaceAll(m[1], ".", "_")
		if m[2] == "s" {
			name += "_seconds"
		}
		switch m[3] {
		case "counter":
			name += "_total"
		case "histogram":
			name += "_count"
		}
		names = append(names, name)
		assert.Contains(t, labels, name, "the package comment has a metric that nobody emits")
	}
	for name := range labels {
		if strings.HasPrefix(name, "sallyport_") && !regexp.MustCompile(`_(sum|bucket)$`).MatchString(name) {
			assert.Contains(t, names, name, "the package comment lacks it")
			assert.True(t, used[name] || used[strings.TrimSuffix(name, "_count")+"_bucket"],
				"neither an alert nor a panel has it: %s", name)
		}
	}
}

func TestTelemetry_spanEvents(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.New(telemetry.Config{
		MeterProvider: metric.NewMeterProvider(),
		Issuers:       map[string]string{"https://issuer.example": "main"},
	})
	require.NoError(t, err)
	recorder := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("test")
	ctx, span := tracer.Start(t.Context(), "GET /orders")
	tel.SetPolicy([]claims.Operation{{Protocol: "HTTP", Name: "GET /orders"}})
	tel.Observe(ctx, claims.Decision{
		Protocol: "HTTP", Operation: "GET /orders", Issuer: "https://issuer.example",
		Subject: "alice", ClientID: "shop", KeyID: "k1", Duration: time.Millisecond,
		Err: claims.NewError(claims.ErrForbidden, claims.ReasonPermission, nil), Permissions: "cache",
	})
	span.End()
	require.Len(t, recorder.Ended(), 1)
	events := recorder.Ended()[0].Events()
	require.Len(t, events, 1)
	assert.Equal(t, "sallyport.decision", events[0].Name)
	got := map[string]string{}
	for _, a := range events[0].Attributes {
		got[string(a.Key)] = a.Value.String()
	}
	assert.Equal(t, map[string]string{
		"sallyport.outcome": "not_permitted", "sallyport.reason": "permission",
		"sallyport.operation": "GET /orders", "sallyport.protocol": "HTTP",
		"sallyport.issuer": "main", "sallyport.permissions": "cache", "sallyport.duration": "0.001",
	}, got)
}

func TestNew_reportsEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := telemetry.New(telemetry.Config{Issuers: map[string]string{
		"https://a.example": "", "https://b.example": "b\n", "https://c.example": strings.Repeat("c", 65),
	}})
	require.Error(t, err)
	for _, want := range []string{
		`telemetry: New: Config.Issuers["https://a.example"] of "" is not`,
		`Config.Issuers["https://b.example"] of "b\n" is not`, `Config.Issuers["https://c.example"]`,
	} {
		assert.ErrorContains(t, err, want)
	}
}

func TestTelemetry_nilAndZero(t *testing.T) {
	t.Parallel()
	for _, tel := range []*telemetry.Telemetry{nil, new(telemetry.Telemetry)} {
		tel.Observe(t.Context(), claims.Decision{})
		tel.SetPolicy(nil)
		require.NoError(t, tel.WatchKeys(func() map[string]jwks.Stats { return nil }))
		require.NoError(t, tel.WatchRevocations(func() revocation.Stats { return revocation.Stats{} }))
		tel.KeyObserver("x")(t.Context(), jwks.Event{Kind: jwks.EventFetch})
		assert.Nil(t, tel.Permissions(nil))
	}
	var none *source
	tel, err := telemetry.New(telemetry.Config{MeterProvider: metric.NewMeterProvider()})
	require.NoError(t, err)
	assert.Same(t, none, tel.Permissions(none).(*source), "whoever gets it says that it is nil")
}

// A function of the user's that panics loses the reading and nothing else.
func TestTelemetry_WatchKeys_panics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.traffic(t)
	require.NoError(t, w.tel.WatchKeys(func() map[string]jwks.Stats { panic("oops") }))
	resp, err := http.Get(w.metrics)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, w.send(t, "GET", "/orders/1",
		w.issuer.Mint(claimstest.Token{Scope: "orders:read"})))
}

// A store that was never heard of is as old as the watch.
func TestTelemetry_WatchRevocations_neverHeard(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	exporter, err := otelprom.New(otelprom.WithRegisterer(registry))
	require.NoError(t, err)
	tel, err := telemetry.New(telemetry.Config{
		MeterProvider: metric.NewMeterProvider(metric.WithReader(exporter)),
	})
	require.NoError(t, err)
	require.NoError(t, tel.WatchRevocations(func() revocation.Stats { return revocation.Stats{FeedAge: -1} }))
	families, err := registry.Gather()
	require.NoError(t, err)
	found := false
	for _, family := range families {
		if family.GetName() == "sallyport_revocation_feed_age_seconds" {
			found = true
			assert.GreaterOrEqual(t, family.GetMetric()[0].GetGauge().GetValue(), 0.0)
		}
	}
	assert.True(t, found)
	require.NoError(t, tel.WatchRevocations(func() revocation.Stats { panic("oops") }))
	_, err = registry.Gather()
	require.NoError(t, err)
}

func TestTelemetry_worstOfOneName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.tel.WatchKeys(func() map[string]jwks.Stats {
		return map[string]jwks.Stats{
			"https://a.example": {State: jwks.StateFresh, UsableFor: time.Hour, Generation: 1},
			"https://b.example": {State: jwks.StateStale, UsableFor: time.Minute, Generation: 1, Failures: 9},
			"https://c.example": {State: jwks.StateFresh, UsableFor: time.Second, Generation: 1},
			"https://d.example": {}, // not of a cache
		}
	}))
	samples, _ := w.scrape(t)
	assert.EqualValues(t, 9, valueOf(t, samples, "sallyport_key_set_failures", `issuer="other"`))
	assert.EqualValues(t, 60, valueOf(t, samples, "sallyport_key_set_usable_for_seconds", `issuer="other"`))
}

func TestTelemetry_policyHash(t *testing.T) {
	t.Parallel()
	hash := func(operations ...claims.Operation) string {
		w := newWorld(t)
		w.tel.SetPolicy(operations)
		samples, _ := w.scrape(t)
		for _, s := range samples {
			if s.name == "sallyport_policy_info" {
				return regexp.MustCompile(`hash="([0-9a-f]{16})"`).FindStringSubmatch(s.labels)[1]
			}
		}
		return ""
	}
	read := claims.Operation{Protocol: "HTTP", Name: "GET /a", Requirement: claims.Scopes("a")}
	write := claims.Operation{Protocol: "HTTP", Name: "PUT /a", Requirement: claims.Scopes("b")}
	assert.Equal(t, hash(read, write), hash(write, read))
	changed := write
	changed.Requirement = claims.Scopes("a")
	assert.NotEqual(t, hash(read, write), hash(read, changed))
}

func TestTelemetry_allocatesNothingOfItsOwn(t *testing.T) {
	tel, err := telemetry.New(telemetry.Config{
		MeterProvider: metric.NewMeterProvider(), // nobody reads
		Issuers:       map[string]string{"https://issuer.example": "main"},
	})
	require.NoError(t, err)
	tel.SetPolicy([]claims.Operation{{Protocol: "HTTP", Name: "GET /orders"}})
	d := claims.Decision{
		Protocol: "HTTP", Operation: "GET /orders", Issuer: "https://issuer.example",
		Duration: time.Microsecond, Permissions: "cache", Remembered: true,
	}
	ctx := context.Background()
	tel.Observe(ctx, d)
	assert.Zero(t, testing.AllocsPerRun(100, func() { tel.Observe(ctx, d) }))
}

func BenchmarkObserve(b *testing.B) {
	reader := metric.NewManualReader()
	tel, err := telemetry.New(telemetry.Config{
		MeterProvider: metric.NewMeterProvider(metric.WithReader(reader)),
	})
	require.NoError(b, err)
	d := claims.Decision{Protocol: "HTTP", Operation: "GET /orders", Duration: time.Microsecond, Remembered: true}
	b.ReportAllocs()
	for b.Loop() {
		tel.Observe(b.Context(), d)
	}
}
