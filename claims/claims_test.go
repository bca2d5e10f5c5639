package claims_test

import (
	"bytes"
	"fmt"
	"log"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

func TestFromJSON(t *testing.T) {
	t.Parallel()
	caller, err := claims.FromJSON([]byte(`{
		"iss": "https://issuer.example", "sub": "alice", "aud": ["a", "b"], "client_id": "shop",
		"exp": 1700000300, "nbf": 1700000000.5, "iat": 1.7e9, "jti": "1", "scope": "read write",
		"tenant": "t1", "limits": {"orders": 3}
	}`), claims.Config{})
	require.NoError(t, err)
	assert.Equal(t, "https://issuer.example", caller.Issuer())
	assert.Equal(t, "alice", caller.Subject())
	assert.Equal(t, "shop", caller.ClientID())
	assert.Equal(t, "1", caller.ID())
	assert.Equal(t, []string{"a", "b"}, caller.Audience())
	assert.Equal(t, []string{"read", "write"}, caller.Scopes())
	assert.True(t, caller.ExpiresAt().Equal(time.Unix(1_700_000_300, 0)))
	assert.True(t, caller.NotBefore().Equal(time.Unix(1_700_000_000, 5e8)))
	assert.True(t, caller.IssuedAt().Equal(time.Unix(1_700_000_000, 0)))
	assert.True(t, caller.HasScope("read"))
	assert.False(t, caller.HasScope("read write"))
	assert.False(t, caller.HasScope(""))

	var mine struct {
		Tenant string
		Limits struct{ Orders int }
	}
	require.NoError(t, caller.Decode(&mine))
	assert.Equal(t, "t1", mine.Tenant)
	assert.Equal(t, 3, mine.Limits.Orders)
	assert.Error(t, caller.Decode(nil))
	assert.Error(t, caller.Decode(&struct{ Tenant int }{}))
}

func TestFromJSON_empty(t *testing.T) {
	t.Parallel()
	caller, err := claims.FromJSON([]byte(`{}`), claims.Config{})
	require.NoError(t, err)
	assert.Empty(t, caller.Issuer())
	assert.Empty(t, caller.Subject())
	assert.Empty(t, caller.ClientID())
	assert.Empty(t, caller.ID())
	assert.Empty(t, caller.Audience())
	assert.Empty(t, caller.Scopes())
	assert.True(t, caller.ExpiresAt().IsZero())
	assert.True(t, caller.NotBefore().IsZero())
	assert.True(t, caller.IssuedAt().IsZero())
	assert.False(t, caller.HasScope(""))
}

func TestFromJSON_refuses(t *testing.T) {
	t.Parallel()
	for _, object := range []string{
		``, `null`, `[]`, `"hunter2"`, `{"sub":"hunter2"`, `{"sub":1,"x":"hunter2"}`, `{"exp":"hunter2"}`,
		`{"x":"hunter2","x":1}`, `{"Sub":"hunter2"}`, `{"aZp":"hunter2"}`, `{"sub":"hunter2"}}`, "{\"sub\":\"hunter2\xff\"}",
	} {
		caller, err := claims.FromJSON([]byte(object), claims.Config{})
		assert.Nil(t, caller, object)
		if assert.Error(t, err, object) {
			assert.NotContains(t, err.Error(), "hunter2")
		}
	}
}

// The bytes are the caller's own again.
func TestFromJSON_copies(t *testing.T) {
	t.Parallel()
	object := []byte(`{"sub":"alice","scope":"read"}`)
	caller, err := claims.FromJSON(object, claims.Config{})
	require.NoError(t, err)
	clear(object)
	assert.Equal(t, "alice", caller.Subject())
	assert.True(t, caller.HasScope("read"))
	var mine struct{ Sub string }
	require.NoError(t, caller.Decode(&mine))
	assert.Equal(t, "alice", mine.Sub)
}

func TestClaims_immutable(t *testing.T) {
	t.Parallel()
	caller, err := claims.FromJSON([]byte(`{"aud":["a","b"],"scope":"read write"}`), claims.Config{})
	require.NoError(t, err)
	audience, scopes := caller.Audience(), caller.Scopes()
	audience[0], scopes[0] = "x", "x"
	_, _ = append(audience[:1], "y"), append(scopes[:1], "y")
	assert.Equal(t, []string{"a", "b"}, caller.Audience())
	assert.Equal(t, []string{"read", "write"}, caller.Scopes())
	assert.False(t, caller.HasScope("x"))
}

func TestClaims_scopesAndClient(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		object   string
		scopes   []string
		clientID string
	}{
		{name: "scope a string", object: `{"scope":"a b"}`, scopes: []string{"a", "b"}},
		{name: "scope an array", object: `{"scope":["a","b"]}`, scopes: []string{"a", "b"}},
		{name: "scp a string", object: `{"scp":"a b"}`, scopes: []string{"a", "b"}},
		{name: "scp an array", object: `{"scp":["a","b"]}`, scopes: []string{"a", "b"}},
		{name: "spaces", object: `{"scope":"  a   b "}`, scopes: []string{"a", "b"}},
		{name: "element with a space", object: `{"scp":["a b"]}`, scopes: []string{"a b"}},
		{name: "repeated", object: `{"scope":"a a"}`, scopes: []string{"a", "a"}},
		{name: "both, scope first", object: `{"scope":"a","scp":"b"}`, scopes: []string{"a"}},
		{name: "both, scp first", object: `{"scp":["b"],"scope":["a"]}`, scopes: []string{"a"}},
		// There is a scope, and it grants nothing.
		{name: "scope empty beside scp", object: `{"scope":"","scp":"b"}`, scopes: []string{}},
		{name: "scope empty array beside scp", object: `{"scope":[],"scp":"b"}`, scopes: []string{}},
		{name: "scope empty", object: `{"scope":""}`, scopes: []string{}},
		{name: "scopes is not scope", object: `{"scopes":"a"}`},
		{name: "client_id", object: `{"client_id":"shop"}`, clientID: "shop"},
		{name: "azp", object: `{"azp":"shop"}`, clientID: "shop"},
		{name: "client_id before azp", object: `{"azp":"x","client_id":"shop"}`, clientID: "shop"},
		{name: "azp after client_id", object: `{"client_id":"shop","azp":"x"}`, clientID: "shop"},
		{name: "neither is the subject", object: `{"sub":"shop","cid":"shop","appid":"shop"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			caller, err := claims.FromJSON([]byte(tt.object), claims.Config{})
			require.NoError(t, err)
			assert.Equal(t, append([]string{}, tt.scopes...), caller.Scopes())
			assert.Equal(t, tt.clientID, caller.ClientID())
			for _, scope := range tt.scopes {
				assert.True(t, caller.HasScope(scope))
			}
		})
	}
}

func TestClaims_String(t *testing.T) {
	t.Parallel()
	caller, err := claims.FromJSON([]byte(
		`{"iss":"https://issuer.example","sub":"alice","scope":"hunter2","email":"hunter2"}`), claims.Config{})
	require.NoError(t, err)
	for _, format := range []string{"%v", "%+v", "%s", "%q"} {
		text := fmt.Sprintf(format, caller)
		assert.Contains(t, text, "https://issuer.example")
		assert.Contains(t, text, "alice")
		assert.NotContains(t, text, "hunter2", format)
	}
	var b bytes.Buffer
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "caller", caller)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "caller", caller)
	assert.NotContains(t, b.String(), "hunter2")
}

// Whatever way a Request gets into a log, its token does not.
func TestRequest_redacted(t *testing.T) {
	t.Parallel()
	request := claims.Credentials{Scheme: "Bearer", Token: "hunter2"}
	assert.Equal(t, "claims.Credentials{Bearer [redacted]}", request.String())
	assert.Equal(t, "claims.Credentials{Bearer [redacted]}", request.GoString())
	nested := struct{ R claims.Credentials }{request}
	hexadecimal := fmt.Sprintf("%x", "hunter2")
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X"} {
		for _, v := range []any{request, &request, nested, []claims.Credentials{request}} {
			text := fmt.Sprintf(format, v)
			assert.NotContains(t, text, "hunter2", format)
			assert.NotContains(t, strings.ToLower(text), hexadecimal, format)
		}
	}
	var b bytes.Buffer
	log.New(&b, "", 0).Println(request, &request, nested)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "request", request, "pointer", &request)
	assert.NotContains(t, b.String(), "hunter2")
}

func TestRequest_redactedInJSON(t *testing.T) {
	t.Parallel()
	request := claims.Credentials{Scheme: "Bearer", Token: "hunter2"}
	var b bytes.Buffer
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "request", request, "pointer", &request)
	assert.NotContains(t, b.String(), "hunter2")
}
