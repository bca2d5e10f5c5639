package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
)

const behaviourPage = "results/behaviour.md"

// recovery is how long a service has to see that its issuer is back.
const recovery = 15 * time.Second

// library is one, with the service as its users write it.
type library struct {
	name  string
	serve func(t *testing.T, issuer *claimstest.Issuer) (http.Handler, error)
}

func libraries() []library {
	return []library{
		{"Sallyport", func(_ *testing.T, i *claimstest.Issuer) (http.Handler, error) {
			return sallyportService(i.URL())
		}},
		{"auth0 v3", func(_ *testing.T, i *claimstest.Issuer) (http.Handler, error) {
			return auth0Service(i.URL())
		}},
		{"go-oidc", func(_ *testing.T, i *claimstest.Issuer) (http.Handler, error) {
			return goOIDCService(i.URL())
		}},
		{"golang-jwt with keyfunc", func(t *testing.T, i *claimstest.Issuer) (http.Handler, error) {
			return keyfuncService(t.Context(), i.URL(), i.JWKSURL())
		}},
	}
}

// situation is what a service is brought into, and what is looked at.
type situation struct {
	name string
	look func(t *testing.T, lib library) string
}

func good(i *claimstest.Issuer) string {
	return i.Mint(claimstest.Token{Subject: "alice", Scope: requiredScope})
}

// answerOf is what the service answers to a token, in words.
func answerOf(service http.Handler, token string) string {
	r := httptest.NewRequest(http.MethodGet, "/orders", nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	service.ServeHTTP(w, r)
	_, _ = io.Copy(io.Discard, w.Body)
	words := []string{fmt.Sprint(w.Code)}
	challenge := w.Header().Get("WWW-Authenticate")
	for _, parameter := range []string{"error", "scope"} {
		if _, rest, found := strings.Cut(challenge, " "+parameter+`="`); found {
			value, _, _ := strings.Cut(rest, `"`)
			words = append(words, "`"+parameter+"="+value+"`")
		}
	}
	if len(words) == 1 && w.Code == http.StatusUnauthorized {
		if challenge == "" {
			words = append(words, "no challenge")
		} else {
			words = append(words, "bare challenge")
		}
	}
	if w.Header().Get("Retry-After") != "" {
		words = append(words, "Retry-After")
	}
	return strings.Join(words, ", ")
}

// started returns a service that has served a request.
func (lib library) started(t *testing.T) (*claimstest.Issuer, http.Handler) {
	t.Helper()
	issuer := claimstest.Start(t, claimstest.Config{})
	service, err := lib.serve(t, issuer)
	require.NoError(t, err)
	require.Equal(t, "200", answerOf(service, good(issuer)))
	return issuer, service
}

func situations() []situation {
	return []situation{
		{"no token", func(t *testing.T, lib library) string {
			_, service := lib.started(t)
			return answerOf(service, "")
		}},
		{"expired token", func(t *testing.T, lib library) string {
			issuer, service := lib.started(t)
			return answerOf(service, issuer.Mint(claimstest.Token{Scope: requiredScope, Lifetime: -time.Hour}))
		}},
		{"scope missing", func(t *testing.T, lib library) string {
			issuer, service := lib.started(t)
			return answerOf(service, issuer.Mint(claimstest.Token{Subject: "bob"}))
		}},
		{"the issuer is down when the service starts", func(t *testing.T, lib library) string {
			issuer := claimstest.Start(t, claimstest.Config{})
			issuer.Fail(http.StatusBadGateway)
			service, err := lib.serve(t, issuer)
			if err != nil {
				return "does not start"
			}
			return "starts; " + answerOf(service, good(issuer))
		}},
		{"it is back: a request within 15 s", func(t *testing.T, lib library) string {
			issuer := claimstest.Start(t, claimstest.Config{})
			issuer.Fail(http.StatusBadGateway)
			service, err := lib.serve(t, issuer)
			if err != nil {
				return "does not start"
			}
			answerOf(service, good(issuer))
			issuer.Intercept(nil)
			for end := time.Now().Add(recovery); ; time.Sleep(100 * time.Millisecond) {
				answer := answerOf(service, good(issuer))
				if answer == "200" || time.Now().After(end) {
					return answer
				}
			}
		}},
		{"the issuer goes down later", func(t *testing.T, lib library) string {
			issuer, service := lib.started(t)
			issuer.Fail(http.StatusBadGateway)
			return answerOf(service, good(issuer))
		}},
		{"rotation without notice: the first request", func(t *testing.T, lib library) string {
			issuer, service := lib.started(t)
			old := issuer.Key()
			issuer.Rotate("")
			issuer.Revoke(old)
			return answerOf(service, good(issuer))
		}},
		{"the issuer is down, and tokens name a new key", func(t *testing.T, lib library) string {
			issuer, service := lib.started(t)
			issuer.Fail(http.StatusBadGateway)
			issuer.Rotate("")
			return answerOf(service, good(issuer))
		}},
		{"fetches that 100 invented key IDs cause", func(t *testing.T, lib library) string {
			issuer, service := lib.started(t)
			before := issuer.KeySetRequests()
			for range 100 {
				answerOf(service, issuer.Mint(claimstest.Token{
					Scope: requiredScope, Header: map[string]any{"kid": rand.Text()},
				}))
			}
			fetches := issuer.KeySetRequests() - before
			if fetches > 10 { // a look-up may find the one before it still under way
				return "dozens, up to 100"
			}
			return fmt.Sprint(fetches)
		}},
		{"the same claim twice in a token", func(t *testing.T, lib library) string {
			issuer, service := lib.started(t)
			key := issuer.Key()
			payload := fmt.Sprintf(`{"iss":%q,"aud":[%q],"exp":%d,"sub":"bob","sub":"alice","scope":%q}`,
				issuer.URL(), audience, time.Now().Add(time.Minute).Unix(), requiredScope)
			header := fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":"at+jwt"}`, key.ID)
			return answerOf(service, key.Sign([]byte(header), []byte(payload)))
		}},
		{"an ID token of the same issuer and audience", func(t *testing.T, lib library) string {
			issuer, service := lib.started(t)
			return answerOf(service, issuer.Mint(claimstest.Token{
				Scope: requiredScope, Header: map[string]any{"typ": "JWT"},
				Claims: map[string]any{"at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q", "nonce": "n"},
			}))
		}},
	}
}

// How libraries behave, beside how fast they are: the page has what this test
// finds. SALLYPORT_UPDATE=1 writes it.
func TestBehaviour(t *testing.T) {
	before := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // keyfunc has no other
	t.Cleanup(func() { slog.SetDefault(before) })
	libs, rows := libraries(), situations()
	cells := make([][]string, len(rows))
	var all sync.WaitGroup
	for i, row := range rows {
		cells[i] = make([]string, len(libs))
		for j, lib := range libs {
			all.Go(func() { cells[i][j] = row.look(t, lib) })
		}
	}
	all.Wait()
	var page strings.Builder
	page.WriteString("# How libraries behave\n\n" +
		"Written by `TestBehaviour` of this module, which runs each in the service that\n" +
		"[migrating_test.go](../migrating_test.go) has of it, against a real issuer. Where a library has no\n" +
		"middleware, what is answered is that service's; what it can be told is the library's.\n\n|")
	for _, name := range append([]string{""}, names(libs)...) {
		page.WriteString(" " + name + " |")
	}
	page.WriteString("\n|" + strings.Repeat("---|", len(libs)+1) + "\n")
	for i, row := range rows {
		fmt.Fprintf(&page, "| %s | %s |\n", row.name, strings.Join(cells[i], " | "))
	}
	if os.Getenv("SALLYPORT_UPDATE") != "" {
		require.NoError(t, os.WriteFile(behaviourPage, []byte(page.String()), 0o644))
	}
	want, err := os.ReadFile(behaviourPage)
	require.NoError(t, err)
	assert.Equal(t, string(want), page.String())
}

func names(libs []library) []string {
	found := make([]string, len(libs))
	for i, lib := range libs {
		found[i] = lib.name
	}
	return found
}

// What the page about migrating says holds.
func TestMigrating(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(validated(issuer.URL(), func(id string) bool { return id == "gone" }))
	require.NoError(t, err)
	ask := func(token claimstest.Token) error {
		_, err := verifier.Authenticate(t.Context(),
			claims.Credentials{Scheme: "Bearer", Token: issuer.Mint(token)})
		return err
	}
	tenant := map[string]any{"tenant": "t1"}
	require.NoError(t, ask(claimstest.Token{Claims: tenant}))
	require.ErrorIs(t, ask(claimstest.Token{}), claims.ErrInvalidToken)
	require.ErrorIs(t, ask(claimstest.Token{Claims: map[string]any{"tenant": "t1", "jti": "gone"}}),
		claims.ErrInvalidToken)
	require.NoError(t, tenantRequirement().Validate())

	// Shadow mode: the old answers, the new one is recorded.
	var outcomes []string
	service := shadowed(http.HandlerFunc(orders), verifier, func(_ context.Context, d claims.Decision) {
		outcomes = append(outcomes, d.Outcome())
	})
	assert.Equal(t, "200", answerOf(service, ""))
	assert.Equal(t, "200", answerOf(service, issuer.Mint(claimstest.Token{Scope: requiredScope, Claims: tenant})))
	assert.Equal(t, "200", answerOf(service, issuer.Mint(claimstest.Token{Claims: tenant})))
	assert.Equal(t, []string{"no_token", "allowed", "not_permitted"}, outcomes)

	// One requirement for all methods of a service.
	policy := grpcmw.Policy{}
	allOf(healthpb.Health_ServiceDesc, claims.Authenticated(), policy)
	auth, err := grpcmw.New(verifier, grpcmw.Config{Policy: policy})
	require.NoError(t, err)
	srv := grpc.NewServer(auth.ServerOptions()...)
	healthpb.RegisterHealthServer(srv, health.NewServer())
	require.NoError(t, auth.Audit(srv))
	_, err = bySallyport(verifier)
	require.ErrorContains(t, err, "no method of the server", "nothing is registered")
	assert.NotNil(t, byHand(nil, nil, nil))
	assert.Len(t, byMiddleware(nil, nil), 2)
}
