package claims_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// resultOf returns the check of that name in an Explanation.
func resultOf(t testing.TB, e claims.Explanation, name string) claims.CheckResult {
	t.Helper()
	i := slices.IndexFunc(e.Checks, func(c claims.CheckResult) bool { return c.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return e.Checks[i]
}

// What is malformed is named, by the cause of the refusal and by Explain.
func TestVerifier_Explain_malformed(t *testing.T) {
	t.Parallel()
	claim := func(name string, value any) string { return forged(head(nil), body(m{name: value})) }
	also := func(members string) string { return forged(head(nil), with(body(nil), members)) }
	header := func(name string, value any) string { return forged(head(m{name: value}), body(nil)) }
	more := func(members string) string { return forged(with(head(nil), members), body(nil)) }
	parts := strings.Split(claim("sub", "alice"), ".")
	for _, tt := range []struct {
		name, token, check string
		cause              string // of the refusal
		found              string // by Explain, beside that
		reason             claims.Reason
	}{
		{
			name: "exp a string", token: claim("exp", "4102444800"), check: "payload",
			cause: `claim "exp" is not a number of seconds, from 1970 to 9999`, found: `"exp": "4102444800"`,
		},
		{
			name: "nbf null", token: claim("nbf", nil), check: "payload",
			cause: `claim "nbf" is not a number of seconds`, found: `"nbf": null`,
		},
		{
			name: "iat in milliseconds", token: claim("iat", int64(4102444800000)), check: "payload",
			cause: `claim "iat" is not a number of seconds`, found: `"iat": 4102444800000`,
		},
		{
			name: "numeric sub", token: claim("sub", 4711), check: "payload",
			cause: `claim "sub" is not a string`, found: `"sub": 4711`,
		},
		{
			name: "null sub", token: claim("sub", nil), check: "payload",
			cause: `claim "sub" is not a string`, found: `"sub": null`,
		},
		{
			name: "scope 7", token: claim("scope", 7), check: "payload",
			cause: `claim "scope" is not a string or an array of strings`, found: `"scope": 7`,
		},
		{
			name: "aud with a number", token: claim("aud", []any{"a", 1}), check: "payload",
			cause: `claim "aud" is not a string or an array of strings`, found: `"aud": ["a",1]`,
		},
		{
			name: "Sub", token: claim("Sub", "x"), check: "payload",
			cause: `a claim's name differs from "sub" in case alone`, found: `"Sub": "x"`,
		},
		{
			name: "sub with a long s", token: claim("\u017fub", "x"), check: "payload",
			cause: `a claim's name differs from "sub" in case alone`, found: `"\u017fub": "x"`,
		},
		{
			name: "iss twice", token: also(`"iss":"x"`), check: "payload",
			cause: `claim "iss" is there twice`, found: `"iss", near byte`,
		},
		{
			name: "another claim twice", token: also(`"x":1,"\u0078":2`), check: "payload",
			cause: `a member's name twice in one object`, found: `"x", near byte`,
		},
		{
			name: "name twice within", token: also(`"act":{"n":1,"n":2}`), check: "payload",
			cause: `a member's name twice in one object`, found: `"n", near byte`,
		},
		{
			name: "no JSON", token: also(`"x":undefined`), check: "payload",
			cause: `the payload is not a JSON object`, found: "near byte 164 of 174",
		},
		{
			name: "cut short in a claim", token: forged(head(nil), body(nil)[:20]), check: "payload",
			cause: `the payload is not a JSON object`, found: "near byte 9 of 20",
		},
		{
			name: "an array", token: forged(head(nil), "[1]"), check: "payload",
			cause: `the payload is not a JSON object`, found: "near byte 0 of 3",
		},
		{
			name: "more behind it", token: forged(head(nil), body(nil)+" {}"), check: "payload",
			cause: `the payload is not one JSON object and nothing else`, found: "near byte",
		},
		{
			name: "byte order mark", token: forged(head(nil), "\ufeff"+body(nil)), check: "payload",
			cause: `the payload begins with a byte order mark`, found: "near byte 0",
		},
		{
			name: "Latin-1", token: also("\"name\":\"Zo\xeb\""), check: "payload",
			cause: `the payload has text that is not UTF-8`, found: "near byte",
		},
		{
			name: "deep", token: forged(head(nil), deep(33)), check: "payload",
			cause: `the payload is nested more than 32 deep`, found: "near byte",
		},
		{
			name: "many claims", token: also(numbered(300)), check: "payload",
			cause: `the payload has more than 256 claims`,
		},
		{
			name: "many members", token: also(`"x":{` + numbered(600) + "}"), check: "payload",
			cause: `the payload has more than 512 members`, found: "near byte",
		},
		{
			name: "many scopes", token: claim("scope", strings.Repeat("a ", 1025)), check: "payload",
			cause: `the payload has more than 1024 scopes or audiences`,
		},
		{
			name: "padded payload", token: parts[0] + "." + parts[1] + "==." + parts[2], check: "payload",
			cause: `the payload is not base64url without padding`, found: `"=" at byte`,
		},
		{
			name: "payload in the other alphabet", token: parts[0] + ".+" + parts[1][1:] + "." + parts[2], check: "payload",
			cause: `the payload is not base64url without padding`, found: `"+" at byte 0`,
		},
		{
			name: "padded signature", token: parts[0] + "." + parts[1] + "." + parts[2] + "==", check: "payload",
			cause: `the signature is not base64url without padding`, found: `"=" at byte 86`,
		},
		{
			name: "no signature", token: parts[0] + "." + parts[1] + ".", check: "payload",
			cause: `the signature is not base64url without padding`, found: "it is empty",
		},
		{
			name: "padded header, as ALB writes it", token: parts[0] + "=." + parts[1] + "." + parts[2], check: "header",
			cause: `the header is not base64url without padding`, found: `"=" at byte`,
		},
		{
			name: "cut off", token: parts[0][:9] + "." + parts[1] + "." + parts[2], check: "header",
			cause: `the header is not base64url without padding`, found: "its last characters, of 9, stand for no whole byte",
		},
		{
			name: "alg a number", token: header("alg", 256), check: "header",
			cause: `header parameter "alg" is not a string`, found: `"alg": 256`,
		},
		{
			name: "kid null", token: header("kid", nil), check: "header",
			cause: `header parameter "kid" is not a string`, found: `"kid": null`,
		},
		{
			name: "typ a list", token: header("typ", []string{"JWT"}), check: "header",
			cause: `header parameter "typ" is not a string`, found: `"typ": ["JWT"]`,
		},
		{
			name: "Kid", token: more(`"Kid":"x"`), check: "header",
			cause: `header parameter "kid" differs from that in case alone`, found: `"Kid": "x"`,
		},
		{
			name: "kid twice", token: more(`"kid":"x"`), check: "header",
			cause: `header parameter "kid" is there twice`, found: `"kid", near byte`,
		},
		{
			name: "other parameter twice", token: more(`"x":1,"x":2`), check: "header",
			cause: `the header has a member's name twice in one object`, found: `"x", near byte`,
		},
		{
			name: "many parameters", token: more(numbered(70)), check: "header",
			cause: `the header has more than 64 parameters`,
		},
		{
			name: "header no JSON", token: forged("alg=ES256", body(nil)), check: "header",
			cause: `the header is not a JSON object`, found: "near byte 0 of 9",
		},
		{
			name: "crit", token: more(`"crit":["exp"]`), check: "header", reason: claims.ReasonCritical,
			cause: `the header has "crit", and no extension is understood`,
		},
		{
			name: "unencoded", token: more(`"b64":false`), check: "header", reason: claims.ReasonCritical,
			cause: `"b64" in the header says that the payload is unencoded`,
		},
		{
			name: "nested", token: header("cty", "JWT"), check: "header", reason: claims.ReasonType,
			cause: `"cty" in the header says that there is a token within the token`,
		},
		{
			name: "two segments", token: "a.b", check: "form",
			cause: "not three segments", found: "3 bytes, 2 segments",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			verifier := offline(t, nil)
			_, err := verifier.Authenticate(t.Context(), bearer(tt.token))
			require.ErrorIs(t, err, claims.ErrInvalidToken)
			if tt.reason == "" {
				tt.reason = claims.ReasonMalformed
			}
			assert.Equal(t, tt.reason, claims.AsError(err).Reason())
			require.Error(t, errors.Unwrap(err))
			assert.Contains(t, errors.Unwrap(err).Error(), tt.cause)
			result := resultOf(t, verifier.Explain(t.Context(), tt.token), tt.check)
			assert.Equal(t, "refused", result.Verdict)
			if tt.check != "form" {
				assert.Contains(t, result.Found, tt.cause)
			}
			assert.Contains(t, result.Found, tt.found)
			assert.NotContains(t, result.Found, "another form")
		})
	}
}

// A claim that the Config names is named as well, whatever the Config asks of
// it.
func TestVerifier_Explain_namedClaims(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		change  func(*claims.Config)
		token   m
		check   string
		reason  claims.Reason
		cause   string
		found   string
		require string
	}{
		{
			name: "missing", change: func(cfg *claims.Config) { cfg.RequiredClaims = []string{"tenant"} },
			check: "claims", reason: claims.ReasonClaims, cause: `claim "tenant" is required`, found: "no tenant",
		},
		{
			name: "both missing", change: func(cfg *claims.Config) { cfg.RequiredClaims = []string{"scp|roles"} },
			check: "claims", reason: claims.ReasonClaims, cause: `claim "scp" or "roles" is required`,
			found: "no scp or roles",
		},
		{
			name: "empty", change: func(cfg *claims.Config) { cfg.RequiredClaims = []string{"tenant"} },
			token: m{"tenant": ""}, check: "claims", reason: claims.ReasonClaims,
			cause: `claim "tenant" is required`, found: `no tenant: it is ""`,
		},
		{
			name: "null", change: func(cfg *claims.Config) { cfg.RequiredClaims = []string{"tenant"} },
			token: m{"tenant": nil}, check: "claims", reason: claims.ReasonClaims,
			cause: `claim "tenant" is required`, found: `no tenant: it is null`,
		},
		{
			name: "empty list", change: func(cfg *claims.Config) { cfg.RequiredClaims = []string{"roles|groups"} },
			token: m{"groups": []string{}}, check: "claims", reason: claims.ReasonClaims,
			cause: `claim "roles" or "groups" is required`, found: `no roles or groups: it is []`,
		},
		{
			name: "Tenant", change: func(cfg *claims.Config) { cfg.RequiredClaims = []string{"tenant"} },
			token: m{"tenant": "a", "Tenant": "b"}, check: "claims", reason: claims.ReasonMalformed,
			cause: `a claim's name differs from "tenant" in case alone`, found: `claim "Tenant"`,
		},
		{
			name: "isadmin", change: func(cfg *claims.Config) { cfg.PermissionClaims = []string{"isAdmin"} },
			token: m{"isadmin": "a"}, check: "claims", reason: claims.ReasonMalformed,
			cause: `a claim's name differs from "isAdmin" in case alone`, found: `claim "isadmin"`,
		},
		{
			name: "another value", change: func(cfg *claims.Config) {
				cfg.ClaimValues = map[string][]string{"token_use": {"access"}}
			},
			token: m{"token_use": "id"}, check: "type", reason: claims.ReasonType,
			found: `claim "token_use" "id"`,
		},
		{
			name: "no exp", token: m{"exp": claimstest.Omit}, check: "time", reason: claims.ReasonClaims,
			cause: `claim "exp" is required`, found: "exp missing",
		},
		{
			name: "no iat", change: func(cfg *claims.Config) { cfg.MaxTokenAge = 1 << 60 },
			token: m{"iat": claimstest.Omit}, check: "time", reason: claims.ReasonClaims,
			cause: `claim "iat" is required by Config.MaxTokenAge or Config.MaxLifetime`,
			found: `claim "iat" is required`,
		},
		{
			name: "no iat for a lifetime", change: func(cfg *claims.Config) { cfg.MaxLifetime = 1 << 60 },
			token: m{"iat": claimstest.Omit}, check: "time", reason: claims.ReasonClaims,
			cause: `claim "iat" is required by Config.MaxTokenAge or Config.MaxLifetime`,
			found: `claim "iat" is required`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			verifier := offline(t, tt.change)
			token := forged(head(nil), body(tt.token))
			_, err := verifier.Authenticate(t.Context(), bearer(token))
			require.ErrorIs(t, err, claims.ErrInvalidToken)
			assert.Equal(t, tt.reason, claims.AsError(err).Reason())
			if tt.cause != "" {
				require.Error(t, errors.Unwrap(err))
				assert.Equal(t, "claims: "+tt.cause, errors.Unwrap(err).Error())
			}
			result := resultOf(t, verifier.Explain(t.Context(), token), tt.check)
			assert.Equal(t, tt.reason, result.Reason)
			assert.Contains(t, result.Found, tt.found)
		})
	}
}

// unproven is a Confirmer that must not be called.
type unproven struct{ member, scheme string }

func (c unproven) Confirms() (member, scheme string) { return c.member, c.scheme }

func (unproven) Confirm(context.Context, string, claims.Credentials) error { panic("called") }

// Of a token that is bound to a key it shows what could prove it, and goes on.
func TestVerifier_Explain_bound(t *testing.T) {
	t.Parallel()
	confirmers := []claims.Confirmer{
		unproven{"jkt", "DPoP"}, unproven{"x5t#S256", "Bearer"},
	}
	for _, tt := range []struct {
		name       string
		confirmers []claims.Confirmer
		cnf        any
		verdict    string
		found      string
		wanted     string
	}{
		{
			name: "nothing proves it", cnf: m{"jkt": "k"}, verdict: "refused",
			found: "cnf", wanted: "no cnf: a key cannot be proven here",
		},
		{
			name: "DPoP", confirmers: confirmers, cnf: m{"jkt": "k"}, verdict: "skipped",
			found: `cnf {"jkt":"k"}`, wanted: "a proof in the request, presented as DPoP",
		},
		{
			name: "certificate", confirmers: confirmers, cnf: m{"x5t#S256": "c"}, verdict: "skipped",
			found: `cnf {"x5t#S256":"c"}`, wanted: "a proof in the request, presented as Bearer",
		},
		{
			name: "another member", confirmers: confirmers, cnf: m{"jkt": "k", "jwk": m{}},
			verdict: "refused", found: `cnf member "jwk"`, wanted: `no member but "jkt" or "x5t#S256"`,
		},
		{
			name: "no object", confirmers: confirmers, cnf: "k", verdict: "refused",
			found: "not an object",
		},
		{
			name: "no member", confirmers: confirmers, cnf: m{}, verdict: "refused",
			found: "not an object that names a key",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			checked := false
			verifier := offline(t, func(cfg *claims.Config) {
				cfg.Confirmers = tt.confirmers
				cfg.Check = func(context.Context, *claims.Claims) error { checked = true; return nil }
			})
			e := verifier.Explain(t.Context(), forged(head(nil), body(m{"cnf": tt.cnf})))
			result := resultOf(t, e, "binding")
			assert.Equal(t, tt.verdict, result.Verdict)
			assert.Contains(t, result.Found, tt.found)
			assert.Contains(t, result.Wanted, tt.wanted)
			assert.Equal(t, tt.verdict == "skipped", e.Err == nil)
			assert.Equal(t, tt.verdict == "skipped", checked)
		})
	}
}

// A check of one's own, and keys that cannot be had, say why.
func TestVerifier_Explain_causes(t *testing.T) {
	t.Parallel()
	token := forged(head(nil), body(nil))
	for _, err := range []error{errors.New("revoked\nyesterday"), claims.ErrUnavailable} {
		verifier := offline(t, func(cfg *claims.Config) {
			cfg.Check = func(context.Context, *claims.Claims) error { return err }
		})
		result := resultOf(t, verifier.Explain(t.Context(), token), "check")
		assert.Contains(t, result.Found, strings.ReplaceAll(strings.TrimPrefix(err.Error(), "claims: "), "\n", `\n`))
	}
}
