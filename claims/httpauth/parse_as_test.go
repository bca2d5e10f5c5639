package httpauth_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// parsedAs are fields of other names than Authorization and what they hold.
var parsedAs = map[string]struct {
	scheme string
	fields []string
	want   claims.Credentials
	reason claims.Reason
}{
	"raw":                    {"", []string{"abc"}, claims.Credentials{Scheme: "Bearer", Token: "abc"}, ""},
	"raw, white space":       {"", []string{" \tabc "}, claims.Credentials{Scheme: "Bearer", Token: "abc"}, ""},
	"raw, none":              {"", nil, claims.Credentials{}, noToken},
	"raw, empty":             {"", []string{""}, claims.Credentials{}, noToken},
	"raw, white space alone": {"", []string{" \t"}, claims.Credentials{}, noToken},
	"raw, several":           {"", []string{"abc", "abc"}, claims.Credentials{}, claims.ReasonSeveralCredentials},
	"raw, empty and token":   {"", []string{"", "abc"}, claims.Credentials{}, claims.ReasonSeveralCredentials},
	"raw, with a scheme":     {"", []string{"Bearer abc"}, claims.Credentials{}, malformed},
	"raw, list":              {"", []string{"abc, def"}, claims.Credentials{}, malformed},
	"raw, padding alone":     {"", []string{"=="}, claims.Credentials{}, malformed},
	"Bearer":                 {"Bearer", []string{"bearer abc"}, claims.Credentials{Scheme: "bearer", Token: "abc"}, ""},
	"Bearer, DPoP":           {"bearer", []string{"DPoP abc"}, claims.Credentials{Scheme: "DPoP", Token: "abc"}, ""},
	"Bearer, token alone":    {"Bearer", []string{"a.b.c"}, claims.Credentials{}, malformed},
	"Token":                  {"Token", []string{"tOKEN abc"}, claims.Credentials{Scheme: "Bearer", Token: "abc"}, ""},
	"Token, alone":           {"Token", []string{"Token "}, claims.Credentials{}, noToken},
	"Token, none":            {"Token", nil, claims.Credentials{}, noToken},
	"Token, several":         {"Token", []string{"Token a", "Token a"}, claims.Credentials{}, claims.ReasonSeveralCredentials},
	"Token, Bearer":          {"Token", []string{"Bearer abc"}, claims.Credentials{}, claims.ReasonUnsupportedScheme},
	"Token, DPoP":            {"Token", []string{"DPoP abc"}, claims.Credentials{}, claims.ReasonUnsupportedScheme},
	"Token, two words":       {"Token", []string{"Token abc def"}, claims.Credentials{}, malformed},
	"DPoP":                   {"dpop", []string{"DPoP abc"}, claims.Credentials{Scheme: "DPoP", Token: "abc"}, ""},
	"DPoP, Bearer":           {"DPoP", []string{"Bearer abc"}, claims.Credentials{}, claims.ReasonUnsupportedScheme},
}

func TestParseAs(t *testing.T) {
	t.Parallel()
	for name, tt := range parsedAs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := httpauth.ParseAs(tt.scheme, tt.fields)
			if err == nil && tt.reason != "" { // a guard looks at the characters
				_, err = decide(t, anybody{}, got)
			}
			if tt.reason != "" {
				require.Error(t, err)
				assert.Equal(t, tt.reason, claims.AsError(err).Reason())
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

// Whatever the fields are, there is one credential or a refusal that is not the
// server's fault, and what is accepted stands in the one field.
func FuzzParseAs(f *testing.F) {
	for _, tt := range parsedAs {
		f.Add(tt.scheme, strings.Join(tt.fields, "\n"), len(tt.fields) > 0)
	}
	f.Fuzz(func(t *testing.T, scheme, joined string, some bool) {
		var fields []string
		if some {
			fields = strings.Split(joined, "\n")
		}
		got, err := httpauth.ParseAs(scheme, fields)
		if err != nil {
			assert.Zero(t, got)
			assert.NotErrorIs(t, err, claims.ErrUnavailable)
			return
		}
		require.Len(t, fields, 1)
		assert.NotEmpty(t, got.Token)
		assert.Contains(t, fields[0], got.Token)
		assert.NotEmpty(t, got.Scheme)
	})
}
