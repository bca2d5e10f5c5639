package receiver_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/claims/revocation/receiver"
)

const self = "https://receiver.example" // what senders call this service

var quiet = slog.New(slog.DiscardHandler)

// newTable returns a table that logs nothing.
func newTable(t testing.TB) *revocation.Table {
	t.Helper()
	table, err := revocation.NewTable(revocation.Config{Logger: quiet})
	require.NoError(t, err)
	return table
}

// serve serves a receiver over real HTTP and returns where.
func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// sign returns a token of these members, [claimstest.Omit] leaving one out.
func sign(key *claimstest.Key, header, payload map[string]any) string {
	text := func(members map[string]any) []byte {
		members = maps.Clone(members)
		maps.DeleteFunc(members, func(_ string, v any) bool { return v == claimstest.Omit })
		b, err := json.Marshal(members)
		if err != nil {
			panic(err)
		}
		return b
	}
	return key.Sign(text(header), text(payload))
}

// with returns the members, those of other in the place of its own.
func with(members, other map[string]any) map[string]any {
	both := maps.Clone(members)
	maps.Copy(both, other)
	return both
}

func headerOf(issuer *claimstest.Issuer, typ string) map[string]any {
	return map[string]any{"alg": issuer.Key().Algorithm, "kid": issuer.Key().ID, "typ": typ}
}

// reply is an answer as it arrives.
type reply struct {
	*http.Response
	body string
}

func send(t testing.TB, method, to, contentType, body string, header map[string]string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader(body))
	require.NoError(t, err)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return reply{response, string(text)}
}

// members returns the JSON object of an answer.
func (r reply) members(t testing.TB) map[string]string {
	t.Helper()
	var members map[string]string
	require.NoError(t, json.Unmarshal([]byte(r.body), &members), r.body)
	assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
	return members
}

func sendLogout(t testing.TB, to, token string) reply {
	t.Helper()
	return send(t, http.MethodPost, to, "application/x-www-form-urlencoded",
		url.Values{"logout_token": {token}}.Encode(), nil)
}

func push(t testing.TB, to, token string) reply {
	t.Helper()
	return send(t, http.MethodPost, to, "application/secevent+jwt", token, nil)
}

// entriesOf returns what a table has, without times that depend on the test's.
func entriesOf(table *revocation.Table) []string {
	entries := []string{}
	for e := range table.Entries() {
		e.Before = time.Time{}
		entries = append(entries, e.String())
	}
	slices.Sort(entries)
	return entries
}

// named returns what an entry is called in entriesOf.
func named(e revocation.Entry) string { return e.String() }

func senderOf(issuer *claimstest.Issuer) []receiver.Sender {
	return []receiver.Sender{{Issuer: issuer.URL(), Audiences: []string{self}}}
}
