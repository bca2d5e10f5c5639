package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

func explained(t *testing.T, input string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, faults bytes.Buffer
	code = run(t.Context(), append([]string{"explain"}, args...), strings.NewReader(input), &out, &faults)
	return code, out.String(), faults.String()
}

func TestExplain(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	good := issuer.Mint(claimstest.Token{Subject: "alice", ClientID: "shop"})
	file := filepath.Join(t.TempDir(), "jwks.json")
	require.NoError(t, os.WriteFile(file, issuer.KeySet(), 0o600))
	for _, tt := range []struct {
		name  string
		input string
		args  []string
		code  int
		want  []string
	}{
		{name: "accepted", input: good + "\n", want: []string{"accepted", "signature  passed"}},
		{name: "as a header field", input: "Authorization: Bearer " + good, want: []string{"accepted"}},
		{name: "as credentials", input: "bearer " + good, want: []string{"accepted"}},
		{
			name: "by URL", input: good, want: []string{"accepted"},
			args: []string{"-jwks-url", issuer.JWKSURL(), "-audience", claimstest.Audience, "-client", "shop"},
		},
		{
			name: "expired", input: issuer.Mint(claimstest.Token{Lifetime: -1e12}), code: exitBad,
			want: []string{"refused: The access token has expired.", "time       refused: expired"},
		},
		{
			name: "several faults", input: good, code: exitBad,
			args: []string{"-audience", "a", "-audience", "b", "-client", "web", "-typ", "JWT", "-profile", "cognito"},
			want: []string{
				`type       refused: type`, `audience   refused: audience`, `wanted "a" or "b"`,
				`client     refused: client          "shop"; wanted "web"`,
			},
		},
		{name: "nothing", code: exitBad, want: []string{"form       refused: malformed"}},
		{name: "two words", input: good + " " + good, code: exitBad},
		{
			name: "too large", input: strings.Repeat("x", 2*maxInput), code: exitBad,
			want: []string{"refused: too_large"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, out, faults := explained(t, tt.input, append([]string{"-issuer", issuer.URL()}, tt.args...)...)
			assert.Equal(t, tt.code, code)
			assert.Empty(t, faults)
			for _, want := range tt.want {
				assert.Contains(t, out, want)
			}
			if parts := strings.Split(tt.input, "."); len(parts) == 3 {
				assert.NotContains(t, out, strings.TrimSpace(parts[2]))
			}
		})
	}

	other := issuer.Mint(claimstest.Token{Claims: map[string]any{"iss": "https://issuer.example"}})
	code, out, _ := explained(t, other, "-issuer", "https://issuer.example", "-jwks-file", file)
	assert.Equal(t, exitGood, code, out)
}

func TestExplain_issuerDown(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	issuer.Intercept(func(http.Handler) http.Handler { return http.NotFoundHandler() })
	code, out, faults := explained(t, issuer.Mint(claimstest.Token{}), "-issuer", issuer.URL())
	assert.Equal(t, exitUndecided, code)
	assert.Contains(t, out, "key        refused: keys_unavailable")
	assert.Contains(t, faults, "404", "an operator sees why")
}

func TestExplain_usage(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"no issuer":            nil,
		"unknown flag":         {"-nope"},
		"token as an argument": {"-issuer", "https://issuer.example", "a.b.c"},
		"unknown profile":      {"-issuer", "https://issuer.example", "-profile", "x"},
		"plain http":           {"-issuer", "http://issuer.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, faults := explained(t, "", args...)
			assert.Equal(t, exitUsage, code)
			assert.Empty(t, out)
			assert.NotEmpty(t, faults)
		})
	}
	code, _, help := explained(t, "", "-h")
	assert.Equal(t, exitGood, code)
	assert.Contains(t, help, "-issuer")
}
