package bench

import (
	"context"
	"net/http"
	"testing"

	auth0v2 "github.com/auth0/go-jwt-middleware/v2"
	auth0v3 "github.com/auth0/go-jwt-middleware/v3"
	v3validator "github.com/auth0/go-jwt-middleware/v3/validator"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

// BenchmarkHTTP measures a request as the server hands it over, without network
// and parsing, through each middleware to a handler that asks who the caller
// is.
func BenchmarkHTTP(b *testing.B) {
	w := newWorld(b)
	benchmarkStacks(b, w, httpStacks(b, w))
}

func TestHTTP(t *testing.T) {
	w := newWorld(t)
	testStacks(t, w, httpStacks(t, w))
}

func httpStacks(tb testing.TB, w *world) []stack {
	tb.Helper()
	bare := newHTTPStack(tb, "impl=none", func(context.Context) string { return subject }, nil)
	stacks := []stack{bare}
	for _, a := range authenticators(tb, w) {
		guard := httpmw.New(a.auth, httpmw.Config{}).Require(claims.Scopes(requiredScope))
		name := "impl=sallyport/token=" + a.name
		stacks = append(stacks, newHTTPStack(tb, name, sallyportSubject, guard))
	}
	return append(stacks, auth0Stacks(tb, w)...)
}

func auth0Stacks(tb testing.TB, w *world) []stack {
	tb.Helper()
	v2 := auth0v2Validator(tb, w, transportAlg)
	validated, err := v2.ValidateToken(tb.Context(), w.good(transportAlg))
	if err != nil {
		tb.Fatal(err)
	}
	v2Given := auth0v2.New(func(context.Context, string) (any, error) { return validated, nil })
	v3, err := auth0v3.New(auth0v3.WithValidator(auth0v3Validator(tb, w, transportAlg)))
	if err != nil {
		tb.Fatal(err)
	}
	v2Verifying := auth0v2.New(v2.ValidateToken)
	return []stack{
		newHTTPStack(tb, "impl=auth0-v2/token=given", v2Subject, v2Given.CheckJWT),
		newHTTPStack(tb, "impl=auth0-v2/token=verified", v2Subject, v2Verifying.CheckJWT),
		newHTTPStack(tb, "impl=auth0-v3/token=verified", v3Subject, v3.CheckJWT),
	}
}

func sallyportSubject(ctx context.Context) string {
	caller, ok := claims.FromContext(ctx)
	if !ok {
		return ""
	}
	return caller.Subject()
}

func v2Subject(ctx context.Context) string {
	subject, _ := auth0v2Subject(ctx.Value(auth0v2.ContextKey{}))
	return subject
}

func v3Subject(ctx context.Context) string {
	claims, err := auth0v3.GetClaims[*v3validator.ValidatedClaims](ctx)
	if err != nil {
		return ""
	}
	subject, _ := auth0v3Subject(claims)
	return subject
}

// newHTTPStack puts guard, nil for none, in front of a handler that finds its
// caller by subjectOf. The stack is for one goroutine.
func newHTTPStack(
	tb testing.TB, name string, subjectOf func(context.Context) string,
	guard func(http.Handler) http.Handler,
) stack {
	tb.Helper()
	served := false
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served = subjectOf(r.Context()) == subject
		w.WriteHeader(http.StatusNoContent)
	})
	if guard != nil {
		handler = guard(handler)
	}
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, "http://api.example/", nil)
	if err != nil {
		tb.Fatal(err)
	}
	w := &responseWriter{header: http.Header{}}
	return stack{name, func(token string) func() bool {
		r.Header.Set("Authorization", "Bearer "+token)
		return func() bool {
			served = false
			clear(w.header)
			handler.ServeHTTP(w, r)
			return served
		}
	}}
}

// responseWriter is used again and again, so that it costs next to nothing.
type responseWriter struct{ header http.Header }

func (w *responseWriter) Header() http.Header         { return w.header }
func (w *responseWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *responseWriter) WriteHeader(int)             {}
