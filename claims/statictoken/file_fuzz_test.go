package statictoken_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/statictoken"
)

// Whatever is in a file, it can be used or the error says which line is wrong;
// a token of another key opens nothing.
func FuzzFile(f *testing.F) {
	key := statictoken.Key{1}
	token, minted, err := statictoken.Mint(key, "", statictoken.Token{Subject: "x"})
	require.NoError(f, err)
	head := "{\"statictoken\":1,\"key\":\"" + encoded(key) + "\"}\n"
	line := `{"hash":"` + minted.Hash + `","subject":"x"`
	for _, seed := range []string{
		"", "\n", "#", head, head + line + "}\n", head + line + `,"scopes":["a"],"networks":["::/0"]}` + "\n",
		head + line + `,"expires":"2027-01-01T00:00:00Z","permissions":["a","b"]}` + "\n" + line,
		head + "[" + line + "}]\n", head + line + `,"subject":"y"}` + "\n", head + head, "{}\n{}\n",
	} {
		f.Add([]byte(seed))
	}
	other, _, err := statictoken.Mint(statictoken.Key{2}, "", statictoken.Token{Subject: "x"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text []byte) {
		path := newPath(t)
		replace(t, path, string(text))
		tokens := newTokens(t, statictoken.Config{File: path, Logger: new(journal).logger()})
		ready := tokens.Ready(t.Context())
		caller, err := tokens.Authenticate(t.Context(), from("192.0.2.1", token))
		if ready != nil {
			require.ErrorIs(t, ready, claims.ErrUnavailable)
			require.NotEmpty(t, errors.Unwrap(claims.AsError(ready)).Error())
			require.ErrorIs(t, err, claims.ErrUnavailable)
			return
		}
		if err == nil {
			require.NotEmpty(t, caller.Subject())
			require.Equal(t, minted.Hash, caller.ID())
		} else {
			require.ErrorIs(t, err, claims.ErrInvalidToken)
		}
		_, err = tokens.Authenticate(t.Context(), bearer(other))
		require.ErrorIs(t, err, claims.ErrInvalidToken)
		// What can be used can be added to.
		added, err := statictoken.AddToFile(path, "", statictoken.Token{Subject: "y"})
		require.NoError(t, err)
		_, err = newTokens(t, statictoken.Config{File: path}).Authenticate(t.Context(), bearer(added))
		require.NoError(t, err)
	})
}

// Whatever a token is, the outcome is that it is bad or of another form.
func FuzzToken(f *testing.F) {
	path := newPath(f)
	good := add(f, path, statictoken.Token{})
	tokens := newTokens(f, statictoken.Config{File: path})
	for _, seed := range []string{good, good[:20], "", "sallyport_", good + good, "eyJ.e30.AA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		_, err := tokens.Authenticate(t.Context(), bearer(token))
		if token == good {
			require.NoError(t, err)
			return
		}
		require.ErrorIs(t, err, claims.ErrInvalidToken)
	})
}
