package grpcmw_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

var errSecret = errors.New("secret-cause-text")

// request is how a requirement finds in a request what it needs: in a message,
// or in the path over HTTP.
type request struct {
	ofAcme    claims.Requirement // a RequestFunc
	workspace func(claims.Requirement) claims.Requirement
}

var (
	overHTTP = request{
		ofAcme: claims.RequestFunc("acme", func(_ context.Context, _ *claims.Claims, r *http.Request) (bool, error) {
			return r.PathValue("value") == "acme", nil
		}),
		workspace: func(needs claims.Requirement) claims.Requirement {
			return claims.InWorkspaceOf("path", func(r *http.Request) string { return r.PathValue("value") }, needs)
		},
	}
	overGRPC = request{
		ofAcme: claims.RequestFunc("acme", func(_ context.Context, _ *claims.Claims, m valued) (bool, error) {
			return m.GetValue() == "acme", nil
		}),
		workspace: func(needs claims.Requirement) claims.Requirement {
			return claims.InWorkspaceOf("message", valued.GetValue, needs)
		},
	}
)

type valued interface{ GetValue() string }

// composition is a requirement, and what comes of it for callers who, in this
// order,
//   - authenticated weakly, and hold all else
//   - lack everything but strong authentication, and ask of another workspace
//   - hold all that a token can say, while the source that says the rest is
//     down
//
// An outcome is "ok", "forbidden", "down", "undecided", "scope" and a scope, or
// "auth" and what is asked for: scope|acr_values|max_age. Who holds everything
// is allowed unless "holding" says what comes of it.
type composition struct {
	name                string
	needs               func(request) claims.Requirement
	weak, lacking, down string
	holding             string
	asks                string // the scope that a client without a token is told
	origin              string // for who holds everything
	reported            error  // class, for who holds everything
}

func plainly(r claims.Requirement) func(request) claims.Requirement {
	return func(request) claims.Requirement { return r }
}

// compositions are the rows of the matrix.
func compositions() []composition {
	s, p := claims.Scopes, claims.Permissions
	all, anyOf := claims.All, claims.AnyOf
	fail := claims.Func("fail", func(context.Context, *claims.Claims) (bool, error) { return true, errSecret })
	return []composition{
		{name: "Authenticated", needs: plainly(claims.Authenticated()), weak: "ok", lacking: "ok", down: "ok"},
		{name: "Scopes", asks: "read write", needs: plainly(s("read", "write")), weak: "ok", lacking: "scope read write", down: "ok"},
		{name: "AnyScope", asks: "admin", needs: plainly(claims.AnyScope("admin", "read")), weak: "ok", lacking: "scope admin", down: "ok"},
		{name: "ACR", needs: plainly(claims.ACR("gold", "platinum")), weak: "auth |gold platinum|", lacking: "ok", down: "ok"},
		{name: "MaxAge", needs: plainly(claims.MaxAge(5 * time.Minute)), weak: "auth ||300", lacking: "ok", down: "ok"},
		{
			name: "StepUp", asks: "read", needs: plainly(all(s("read"), claims.ACR("gold"), claims.MaxAge(time.Minute))),
			weak: "auth read|gold|60", lacking: "scope read", down: "ok",
		},
		{name: "ByToken", needs: plainly(p("by-token")), weak: "ok", lacking: "forbidden", down: "ok", origin: "token"},
		{name: "BySource", needs: plainly(p("by-source")), weak: "ok", lacking: "forbidden", down: "down", origin: "source"},
		{
			name: "ScopeAndSource", asks: "read", needs: plainly(all(p("by-source"), s("read"))),
			weak: "ok", lacking: "scope read", down: "down", origin: "source",
		},
		{
			name: "SourceOrScope", asks: "admin", needs: plainly(anyOf(p("by-source"), s("admin"))),
			weak: "ok", lacking: "scope admin", down: "down", origin: "source",
		},
		{
			name: "SourceOrHeldScope", asks: "read", needs: plainly(anyOf(p("by-source"), s("read"))),
			weak: "ok", lacking: "scope read", down: "ok",
		},
		{
			name: "Deep", asks: "read",
			needs: plainly(all(anyOf(all(s("read"), p("by-token")), s("admin")), anyOf(claims.ACR("gold"), p("none")))),
			weak:  "auth read|gold|", lacking: "scope read", down: "ok", origin: "token",
		},
		{name: "RequestFunc", needs: func(r request) claims.Requirement { return r.ofAcme }, weak: "ok", lacking: "forbidden", down: "ok"},
		{
			name: "ScopeAndRequest", asks: "read", needs: func(r request) claims.Requirement { return all(r.ofAcme, s("read")) },
			weak: "ok", lacking: "scope read", down: "ok",
		},
		{
			name: "Workspace", needs: func(r request) claims.Requirement { return r.workspace(p("in-acme")) },
			weak: "ok", lacking: "forbidden", down: "down", origin: "source",
		},
		{
			name: "SourceAndRequest", needs: func(r request) claims.Requirement { return all(p("by-source"), r.ofAcme) },
			weak: "ok", lacking: "forbidden", down: "down", origin: "source",
		},
		{
			name:  "RequestOrSource",
			needs: func(r request) claims.Requirement { return anyOf(r.workspace(p("none")), r.ofAcme, p("by-source")) },
			weak:  "ok", lacking: "forbidden", down: "ok", origin: "source",
		},
		{
			name: "ReportOnly", asks: "read", needs: plainly(all(s("read"), claims.ReportOnly(s("nobody-has")))),
			weak: "ok", lacking: "scope read", down: "ok", reported: claims.ErrInsufficientScope,
		},
		{
			name: "ReportOnlyRequest",
			needs: func(r request) claims.Requirement {
				return all(r.ofAcme, claims.ReportOnly(r.workspace(p("nobody-has"))))
			},
			weak: "ok", lacking: "forbidden", down: "ok", origin: "source", reported: claims.ErrForbidden,
		},
		{name: "Undecided", needs: plainly(fail), weak: "undecided", lacking: "undecided", down: "undecided", holding: "undecided"},
		{
			name: "UndecidedUnlessRefused", asks: "read", needs: plainly(all(fail, s("read"))),
			weak: "undecided", lacking: "scope read", down: "undecided", holding: "undecided",
		},
	}
}

// outcome is an outcome in full.
type outcome struct {
	class            error
	reason           claims.Reason
	scope, acr, most string
}

func outcomeOf(text string) outcome {
	kind, rest, _ := strings.Cut(text, " ")
	switch kind {
	case "forbidden":
		return outcome{class: claims.ErrForbidden, reason: claims.ReasonPermission}
	case "down":
		return outcome{class: claims.ErrUnavailable, reason: claims.ReasonPermissionsUnavailable}
	case "undecided":
		return outcome{class: claims.ErrUnavailable, reason: claims.ReasonUndecided}
	case "scope":
		return outcome{class: claims.ErrInsufficientScope, reason: claims.ReasonScope, scope: rest}
	case "auth":
		parts := strings.Split(rest, "|")
		return outcome{
			class: claims.ErrInsufficientAuthentication, reason: claims.ReasonAuthentication,
			scope: parts[0], acr: parts[1], most: parts[2],
		}
	}
	return outcome{}
}

// challenge is the WWW-Authenticate field that goes with it, as RFC 6750 and
// RFC 9470 write it.
func (o outcome) challenge() string {
	code := map[error]string{
		claims.ErrInvalidRequest: "invalid_request", claims.ErrInvalidToken: "invalid_token",
		claims.ErrInsufficientAuthentication: "insufficient_user_authentication",
		claims.ErrInsufficientScope:          "insufficient_scope",
	}[o.class]
	if o.class == nil || o.class == claims.ErrUnavailable || o.class == claims.ErrForbidden {
		return ""
	}
	field := `Bearer realm="api"`
	if code != "" {
		text := claims.NewError(o.class, o.reason, nil).Text()
		field += `, error="` + code + `", error_description="` + text + `"`
	}
	for _, parameter := range [][2]string{{"scope", o.scope}, {"acr_values", o.acr}, {"max_age", o.most}} {
		if parameter[1] != "" {
			field += ", " + parameter[0] + `="` + parameter[1] + `"`
		}
	}
	return field
}

// caller is one who asks for something, and what comes of it.
type caller struct {
	name          string
	authorization []string
	subject       string // of a token that is accepted
	value         string // of the request
	want          func(composition) outcome
}

func callers(issuer *claimstest.Issuer) []caller {
	bearer := func(subject, scope, acr string, age time.Duration, permissions ...string) []string {
		return []string{"Bearer " + issuer.Mint(claimstest.Token{
			Subject: subject, ClientID: "shop", Scope: scope, Claims: map[string]any{
				"acr": acr, "auth_time": time.Now().Add(-age).Unix(), "permissions": append([]string{}, permissions...),
			},
		})}
	}
	always := func(class error, reason claims.Reason) func(composition) outcome {
		return func(c composition) outcome {
			o := outcome{class: class, reason: reason}
			if class == claims.ErrNoToken || class == claims.ErrInvalidToken {
				o.scope = c.asks
			}
			return o
		}
	}
	expired := "Bearer " + issuer.Mint(claimstest.Token{Subject: "holding", Lifetime: -time.Hour})
	return []caller{
		{name: "none", value: "acme", want: always(claims.ErrNoToken, claims.ReasonNoToken)},
		{name: "malformed", authorization: []string{"Bearer a b"}, value: "acme", want: always(claims.ErrInvalidRequest, claims.ReasonMalformedCredentials)},
		{name: "bad", authorization: []string{expired}, value: "acme", want: always(claims.ErrInvalidToken, claims.ReasonExpired)},
		{
			name: "weak", authorization: bearer("weak", "read write", "low", time.Hour, "by-token"), subject: "weak", value: "acme",
			want: func(c composition) outcome { return outcomeOf(c.weak) },
		},
		{
			name: "lacking", authorization: bearer("lacking", "other", "gold", 0), subject: "lacking", value: "other",
			want: func(c composition) outcome { return outcomeOf(c.lacking) },
		},
		{
			name: "down", authorization: bearer("down", "read write", "gold", 0, "by-token"), subject: "down", value: "acme",
			want: func(c composition) outcome { return outcomeOf(c.down) },
		},
		{
			name: "holding", authorization: bearer("holding", "read write", "gold", 0, "by-token"), subject: "holding", value: "acme",
			want: func(c composition) outcome { return outcomeOf(c.holding) },
		},
	}
}

var grants = granter(func(who claims.Principal) (claims.Grants, error) {
	switch who.Subject {
	case "down":
		return claims.Grants{}, errSecret
	case "lacking":
		return claims.Grants{Workspaces: map[string][]string{"acme": {"in-acme"}}}, nil
	}
	return claims.Grants{Permissions: []string{"by-source"}, Workspaces: map[string][]string{"acme": {"in-acme"}}}, nil
})

func matrixVerifier(t *testing.T) (*claimstest.Issuer, *claims.Verifier) {
	t.Helper()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, PermissionClaims: []string{"permissions"},
	})
	require.NoError(t, err)
	return issuer, verifier
}

// assertDecision checks that there is one decision about the operation, and
// what it says.
func assertDecision(t *testing.T, l *ledger, protocol, operation string, row composition, by caller, needs claims.Requirement, issuer string) {
	t.Helper()
	whole, parts := l.take(operation)
	assert.Empty(t, parts)
	if !assert.Len(t, whole, 1, "decisions about one operation") {
		return
	}
	d, want := whole[0], by.want(row)
	assert.Equal(t, protocol, d.Protocol)
	assert.True(t, needs.Equal(d.Requirement))
	assert.WithinDuration(t, time.Now(), d.Time, time.Minute)
	assert.Less(t, d.Duration, time.Minute)
	if want.class == nil {
		assert.Nil(t, d.Err)
	} else if assert.NotNil(t, d.Err) {
		assert.Equal(t, want.class, d.Err.Class())
		assert.Equal(t, want.reason, d.Err.Reason())
	}
	// Of a token that is refused, only the issuer that is trusted is known.
	if by.subject == "" && (d.Err == nil || d.Err.Class() != claims.ErrInvalidToken) {
		issuer = ""
	}
	assert.Equal(t, by.subject, d.Subject)
	assert.Equal(t, issuer, d.Issuer)
	assert.Equal(t, by.subject != "", d.ClientID == "shop" && d.KeyID != "")
	if by.name == "holding" {
		assert.Equal(t, row.origin, d.Permissions, "where the permissions are from")
		if row.reported == nil {
			assert.Nil(t, d.Reported)
		} else if assert.NotNil(t, d.Reported, "what is only reported") {
			assert.Equal(t, row.reported, d.Reported.Class())
		}
	}
	for _, field := range by.authorization {
		assert.NotContains(t, fmt.Sprintf("%+v %#v", d, d), strings.TrimPrefix(field, "Bearer "))
	}
}

// assertNothingTold checks what a client must not learn.
func assertNothingTold(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{"by-token", "by-source", "in-acme", "nobody-has", "secret-cause-text"} {
		assert.NotContains(t, text, secret)
	}
}

func assertStatus(t *testing.T, want outcome, got *status.Status) {
	t.Helper()
	code := codes.Unauthenticated
	switch want.class {
	case claims.ErrForbidden, claims.ErrInsufficientScope:
		code = codes.PermissionDenied
	case claims.ErrUnavailable:
		code = codes.Unavailable
	}
	require.Equal(t, code, got.Code(), got.Message())
	assert.Equal(t, claims.NewError(want.class, want.reason, nil).Text(), got.Message())
	info, retry := details(t, got)
	assert.Equal(t, strings.ToUpper(string(want.reason)), info.GetReason())
	assert.Equal(t, "orders.example", info.GetDomain())
	metadata := map[string]string{}
	for name, value := range map[string]string{
		"scope": want.scope, "acr_values": want.acr, "max_age": want.most,
		"www-authenticate": want.challenge(),
	} {
		if value != "" {
			metadata[name] = value
		}
	}
	assert.Len(t, info.GetMetadata(), len(metadata))
	for name, value := range metadata {
		assert.Equal(t, value, info.GetMetadata()[name])
	}
	assert.Equal(t, code == codes.Unavailable, retry.GetRetryDelay().AsDuration() == time.Second)
	assertNothingTold(t, got.String())
}
