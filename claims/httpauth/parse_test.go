package httpauth_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// parsed are Authorization fields and what they hold: a request or a reason.
var parsed = map[string]struct {
	fields []string
	scheme string
	token  string
	reason claims.Reason
}{
	"none":             {nil, "", "", noToken},
	"several":          {[]string{"Bearer a", "Bearer a"}, "", "", claims.ReasonSeveralCredentials},
	"token":            {[]string{"Bearer abc"}, "Bearer", "abc", ""},
	"any case":         {[]string{"bEARER abc"}, "bEARER", "abc", ""},
	"several spaces":   {[]string{"Bearer   abc"}, "Bearer", "abc", ""},
	"every character":  {[]string{"Bearer aZ09-._~+/=="}, "Bearer", "aZ09-._~+/==", ""},
	"other scheme":     {[]string{"Digest a=b, c=d"}, "Digest", "a=b, c=d", ""},
	"empty":            {[]string{""}, "", "", noToken},
	"space":            {[]string{" "}, "", "", noToken},
	"white space":      {[]string{" \t "}, "", "", noToken},
	"Bearer alone":     {[]string{"Bearer"}, "", "", noToken},
	"no token":         {[]string{"Bearer "}, "", "", noToken},
	"alone, any case":  {[]string{"bEARER   "}, "", "", noToken},
	"DPoP alone":       {[]string{"DPoP"}, "", "", noToken},
	"Negotiate alone":  {[]string{"Negotiate"}, "", "", noToken},
	"digits, hyphens":  {[]string{"SCRAM-SHA-256 "}, "", "", noToken},
	"empty twice":      {[]string{"", ""}, "", "", claims.ReasonSeveralCredentials},
	"empty and token":  {[]string{"", "Bearer a"}, "", "", claims.ReasonSeveralCredentials},
	"alone, a comma":   {[]string{"Bearer,"}, "", "", malformed},
	"alone, quoted":    {[]string{`"Bearer"`}, "", "", malformed},
	"alone, tab":       {[]string{"Bearer\t"}, "", "", malformed},
	"alone, NUL":       {[]string{"Bearer\x00"}, "", "", malformed},
	"alone, [":         {[]string{"[Bearer]"}, "", "", malformed},
	"alone, too long":  {[]string{strings.Repeat("a", 33)}, "", "", malformed},
	"token alone":      {[]string{"abc.def.ghi"}, "", "", malformed},
	"leading space":    {[]string{" Bearer abc"}, "", "", malformed},
	"trailing space":   {[]string{"Bearer abc "}, "", "", malformed},
	"tab":              {[]string{"Bearer\tabc"}, "", "", malformed},
	"two tokens":       {[]string{"Bearer abc def"}, "", "", malformed},
	"list":             {[]string{"Bearer abc, Bearer def"}, "", "", malformed},
	"quoted":           {[]string{`Bearer "abc"`}, "", "", malformed},
	"line break":       {[]string{"Bearer abc\r\ndef"}, "", "", malformed},
	"padding within":   {[]string{"Bearer a=b"}, "", "", malformed},
	"padding alone":    {[]string{"Bearer =="}, "", "", malformed},
	"beyond ASCII":     {[]string{"Bearer ä"}, "", "", malformed},
	"token for scheme": {[]string{strings.Repeat("a", 33) + " b"}, "", "", malformed},
}

const (
	noToken   = claims.ReasonNoToken
	malformed = claims.ReasonMalformedCredentials
)

// anybody accepts what it is given.
type anybody struct{}

func (anybody) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return claims.FromJSON([]byte("{}"), claims.Config{})
}

// decide has a guard decide about credentials.
func decide(t testing.TB, auth claims.Authenticator, c claims.Credentials) (any, error) {
	t.Helper()
	guard, err := claims.NewGuard(auth, claims.GuardConfig{})
	require.NoError(t, err)
	return guard.Authorize(t.Context(), claims.Operation{}, c, nil)
}

// judge returns the credentials in the fields and what an operation says to
// them whose Authenticator accepts everything.
func judge(t testing.TB, fields []string) (claims.Credentials, error) {
	t.Helper()
	credentials, err := httpauth.Parse(fields)
	if err != nil {
		assert.Empty(t, credentials, "credentials beside an error")
		return claims.Credentials{}, err
	}
	if _, err = decide(t, anybody{}, credentials); err != nil {
		return claims.Credentials{}, err
	}
	return credentials, nil
}

func TestParse(t *testing.T) {
	t.Parallel()
	for name, row := range parsed {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := judge(t, row.fields)
			assert.Equal(t, claims.Credentials{Scheme: row.scheme, Token: row.token}, got)
			if row.reason == "" {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			assert.Equal(t, row.reason, claims.AsError(err).Reason())
		})
	}
}

const token68 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"

// Every byte, wherever in a token it is; of an Authenticator that accepts
// everything, and of one that accepts less than every token68.
func TestParse_everyByte(t *testing.T) {
	t.Parallel()
	keys, err := claims.NewSymmetricVerifier([][]byte{make([]byte, 32)},
		claims.Config{Issuer: "x", Audiences: []string{"x"}})
	require.NoError(t, err)
	for c := range 256 {
		for place := range 17 {
			token := []byte("aaaaaaaaaaaaaaaaa")
			token[place] = byte(c)
			good := strings.IndexByte(token68, byte(c)) >= 0 || c == '=' && place == 16 ||
				c == ' ' && place == 0
			_, err := judge(t, []string{"Bearer " + string(token)})
			assert.Equal(t, good, err == nil, "%q", token)
			credentials, err := httpauth.Parse([]string{"Bearer " + string(token)})
			require.NoError(t, err)
			_, err = decide(t, keys, credentials)
			reason := claims.AsError(err).Reason()
			assert.Equal(t, good, reason == claims.ReasonMalformed, "%q: %s", token, reason)
			assert.Equal(t, !good, reason == malformed, "%q: %s", token, reason)
		}
	}
}

// Whatever a field holds, what comes of it is a refusal or a request; of a
// Bearer token, every character is one that a token68 can have.
func FuzzParse(f *testing.F) {
	for _, row := range parsed {
		if len(row.fields) == 1 {
			f.Add(row.fields[0])
		}
	}
	f.Fuzz(func(t *testing.T, field string) {
		got, err := judge(t, []string{field})
		if err != nil {
			return
		}
		if !strings.HasPrefix(field, got.Scheme+" ") || !strings.HasSuffix(field, got.Token) {
			t.Fatalf("%q: %q %q", field, got.Scheme, got.Token)
		}
		if strings.EqualFold(got.Scheme, "Bearer") &&
			(got.Token == "" || strings.Trim(strings.TrimRight(got.Token, "="), token68) != "") {
			t.Fatalf("%q: token %q", field, got.Token)
		}
	})
}
