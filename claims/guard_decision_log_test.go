package claims_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// threeParts is a requirement whose text is long to make.
func threeParts() claims.Requirement {
	return claims.All(claims.Scopes("orders:read"), claims.AnyScope("orders:read", "orders:write"),
		claims.AnyOf(claims.Scopes("orders:read"), claims.Permissions("refund")))
}

// The text of a requirement is made once, and is the same ever after.
//
// It is not parallel: what others allocate would count.
func TestRequirement_textMadeOnce(t *testing.T) {
	for _, needs := range []claims.Requirement{
		claims.Authenticated(), claims.Public(), threeParts(), claims.AnyPermission("p", "q"),
		claims.ACR("gold"), claims.MaxAge(time.Minute), claims.ReportOnly(claims.Scopes("s")),
		claims.InWorkspace("w", claims.Permissions("p")), inNamed(claims.Permissions("p")),
		claims.Func("f", nil), claims.RequestFunc[*message]("r", nil), claims.Scopes(),
	} {
		text := needs.String()
		assert.Zero(t, testing.AllocsPerRun(10, func() {
			if needs.String() != text {
				t.Error("another text")
			}
		}), text)
	}
}

// A handler that adds the source finds where the decisions were told to be
// logged.
func TestLogDecisions_source(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	observer := claims.LogDecisions(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{AddSource: true})))
	observer(t.Context(), claims.Decision{})
	var line struct{ Source slog.Source }
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	assert.True(t, strings.HasSuffix(line.Source.File, "guard_decision_log_test.go"), line.Source.File)
}

func logging(t testing.TB, observer claims.Observer, needs claims.Requirement) (decideOne func()) {
	issuer := newIssuer(t, claimstest.Config{})
	guard, err := claims.NewGuard(
		newVerifier(t, issuer, func(*claims.Config) {}), claims.GuardConfig{Observer: observer})
	require.NoError(t, err)
	call := attempt{Operation: "GET /orders/{id}", Needs: needs, Credentials: accessToken(issuer, claimstest.Token{})}
	return func() {
		if _, err := decide(t.Context(), guard, call); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkLogDecisions(b *testing.B) {
	for name, needs := range map[string]claims.Requirement{
		"one": claims.Scopes("orders:read"), "three": threeParts(),
	} {
		for _, logged := range []bool{false, true} {
			var observer claims.Observer
			kind := "guard"
			if logged {
				kind, observer = "logged", claims.LogDecisions(slog.New(slog.NewJSONHandler(io.Discard, nil)))
			}
			decideOne := logging(b, observer, needs)
			b.Run(name+"/"+kind, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					decideOne()
				}
			})
		}
	}
}
