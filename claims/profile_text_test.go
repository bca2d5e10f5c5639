package claims_test

import (
	"encoding/json"
	"flag"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

func TestProfile_text(t *testing.T) {
	t.Parallel()
	for p := range claims.Okta + 1 {
		text, err := json.Marshal(p)
		require.NoError(t, err)
		assert.Equal(t, `"`+p.String()+`"`, string(text))
		var got claims.Profile
		require.NoError(t, json.Unmarshal(text, &got))
		assert.Equal(t, p, got)
	}
	for text, want := range map[string]claims.Profile{
		"": 0, "none": 0, "cognito": claims.Cognito, "RFC9068": claims.RFC9068, "ENTRAV2": claims.EntraV2,
	} {
		got := claims.Google
		require.NoError(t, got.UnmarshalText([]byte(text)))
		assert.Equal(t, want, got, text)
	}
	got := claims.Google
	err := got.UnmarshalText([]byte("cogneato"))
	assert.ErrorContains(t, err, "Cognito", "it says which there are")
	assert.Equal(t, claims.Google, got)
	_, err = claims.Profile(200).MarshalText()
	assert.Error(t, err)

	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var p claims.Profile
	flags.TextVar(&p, "profile", claims.Profile(0), "")
	require.NoError(t, flags.Parse([]string{"-profile", "Keycloak"}))
	assert.Equal(t, claims.Keycloak, p)
}
