package claims_test

import (
	"encoding/json"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// Scopes are compared exactly.
func TestScopes_tricks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		scope any
	}{
		{name: "none", scope: ""},
		{name: "empty array", scope: []string{}},
		{name: "superstring", scope: "orders:read:all orders:reader xorders:read"},
		{name: "prefix", scope: "orders orders: orders:rea"},
		{name: "suffix", scope: "read :read rders:read"},
		{name: "upper case", scope: "Orders:Read ORDERS:READ"},
		{name: "wildcards", scope: "* orders:* *:read orders.* .* orders:rea?"},
		{name: "commas", scope: "orders:read,orders:write"},
		{name: "tab", scope: "x\torders:read\ty"},
		{name: "tab before it", scope: "\torders:read"},
		{name: "line break", scope: "x\norders:read"},
		{name: "no-break space", scope: "x\u00a0orders:read"},
		{name: "NUL", scope: "orders:read\x00"},
		{name: "zero-width space", scope: "orders:read\u200b"},
		{name: "quotes", scope: `"orders:read"`},
		{name: "minus", scope: "-orders:read"},
		{name: "Cyrillic", scope: "\u043erders:read"},
		{name: "full-width colon", scope: "orders\uff1aread"},
		{name: "URL-encoded", scope: "orders%3Aread"},
		{name: "element with a space", scope: []string{"orders:read orders:write"}},
		{name: "element with spaces around", scope: []string{" orders:read "}},
		{name: "elements that join", scope: []string{"orders:", "read"}},
		{name: "empty element", scope: []string{"", " "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			caller := callerWith(t, tt.scope)
			assert.False(t, caller.HasScope("orders:read"))
			for _, needs := range []claims.Requirement{
				claims.Scopes("orders:read"), claims.AnyScope("orders:read"),
				claims.AnyScope("orders:read", "orders:write"),
				claims.All(claims.Scopes("orders:read")), claims.AnyOf(claims.Scopes("orders:read")),
			} {
				err := needs.Check(t.Context(), caller)
				assert.ErrorIs(t, err, claims.ErrInsufficientScope, "%v", needs)
			}
		})
	}
	for _, scope := range []any{
		"orders:read", " orders:read ", "x  orders:read y", []string{"orders:read"},
		[]string{"x y", "orders:read"},
	} {
		assert.NoError(t, claims.Scopes("orders:read").Check(t.Context(), callerWith(t, scope)))
	}
}

func TestACR(t *testing.T) {
	t.Parallel()
	const gold, silver = "urn:example:gold", "urn:example:silver"
	for _, tt := range []struct {
		name  string
		token string // members of the token
		needs claims.Requirement
		holds bool
	}{
		{name: "held", token: `"acr":"urn:example:gold"`, needs: claims.ACR(gold), holds: true},
		{name: "one of several", token: `"acr":"urn:example:silver"`, needs: claims.ACR(gold, silver), holds: true},
		{name: "escaped", token: `"acr":"urn:example:\u0067old"`, needs: claims.ACR(gold), holds: true},
		{name: "another", token: `"acr":"urn:example:silver"`, needs: claims.ACR(gold)},
		{name: "missing", token: `"sub":"alice"`, needs: claims.ACR(gold)},
		{name: "empty", token: `"acr":""`, needs: claims.ACR(gold)},
		{name: "null", token: `"acr":null`, needs: claims.ACR(gold)},
		{name: "array", token: `"acr":["urn:example:gold"]`, needs: claims.ACR(gold)},
		{name: "object", token: `"acr":{"urn:example:gold":1}`, needs: claims.ACR(gold)},
		{name: "number", token: `"acr":1`, needs: claims.ACR("1")},
		{name: "true", token: `"acr":true`, needs: claims.ACR("true")},
		{name: "other case", token: `"acr":"URN:example:gold"`, needs: claims.ACR(gold)},
		{name: "prefix", token: `"acr":"urn:example:gol"`, needs: claims.ACR(gold)},
		{name: "superstring", token: `"acr":"urn:example:gold2"`, needs: claims.ACR(gold)},
		{name: "list in a string", token: `"acr":"urn:example:gold urn:example:silver"`, needs: claims.ACR(gold, silver)},
		{name: "space around", token: `"acr":" urn:example:gold "`, needs: claims.ACR(gold)},
		{name: "NUL behind", token: `"acr":"urn:example:gold\u0000"`, needs: claims.ACR(gold)},
		{name: "wildcard", token: `"acr":"*"`, needs: claims.ACR(gold)},
		{name: "elsewhere", token: `"acr_values":"urn:example:gold","amr":["urn:example:gold"]`, needs: claims.ACR(gold)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			caller, err := claims.FromJSON([]byte("{"+tt.token+"}"), claims.Config{})
			require.NoError(t, err)
			err = tt.needs.Check(t.Context(), caller)
			if tt.holds {
				require.NoError(t, err)
				return
			}
			refusal := assertRefusal(t, claims.ErrInsufficientAuthentication, err)
			assert.Equal(t, claims.ReasonAuthentication, refusal.Reason())
			assert.Empty(t, refusal.Scope())
			assert.NotEmpty(t, refusal.ACRValues())
			assert.Zero(t, refusal.MaxAge())
		})
	}
	refusal := claims.AsError(claims.ACR(gold, silver).Check(t.Context(), callerWith(t, "")))
	assert.Equal(t, gold+" "+silver, refusal.ACRValues(), "in the order of preference")
}

// The age of an authentication is compared with the clock, with no leeway.
func TestMaxAge_boundary(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		caller := says(t, m{"auth_time": time.Now().Unix()})
		needs := claims.MaxAge(5 * time.Minute)
		require.NoError(t, needs.Check(t.Context(), caller), "at once")
		time.Sleep(5 * time.Minute)
		require.NoError(t, needs.Check(t.Context(), caller), "at its end")
		time.Sleep(time.Nanosecond)
		refusal := assertRefusal(t, claims.ErrInsufficientAuthentication, needs.Check(t.Context(), caller))
		assert.Equal(t, 5*time.Minute, refusal.MaxAge())
		assert.Empty(t, refusal.ACRValues())
		assert.Empty(t, refusal.Scope())
	})
}

// One that lies ahead counts for as far as a clock may be wrong.
func TestMaxAge_ahead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		needs := claims.MaxAge(time.Second)
		caller := says(t, m{"auth_time": time.Now().Add(5 * time.Minute).Unix()})
		require.NoError(t, needs.Check(t.Context(), caller))
		caller = says(t, m{"auth_time": time.Now().Add(5*time.Minute + time.Second).Unix()})
		assertRefusal(t, claims.ErrInsufficientAuthentication, needs.Check(t.Context(), caller))
		time.Sleep(time.Second)
		require.NoError(t, needs.Check(t.Context(), caller))
		time.Sleep(5*time.Minute + time.Second)
		require.NoError(t, needs.Check(t.Context(), caller))
		time.Sleep(time.Nanosecond)
		assertRefusal(t, claims.ErrInsufficientAuthentication, needs.Check(t.Context(), caller))
	})
}

func TestMaxAge_garbage(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"null": "null", "string": `"1700000000"`, "array": "[1700000000]", "object": "{}",
		"true": "true", "negative": "-1", "zero": "0", "far ahead": "9999999999",
		"beyond any clock": "99999999999999999999", "beyond any number": "1e400",
		"the zero of time": "-62135596800", "empty string": `""`, "milliseconds": "4102444800000",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			caller, err := claims.FromJSON([]byte(`{"auth_time":`+value+`}`), claims.Config{})
			if err != nil { // what is no number is no JSON
				return
			}
			for _, d := range []time.Duration{time.Second, 24 * time.Hour, time.Hour * 24 * 365 * 20} {
				assertRefusal(t, claims.ErrInsufficientAuthentication, claims.MaxAge(d).Check(t.Context(), caller))
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		longest := claims.MaxAge(math.MaxInt64 / time.Second * time.Second)
		require.NoError(t, longest.Validate())
		assertRefusal(t, claims.ErrInsufficientAuthentication,
			longest.Check(t.Context(), says(t, m{"iat": time.Now().Unix()})))
	})
}

// What nobody needs may be of any type, and says nothing of who needs it.
func TestAuthentication_ofAnyType(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`1`, `"x"`, `null`, `[]`, `{}`, `true`, `"1"`, `[{"a":[]}]`} {
		caller, err := claims.FromJSON([]byte(`{"acr":`+value+`,"auth_time":`+value+`,"scope":"a"}`), claims.Config{})
		require.NoError(t, err, value)
		assert.NoError(t, claims.Scopes("a").Check(t.Context(), caller), value)
	}
}

func TestAuthentication_invalid(t *testing.T) {
	t.Parallel()
	now, err := json.Marshal(m{"auth_time": time.Now().Unix(), "acr": ""})
	require.NoError(t, err)
	caller, err := claims.FromJSON(now, claims.Config{})
	require.NoError(t, err)
	for name, needs := range map[string]claims.Requirement{
		"no value":         claims.ACR(),
		"empty value":      claims.ACR(""),
		"one of two empty": claims.ACR("a", ""),
		"space":            claims.ACR("a b"),
		"quote":            claims.ACR(`a"`),
		"line break":       claims.ACR("a\r\nX: y"),
		"beyond ASCII":     claims.ACR("é"),
		"no time":          claims.MaxAge(0),
		"negative":         claims.MaxAge(-time.Second),
		"half a second":    claims.MaxAge(time.Second / 2),
		"one and a half":   claims.MaxAge(3 * time.Second / 2),
		"no common acr":    claims.All(claims.ACR("a"), claims.ACR("b")),
		"none, nested":     claims.All(claims.ACR("a"), claims.All(claims.Scopes("x"), claims.ACR("b"))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Error(t, needs.Validate())
			assertRefusal(t, claims.ErrForbidden, needs.Check(t.Context(), caller))
		})
	}
	for name, needs := range map[string]claims.Requirement{
		"a common acr":    claims.All(claims.ACR("a", "b"), claims.ACR("b", "c")),
		"by alternatives": claims.AnyOf(claims.ACR("a"), claims.ACR("b")),
		"a second":        claims.MaxAge(time.Second),
	} {
		assert.NoError(t, needs.Validate(), name)
	}
}
