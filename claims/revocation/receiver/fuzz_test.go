package receiver_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/claims/revocation/receiver"
	"github.com/sallyport-go/sallyport/jwks"
)

// post has a handler answer without a network.
func post(t testing.TB, h http.Handler, contentType, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// fixed is an issuer whose keys are at hand, and a Sender for it.
func fixed(t testing.TB) (*claimstest.Key, []receiver.Sender) {
	t.Helper()
	key := claimstest.MustKey("ES256")
	set, err := jwks.NewSet(key.Public())
	require.NoError(t, err)
	return key, []receiver.Sender{{
		Issuer: "https://issuer.example", Keys: set, Audiences: []string{self},
	}}
}

// count counts entries.
func count(table *revocation.Table) (n int) {
	for range table.Entries() {
		n++
	}
	return n
}

// FuzzLogout: whatever is signed by the sender is answered with 200 and ends
// something of its tokens, or with 400 and ends nothing; what is not signed
// ends nothing.
func FuzzLogout(f *testing.F) {
	key, senders := fixed(f)
	for _, payload := range []string{
		`{"iss":"https://issuer.example","aud":"https://receiver.example","iat":1,"jti":"1","sub":"a","events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`,
		`{"iss":"https://issuer.example","aud":["https://receiver.example"],"iat":4e9,"jti":"1","sid":"a","events":{}}`,
		`{"iss":1}`, `{}`, `[]`, ``, `{"nonce":null}`,
	} {
		f.Add(`{"alg":"ES256","typ":"logout+jwt"}`, payload, "")
	}
	f.Add(`{"alg":"none"}`, `{}`, "a=b&logout_token=x")
	f.Fuzz(func(t *testing.T, header, payload, form string) {
		table := newTable(t)
		logout := newLogout(t, table, receiver.LogoutConfig{Senders: senders})
		got := post(t, logout, "application/x-www-form-urlencoded",
			url.Values{"logout_token": {key.Sign([]byte(header), []byte(payload))}}.Encode())
		switch got.Code {
		case http.StatusOK:
			require.NotZero(t, count(table))
		case http.StatusBadRequest:
			require.Zero(t, count(table))
			require.True(t, json.Valid(got.Body.Bytes()))
		default:
			t.Fatalf("%d", got.Code)
		}
		for e := range table.Entries() {
			require.Equal(t, "https://issuer.example", e.Issuer)
		}
		table = newTable(t)
		logout = newLogout(t, table, receiver.LogoutConfig{Senders: senders})
		require.Equal(t, http.StatusBadRequest,
			post(t, logout, "application/x-www-form-urlencoded", form).Code)
		require.Zero(t, count(table), "nobody has signed it")
	})
}

// FuzzEvents is FuzzLogout for security event tokens, of which some that are
// taken end nothing.
func FuzzEvents(f *testing.F) {
	key, senders := fixed(f)
	const head = `{"iss":"https://issuer.example","aud":"https://receiver.example","iat":1760000000,"jti":"1",`
	for _, rest := range []string{
		`"sub_id":{"format":"iss_sub","iss":"https://issuer.example","sub":"a"},"events":{"` + caep + `session-revoked":{"event_timestamp":1760000000}}}`,
		`"sub_id":{"format":"complex","user":{"format":"opaque","id":"a"},"session":{"format":"opaque","id":"s"}},"events":{"` + caep + `token-claims-change":{}}}`,
		`"sub_id":{"format":"aliases","identifiers":[{"format":"email","email":"a@b"}]},"events":{"` + risc + `account-disabled":{}}}`,
		`"sub_id":{"format":"jwt_id","iss":"https://issuer.example","jti":"t"},"events":{"` + caep + `risk-level-change":{"current_level":"HIGH"}}}`,
		`"events":{"` + ssf + `verification":{"state":"x"}}}`,
		`"events":{}}`,
	} {
		f.Add(`{"alg":"ES256","typ":"secevent+jwt"}`, head+rest, "")
	}
	f.Fuzz(func(t *testing.T, header, payload, text string) {
		table := newTable(t)
		events := newEvents(t, table, receiver.EventsConfig{Senders: senders})
		got := post(t, events, "application/secevent+jwt", key.Sign([]byte(header), []byte(payload)))
		switch got.Code {
		case http.StatusAccepted:
			require.Zero(t, got.Body.Len())
		case http.StatusBadRequest:
			require.Zero(t, count(table))
			require.True(t, json.Valid(got.Body.Bytes()))
		default:
			t.Fatalf("%d", got.Code)
		}
		for e := range table.Entries() {
			require.Equal(t, "https://issuer.example", e.Issuer)
			require.NotEmpty(t, e.Token+e.Session+e.Subject+e.ClientID, "never the whole issuer")
		}
		table = newTable(t)
		events = newEvents(t, table, receiver.EventsConfig{Senders: senders})
		require.Equal(t, http.StatusBadRequest, post(t, events, "application/secevent+jwt", text).Code)
		require.Zero(t, count(table), "nobody has signed it")
	})
}

// FuzzGlobal: what is answered with 204 ends something of the issuers, and
// nothing else ends anything.
func FuzzGlobal(f *testing.F) {
	for _, body := range []string{
		`{"sub_id":{"format":"iss_sub","iss":"https://issuer.example","sub":"a"}}`,
		`{"sub_id":{"format":"opaque","id":"a"}}`, `{"sub_id":{"format":"email"}}`, `{"sub_id":1}`, `{}`, ``,
	} {
		f.Add(body)
	}
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body string) {
		table := newTable(t)
		global, err := receiver.NewGlobal(table, receiver.GlobalConfig{
			Issuers: []string{issuer.URL()}, Logger: quiet,
		})
		require.NoError(t, err)
		require.Equal(t, http.StatusUnauthorized, post(t, global, "application/json", body).Code)
		require.Zero(t, count(table))
		got := post(t, asCaller(global), "application/json", body)
		require.Equal(t, got.Code == http.StatusNoContent, count(table) > 0, "%d", got.Code)
		for e := range table.Entries() {
			require.Equal(t, issuer.URL(), e.Issuer)
			require.NotEmpty(t, e.Subject)
		}
	})
}

// asCaller lets everybody in.
func asCaller(h http.Handler) http.Handler {
	guard, err := claims.NewGuard(anybody{}, claims.GuardConfig{})
	if err != nil {
		panic(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := guard.Authorize(r.Context(), claims.Operation{Requirement: claims.Authenticated()},
			claims.Credentials{Scheme: "Bearer", Token: "x"}, r)
		if err != nil {
			panic(err)
		}
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

type anybody struct{}

func (anybody) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return claims.FromJSON([]byte(`{"iss":"https://issuer.example","sub":"tool"}`), claims.Config{})
}
