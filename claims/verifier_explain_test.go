package claims_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

var explained = []string{
	"form", "header", "payload", "issuer", "algorithm", "type", "time", "audience", "claims",
	"key", "signature", "client", "binding", "check",
}

// Explain and Authenticate agree on every token, and the first check that
// refused is the reason.
func TestVerifier_Explain_agrees(t *testing.T) {
	t.Parallel()
	verifier := offline(t, nil)
	for _, tt := range append(controls(), attacks()...) {
		_, err := verifier.Authenticate(t.Context(), bearer(tt.token))
		e := verifier.Explain(t.Context(), tt.token)
		var names []string
		refused := claims.Reason("")
		for _, c := range e.Checks {
			names = append(names, c.Name)
			if c.Verdict == "refused" && refused == "" {
				refused = c.Reason
			}
			assert.Equal(t, c.Verdict == "refused", c.Reason != "", tt.name)
		}
		require.Equal(t, explained, names, tt.name)
		if err == nil {
			assert.NoError(t, e.Err, tt.name)
			for _, c := range e.Checks {
				assert.Equal(t, "passed", c.Verdict, "%s: %s", tt.name, c.Name)
			}
		} else {
			require.Error(t, e.Err, tt.name)
			assert.Equal(t, claims.AsError(err).Reason(), claims.AsError(e.Err).Reason(), tt.name)
			assert.Equal(t, claims.AsError(err).Reason(), refused, tt.name)
		}
		if parts := strings.Split(tt.token, "."); len(parts) == 3 && len(parts[2]) > 16 {
			assert.NotContains(t, e.String(), parts[2][:16], tt.name)
		}
		for _, c := range e.String() {
			assert.True(t, c == '\n' || c >= ' ' && c < 0x7f, "%s: %q", tt.name, c)
		}
	}
}

func TestVerifier_Explain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*claims.Config)
		token  string
		want   string
	}{
		{
			name: "accepted", token: forged(head(nil), body(m{"nbf": 946684790, "exp": 946684830})),
			want: `
form       passed                   SIZE bytes, 3 segments
header     passed                   alg "ES256", kid "p256", typ "at+jwt"
payload    passed                   PAYLOAD bytes
issuer     passed                   "https://issuer.example"
algorithm  passed                   "ES256"
type       passed                   typ "at+jwt"
time       passed                   exp 2000-01-01T00:00:30Z, nbf 1999-12-31T23:59:50Z, iat 1998-07-09T16:00:00Z
audience   passed                   "https://api.example"
claims     passed
key        passed                   kid "p256"
signature  passed                   ES256
client     passed                   "shop"
binding    passed                   no cnf
check      passed
`,
		},
		{
			name: "everything wrong at once",
			change: func(cfg *claims.Config) {
				cfg.Algorithms, cfg.Types = []string{"RS256", "PS256"}, []string{"at+jwt"}
				cfg.RequiredClaims = []string{"scp|roles"}
				cfg.MaxTokenAge, cfg.MaxLifetime = time.Hour, time.Minute
				cfg.ClientIDs = []string{"web"}
				cfg.Check = func(context.Context, *claims.Claims) error { panic("called") }
			},
			token: forged(head(m{"typ": "JWT"}), body(m{
				"exp": longAgo, "aud": []string{"https://api.exаmple", "b"}, "cnf": m{}, "nonce": "1",
				"iss": "https://other.example",
			})),
			want: `
form       passed                   SIZE bytes, 3 segments
header     passed                   alg "ES256", kid "p256", typ "JWT"
payload    passed                   PAYLOAD bytes
issuer     refused: issuer          "https://other.example"; wanted "https://issuer.example"
algorithm  refused: algorithm       "ES256"; wanted "RS256" or "PS256"
type       refused: type            typ "JWT"; wanted typ "at+jwt"
time       refused: expired         exp 1998-07-09T16:00:00Z, iat 1998-07-09T16:00:00Z; wanted now 2000-01-01T00:00:00Z within 30s, issued at most 1h0m0s ago, valid for at most 1m0s
audience   refused: audience        "https://api.ex\u0430mple" or "b"; wanted "https://api.example"
claims     refused: claims          no scp or roles; wanted scp|roles
key        skipped
signature  skipped
client     refused: client          "shop"; wanted "web"
binding    refused: binding         cnf; wanted no cnf: a key cannot be proven here
check      skipped
`,
		},
		{
			name: "another kind of token",
			change: func(cfg *claims.Config) {
				cfg.ClaimValues = map[string][]string{"token_use": {"access", "api"}}
				cfg.InsecureAllowIDTokens = true
				cfg.Audiences, cfg.InsecureSkipAudience = nil, true
			},
			token: forged(head(m{"kid": "nobody's"}), body(m{
				"token_use": "id\x1b[2J", "at_hash": "x", "aud": claimstest.Omit, "client_id": claimstest.Omit,
			})),
			want: `
form       passed                   SIZE bytes, 3 segments
header     passed                   alg "ES256", kid "nobody's", typ "at+jwt"
payload    passed                   PAYLOAD bytes
issuer     passed                   "https://issuer.example"
algorithm  passed                   "ES256"
type       refused: type            typ "at+jwt", claim "token_use" "id\x1b[2J"; wanted "token_use" "access" or "api"
time       passed                   exp 2100-01-01T00:00:00Z, iat 1998-07-09T16:00:00Z
audience   passed                   none
claims     passed
key        refused: unknown_key     kid "nobody's"; wanted a key of the issuer that fits ES256
signature  skipped
client     passed                   ""
binding    passed                   no cnf
check      skipped
`,
		},
		{
			name: "a claim that should not be there", token: forged(head(nil), body(m{"at_hash": "x"})),
			want: `
type       refused: type            typ "at+jwt", claim "at_hash"; wanted typ "at+jwt" or "JWT" or "", and no claim of another kind of token
`,
		},
		{
			name: "a claim that should be there", token: forged(head(nil), body(nil)),
			change: func(cfg *claims.Config) {
				cfg.ClaimValues = map[string][]string{"token_use": {"access"}}
			},
			want: `
type       refused: type            typ "at+jwt", no claim "token_use"; wanted "token_use" "access"
`,
		},
		{
			name: "own check", token: forged(head(nil), body(nil)),
			change: func(cfg *claims.Config) {
				cfg.RequiredClaims = []string{"sub", "jti|uti"}
				cfg.Check = func(context.Context, *claims.Claims) error { return errors.New("no") }
			},
			want: `
claims     passed                   sub, jti|uti
check      refused: rejected        no
`,
		},
		{
			name: "malformed", token: "a.b",
			want: `
form       refused: malformed       3 bytes, 2 segments; wanted at most 16384 bytes, 3 segments
header     skipped
payload    skipped
issuer     skipped
algorithm  skipped
`,
		},
		{
			name: "header malformed", token: "e30x.b.c",
			want: `
header     refused: malformed       the header is not one JSON object and nothing else: near byte 2 of 3; wanted strict base64url and JSON, a signature by ES256, ES384, ES512, Ed25519, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512, no crit
payload    skipped
`,
		},
		{
			name: "payload malformed", token: forged(head(nil), body(m{"exp": "x"})),
			want: `
payload    refused: malformed       claim "exp" is not a number of seconds, from 1970 to 9999: "exp": "x"; wanted strict base64url and JSON, claims of the right types, none twice
issuer     skipped
`,
		},
		{
			name: "times missing", token: forged(head(nil), body(m{"exp": claimstest.Omit, "iat": claimstest.Omit})),
			want: `
time       refused: claims          exp missing: claim "exp" is required; wanted now 2000-01-01T00:00:00Z within 30s
`,
		},
		{
			name: "longest shown whole", token: forged(head(nil), body(m{"iss": strings.Repeat("x", 198)})),
			want: `
issuer     refused: issuer          "` + strings.Repeat("x", 198) + `"; wanted "https://issuer.example"
`,
		},
		{
			name: "long", token: forged(head(nil), body(m{"iss": strings.Repeat("x", 300)})),
			want: `
issuer     refused: issuer          "` + strings.Repeat("x", 199) + `...; wanted "https://issuer.example"
`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				text := offline(t, tt.change).Explain(t.Context(), tt.token).String()
				for _, line := range strings.Split(strings.Trim(tt.want, "\n"), "\n") {
					line = strings.Replace(line, "SIZE", strconv.Itoa(len(tt.token)), 1)
					if strings.Contains(line, "PAYLOAD") {
						payload := unb64(strings.Split(tt.token, ".")[1])
						line = strings.Replace(line, "PAYLOAD", strconv.Itoa(len(payload)), 1)
					}
					assert.Contains(t, "\n"+text, "\n"+line+"\n")
				}
			})
		})
	}
}

// What has three segments has the form of a token, whatever is in them.
func TestVerifier_Explain_form(t *testing.T) {
	t.Parallel()
	verifier := offline(t, nil)
	encrypted := b64([]byte(`{"alg":"dir","enc":"A256GCM"}`))
	for _, tt := range []struct {
		name   string
		token  string
		reason claims.Reason // of the form
	}{
		{name: "segments of nothing", token: ".."},
		{name: "header of nothing", token: ".b.c"},
		{name: "payload of nothing", token: "a..c"},
		{name: "signature of nothing", token: "a.b."},
		{name: "largest", token: sized(defaultMaxTokenSize)},
		{name: "larger", token: sized(defaultMaxTokenSize) + "A", reason: claims.ReasonTooLarge},
		{name: "nothing", token: "", reason: claims.ReasonMalformed},
		{name: "no dot", token: "a", reason: claims.ReasonMalformed},
		{name: "one dot", token: "a.b", reason: claims.ReasonMalformed},
		{name: "three dots, two at the end", token: "a.b..", reason: claims.ReasonMalformed},
		{name: "four dots", token: "a.b.c.d.e", reason: claims.ReasonMalformed},
		{name: "encrypted", token: encrypted + "....", reason: claims.ReasonEncrypted},
		{name: "encrypted, three dots", token: encrypted + "...", reason: claims.ReasonMalformed},
		{name: "four dots, no header", token: "!.b.c.d.e", reason: claims.ReasonMalformed},
		{name: "four dots, header of nothing", token: "e30.b.c.d.e", reason: claims.ReasonMalformed},
		{
			name: "four dots, header with a fault", reason: claims.ReasonMalformed,
			token: b64([]byte(`{"enc":"A256GCM",}`)) + ".b.c.d.e",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			form := verifier.Explain(t.Context(), tt.token).Checks[0]
			assert.Equal(t, "form", form.Name)
			assert.Equal(t, tt.reason, form.Reason)
		})
	}
}

// What an audience is compared with is said where there is none to compare
// with.
func TestVerifier_Explain_audienceWanted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*claims.Config)
		wanted string
	}{
		{name: "one", wanted: `"https://api.example"`},
		{
			name: "any", wanted: "any",
			change: func(cfg *claims.Config) { cfg.Audiences, cfg.InsecureSkipAudience = nil, true },
		},
		{
			name: "none", wanted: "none",
			change: func(cfg *claims.Config) {
				cfg.Audiences, cfg.Profile, cfg.ClientIDs = nil, claims.Cognito, []string{"shop"}
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := offline(t, tt.change).Explain(t.Context(), forged(head(nil), body(nil)))
			i := slices.IndexFunc(e.Checks, func(c claims.CheckResult) bool { return c.Name == "audience" })
			assert.Equal(t, tt.wanted, e.Checks[i].Wanted)
		})
	}
}

// It makes no request for a token of nobody that is trusted, nor for an
// algorithm that is not accepted.
func TestVerifier_Explain_requests(t *testing.T) {
	t.Parallel()
	issuer := newForgerIssuer(t)
	verifier := newVerifier(t, issuer, nil)
	verifier.Explain(t.Context(), forged(head(nil), body(m{"iss": "https://other.example"})))
	verifier.Explain(t.Context(), forged(head(m{"alg": "none"}), body(nil)))
	newVerifier(t, issuer, func(cfg *claims.Config) {
		cfg.Algorithms = []string{"RS256"}
	}).Explain(t.Context(), forged(head(nil), body(nil)))
	assert.Zero(t, issuer.KeySetRequests())
	assert.NoError(t, verifier.Explain(t.Context(), forged(head(nil), body(nil))).Err)
	assert.Equal(t, 1, issuer.KeySetRequests())
}
