package httpauth_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// Digits are in names of schemes and parameters, from the first to the last.
func TestNewChallenge_digits(t *testing.T) {
	t.Parallel()
	challenge, err := httpauth.NewChallenge(httpauth.ChallengeConfig{
		Scheme: "Scheme-0189",
		Params: []httpauth.Param{{Name: "x5t#S0189", Value: "a"}},
	})
	require.NoError(t, err)
	assert.Equal(t, `Scheme-0189 realm="api", x5t#S0189="a"`, challenge.Field(nil))
}

// A scheme that stands alone is no token, whatever digits its name has.
func TestParse_digits(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"Scheme0", "Scheme9", "0", "9"} {
		_, err := httpauth.Parse([]string{scheme})
		assert.ErrorIs(t, err, claims.ErrNoToken, scheme)
	}
	for _, other := range []string{"Scheme/", "Scheme:"} { // next to the digits
		_, err := httpauth.Parse([]string{other})
		assert.ErrorIs(t, err, claims.ErrInvalidRequest, other)
	}
}

// What a requirement asks for never ends the field, or begins another.
func TestChallenge_Field_controlCharacters(t *testing.T) {
	t.Parallel()
	reader, err := claims.FromJSON([]byte(`{"scope":"a"}`), claims.Config{})
	require.NoError(t, err)
	for _, value := range []string{"a\r\nb", "a\x00b", "a\x1fb", "a\x7fb", "a\u00e9b"} {
		for _, needs := range []claims.Requirement{claims.Scopes(value), claims.ACR(value)} {
			refusal := claims.AsError(claims.Allowed(claims.NewContext(t.Context(), reader), needs))
			field := httpauth.Challenge{}.Field(refusal)
			for i := range len(field) {
				assert.True(t, 0x20 <= field[i] && field[i] < 0x7f, "%q", field)
			}
		}
	}
}

// A quoted-string ends where its value does, whichever of the two characters
// that need a backslash it has.
func TestNewChallenge_quoted(t *testing.T) {
	t.Parallel()
	for realm, want := range map[string]string{
		`a"b`: `Bearer realm="a\"b"`, `a\b`: `Bearer realm="a\\b"`, `a~ b`: `Bearer realm="a~ b"`,
	} {
		challenge, err := httpauth.NewChallenge(httpauth.ChallengeConfig{Realm: realm})
		require.NoError(t, err)
		assert.Equal(t, want, challenge.Field(nil))
	}
	for _, realm := range []string{"a\x7fb", "a\x1fb"} {
		_, err := httpauth.NewChallenge(httpauth.ChallengeConfig{Realm: realm})
		assert.Error(t, err, "%q", realm)
	}
}
