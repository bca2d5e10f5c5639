package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := start(t, "-issuer", issuer.URL(), "-audience", audience, "-metrics")
	token := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "orders:read"})
	require.Equal(t, http.StatusOK, d.call(t, "GET", "/orders", token, "").Status)
	require.Equal(t, http.StatusForbidden, d.call(t, "POST", "/orders", token, "{}").Status)
	require.Equal(t, http.StatusUnauthorized, d.call(t, "GET", "/orders",
		issuer.Mint(claimstest.Token{Lifetime: -time.Hour}), "").Status)
	_, err := d.orders(t).GetOrder(demotest.Bounded(t), &orderspb.GetOrderRequest{Id: "1"})
	require.Error(t, err)

	metrics := d.call(t, "GET", "/metrics", "", "")
	require.Equal(t, http.StatusOK, metrics.Status)
	host := strings.TrimPrefix(issuer.URL(), "http://")
	for _, want := range [][]string{
		{"sallyport_decision_duration_seconds_count{", `operation="GET /orders"`, `outcome="allowed"`},
		{"sallyport_decision_duration_seconds_count{", `operation="POST /orders"`, `reason="scope"`},
		{"sallyport_decision_duration_seconds_count{", `reason="expired"`, `issuer="` + host + `"`},
		{"sallyport_decision_duration_seconds_count{", `operation="/orders.v1.Orders/GetOrder"`,
			`protocol="gRPC"`, `reason="no_token"`},
		{"sallyport_key_set_state{", `state="fresh"`, "} 1"},
		{"sallyport_key_set_fetch_duration_seconds_count{", `cause="initial"`},
		{"sallyport_policy_info{", "hash="},
		{"go_goroutines"},
	} {
		found := false
		for line := range strings.Lines(metrics.Body) {
			has := true
			for _, part := range want {
				has = has && strings.Contains(line, part)
			}
			found = found || has
		}
		assert.True(t, found, "%q", want)
	}
	assert.NotContains(t, metrics.Body, "alice")

	d.Stop()
	assert.Contains(t, d.Log(), `outcome=not_permitted reason=scope`)
	assert.Equal(t, 4, strings.Count(d.Log(), `msg="access decision"`), d.Log())
}

func TestMetrics_notAskedFor(t *testing.T) {
	t.Parallel()
	assert.Equal(t, http.StatusNotFound, start(t).call(t, "GET", "/metrics", "", "").Status)
}

func TestMetrics_revocations(t *testing.T) {
	t.Parallel()
	const admin = "an-administrators-token-of-32-letters"
	d := start(t, "-metrics", "-admin-token", admin)
	body := `{"issuer":"` + d.Issuer + `","subject":"alice"}`
	answer := d.call(t, "POST", "/revocations", admin, body)
	require.Equal(t, http.StatusNoContent, answer.Status, answer.Body)
	metrics := d.call(t, "GET", "/metrics", "", "").Body
	assert.Regexp(t, `(?m)^sallyport_revocation_entries(\{.*\})? 1$`, metrics)
	assert.Regexp(t, `(?m)^sallyport_revocation_feed_age_seconds(\{.*\})? 0$`, metrics)
}
