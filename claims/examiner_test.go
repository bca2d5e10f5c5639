package claims_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

const examined = "https://issuer.example"

// examiner returns an Examiner of the issuer and audience of these tests.
func examiner(t testing.TB, edit func(*claims.Config)) *claims.Examiner {
	t.Helper()
	cfg := claims.Config{Issuer: examined, Audiences: []string{"api"}}
	if edit != nil {
		edit(&cfg)
	}
	e, err := claims.NewExaminer(cfg)
	require.NoError(t, err)
	return e
}

// Claims that are vouched for are held to the same rules as a token's.
func TestExaminer_examine(t *testing.T) {
	t.Parallel()
	now := time.Now()
	in := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for _, tt := range []struct {
		name   string
		claims m
		edit   func(*claims.Config)
		reason claims.Reason // empty if they are accepted
	}{
		{name: "all", claims: m{"iss": examined, "sub": "alice", "aud": "api", "exp": in(time.Hour), "iat": in(-time.Minute)}},
		{name: "no issuer", claims: m{"sub": "alice", "aud": []string{"other", "api"}, "exp": in(time.Hour)}},
		{name: "no end", claims: m{"aud": "api"}},
		{name: "another issuer", claims: m{"iss": "https://other.example", "aud": "api"}, reason: claims.ReasonIssuer},
		{name: "empty issuer", claims: m{"iss": "", "aud": "api"}, reason: claims.ReasonIssuer},
		{name: "issuer a number", claims: m{"iss": 1, "aud": "api"}, reason: claims.ReasonMalformed},
		{name: "expired", claims: m{"aud": "api", "exp": in(-time.Minute)}, reason: claims.ReasonExpired},
		{name: "expired within the leeway", claims: m{"aud": "api", "exp": in(-10 * time.Second)}},
		{name: "not yet", claims: m{"aud": "api", "nbf": in(time.Hour)}, reason: claims.ReasonNotYetValid},
		{name: "issued later", claims: m{"aud": "api", "iat": in(time.Hour)}, reason: claims.ReasonNotYetValid},
		{name: "no audience", claims: m{"sub": "alice"}, reason: claims.ReasonAudience},
		{name: "another audience", claims: m{"aud": "other"}, reason: claims.ReasonAudience},
		{name: "any audience", claims: m{"aud": "other"}, edit: func(cfg *claims.Config) {
			cfg.Audiences, cfg.InsecureSkipAudience = nil, true
		}},
		{name: "an end is required", claims: m{"aud": "api"}, reason: claims.ReasonClaims, edit: func(cfg *claims.Config) {
			cfg.RequiredClaims = []string{"exp"}
		}},
		{name: "a lifetime", claims: m{"aud": "api", "iat": in(0)}, reason: claims.ReasonClaims, edit: func(cfg *claims.Config) {
			cfg.MaxLifetime = time.Hour
		}},
		{name: "too old", claims: m{"aud": "api", "iat": in(-2 * time.Hour)}, reason: claims.ReasonTooOld, edit: func(cfg *claims.Config) {
			cfg.MaxTokenAge = time.Hour
		}},
		{name: "ID token", claims: m{"aud": "api", "at_hash": "x"}, reason: claims.ReasonType},
		{name: "events", claims: m{"aud": "api", "events": m{}}, reason: claims.ReasonType},
		{name: "another use", claims: m{"aud": "api", "token_use": "refresh_token"}, reason: claims.ReasonType, edit: func(cfg *claims.Config) {
			cfg.ClaimValues = map[string][]string{"token_use": {"access_token"}}
		}},
		{name: "client", claims: m{"aud": "api", "client_id": "shop"}, edit: func(cfg *claims.Config) { cfg.ClientIDs = []string{"shop"} }},
		{name: "another client", claims: m{"aud": "api", "client_id": "x"}, reason: claims.ReasonClient, edit: func(cfg *claims.Config) {
			cfg.ClientIDs = []string{"shop"}
		}},
		{name: "case", claims: m{"aud": "api", "Sub": "root"}, reason: claims.ReasonMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) { // not in parallel: now is to be near
			caller, err := examiner(t, tt.edit).Examine(t.Context(), encodeJSON(tt.claims))
			if tt.reason == "" {
				require.NoError(t, err)
				assert.Equal(t, examined, caller.Issuer())
				return
			}
			require.ErrorIs(t, err, claims.ErrInvalidToken)
			assert.Equal(t, tt.reason, claims.AsError(err).Reason(), "%v", errors.Unwrap(claims.AsError(err)))
			assert.Nil(t, caller)
		})
	}
	for _, text := range []string{"", "null", "[]", `{"aud":"api"`, `{"aud":"api","aud":"api"}`} {
		_, err := examiner(t, nil).Examine(t.Context(), []byte(text))
		require.ErrorIs(t, err, claims.ErrInvalidToken, text)
	}
}

// What claims mean is the Config's to say.
func TestExaminer_meaning(t *testing.T) {
	t.Parallel()
	e := examiner(t, func(cfg *claims.Config) {
		cfg.ScopeMap = map[string][]string{"admin": {"read"}}
		cfg.PermissionClaims = []string{"roles"}
		cfg.PermissionMap = map[string][]string{"clerk": {"refund"}}
		cfg.ClientIDClaim = "app"
		cfg.MaxTokenAge = time.Hour
	})
	now := time.Now().Truncate(time.Second)
	caller, err := e.Examine(t.Context(), encodeJSON(m{
		"aud": "api", "scope": "admin", "roles": []string{"clerk", "x"}, "app": "shop", "iat": now.Unix(),
	}))
	require.NoError(t, err)
	assert.Equal(t, []string{"admin", "read"}, caller.Scopes())
	assert.Equal(t, []string{"refund"}, caller.Permissions())
	assert.Equal(t, "shop", caller.ClientID())
	assert.True(t, now.Add(time.Hour+30*time.Second).Equal(caller.ValidUntil()), "%v", caller.ValidUntil())
	caller, err = examiner(t, nil).Examine(t.Context(), []byte(`{"aud":"api"}`))
	require.NoError(t, err)
	assert.True(t, caller.ValidUntil().IsZero())
}

// A token that is no JWT is bound as one is.
func TestExaminer_binding(t *testing.T) {
	t.Parallel()
	with := func(list ...claims.Confirmer) *claims.Examiner {
		return examiner(t, func(cfg *claims.Config) { cfg.Confirmers = list })
	}
	by := with(byProof("jkt", "DPoP"), byProof("x5t#S256", "Bearer"), byProof("mac", "MAC"))
	plain, jkt, both := m{"sub": "alice"}, m{"cnf": m{"jkt": "j"}}, m{"cnf": m{"jkt": "j", "x5t#S256": "x"}}
	for _, tt := range []struct {
		name   string
		caller m
		c      claims.Credentials
		by     *claims.Examiner
		proven bool
	}{
		{name: "not bound", caller: plain, c: bearer("t"), by: by, proven: true},
		{name: "not bound, in another case", caller: plain, c: proving("BEARER", "t"), by: by, proven: true},
		{name: "not bound, under DPoP", caller: plain, c: proving("DPoP", "t", "j"), by: by},
		{name: "DPoP", caller: jkt, c: proving("dpop", "t", "j"), by: by, proven: true},
		{name: "DPoP, another key", caller: jkt, c: proving("DPoP", "t", "k"), by: by},
		{name: "DPoP, no proof", caller: jkt, c: claims.Credentials{Scheme: "DPoP", Token: "t"}, by: by},
		{name: "DPoP as Bearer", caller: jkt, c: proving("Bearer", "t", "j"), by: by},
		{name: "both", caller: both, c: proving("DPoP", "t", "j", "x"), by: by, proven: true},
		{name: "both, one missing", caller: both, c: proving("DPoP", "t", "j"), by: by},
		{name: "unknown member", caller: m{"cnf": m{"jkt": "j", "y": "y"}}, c: proving("DPoP", "t", "j", "y"), by: by},
		{name: "empty", caller: m{"cnf": m{}}, c: bearer("t"), by: by},
		{name: "null", caller: m{"cnf": nil}, c: bearer("t"), by: by},
		{name: "no Confirmer, not bound", caller: plain, c: bearer("t"), by: with(), proven: true},
		{name: "no Confirmer, bound", caller: both, c: proving("Bearer", "t", "j", "x"), by: with()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.caller["aud"] = "api"
			caller, err := tt.by.Examine(t.Context(), encodeJSON(tt.caller))
			require.NoError(t, err)
			for range 2 { // each use
				err := tt.by.Admit(t.Context(), caller, tt.c)
				if tt.proven {
					require.NoError(t, err)
					continue
				}
				require.ErrorIs(t, err, claims.ErrInvalidToken)
				assert.Equal(t, claims.ReasonBinding, claims.AsError(err).Reason())
			}
		})
	}
	for _, scheme := range []string{"Bearer", "bEARER", "dpop", "MAC"} {
		assert.NoError(t, by.Takes(scheme))
	}
	for _, scheme := range []string{"Basic", "", "Bearer2"} {
		require.ErrorIs(t, by.Takes(scheme), claims.ErrNoToken)
		require.ErrorIs(t, by.Takes(scheme), claims.ErrUnrecognized)
	}
	require.Error(t, with().Takes("DPoP"))
}

// Each use asks for the time and Config.Check, and so does what lasts, which
// ends too if the token means something else by now.
func TestExaminer_eachUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var fault error
		e := examiner(t, func(cfg *claims.Config) {
			cfg.Leeway = -1
			cfg.Check = func(_ context.Context, caller *claims.Claims) error {
				assert.Equal(t, "alice", caller.Subject())
				return fault
			}
		})
		said := m{"sub": "alice", "aud": "api", "scope": "a b", "client_id": "shop", "exp": time.Now().Add(time.Minute).Unix()}
		caller, err := e.Examine(t.Context(), encodeJSON(said))
		require.NoError(t, err)
		both := func() (admit, recheck error) {
			return e.Admit(t.Context(), caller, bearer("t")), e.Recheck(t.Context(), caller, caller)
		}
		admit, recheck := both()
		require.NoError(t, admit)
		require.NoError(t, recheck)
		for _, fault = range []error{errors.New("revoked"), claims.ErrUnavailable} {
			want := claims.ErrInvalidToken
			if errors.Is(fault, claims.ErrUnavailable) {
				want = claims.ErrUnavailable
			}
			admit, recheck = both()
			require.ErrorIs(t, admit, want)
			require.ErrorIs(t, recheck, want)
		}
		fault = nil
		for name, value := range map[string]any{"scope": "a", "client_id": "other", "note": "x"} {
			changed := m{}
			for name, value := range said {
				changed[name] = value
			}
			changed[name] = value
			now, err := e.Examine(t.Context(), encodeJSON(changed))
			require.NoError(t, err)
			err = e.Recheck(t.Context(), caller, now)
			if name == "note" {
				require.NoError(t, err, "what nobody decides by")
				continue
			}
			require.ErrorIs(t, err, claims.ErrInvalidToken, name)
		}
		time.Sleep(time.Minute)
		admit, recheck = both()
		assert.Equal(t, claims.ReasonExpired, claims.AsError(admit).Reason())
		assert.Equal(t, claims.ReasonExpired, claims.AsError(recheck).Reason())
	})
}

func TestNewExaminer_reportsAll(t *testing.T) {
	t.Parallel()
	_, err := claims.NewExaminer(claims.Config{Confirmers: []claims.Confirmer{nil}, Leeway: time.Hour})
	require.Error(t, err)
	for _, want := range []string{"Config.Issuer is required", "Config.Audiences is required", "Config.Confirmers[0] is nil", "Config.Leeway"} {
		assert.ErrorContains(t, err, want)
	}
	_, err = claims.NewExaminer(claims.Config{
		Issuer: "https://issuer.example/{tenant}/v2", Audiences: []string{"api"}, Keys: newIssuerKeys{},
		TrustTenant: func(string) bool { return true },
	})
	require.ErrorContains(t, err, "leaves a segment open")
	var zero claims.Examiner
	_, err = zero.Examine(t.Context(), []byte(`{}`))
	require.ErrorIs(t, err, claims.ErrUnavailable)
	require.ErrorIs(t, zero.Takes("Bearer"), claims.ErrUnavailable)
	require.ErrorIs(t, zero.Admit(t.Context(), nil, bearer("t")), claims.ErrUnavailable)
	require.ErrorIs(t, zero.Recheck(t.Context(), nil, nil), claims.ErrUnavailable)
}

// newIssuerKeys are keys of nobody.
type newIssuerKeys struct{ claims.KeySource }

// Each use of a token costs no allocation where nothing is to be asked.
func TestBudget_Examiner_Admit(t *testing.T) {
	e := examiner(t, nil)
	caller, err := e.Examine(t.Context(), []byte(`{"aud":"api","sub":"alice"}`))
	require.NoError(t, err)
	c := bearer("t")
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = e.Admit(t.Context(), caller, c) }))
}
