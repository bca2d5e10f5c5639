package statictoken_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/statictoken"
)

// A token that is added counts, and one that is removed does not, within the
// time that is promised; what lasts ends with it.
func TestFile_changes(t *testing.T) {
	t.Parallel()
	for _, refresh := range []time.Duration{0, 15 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			promised := refresh
			if promised == 0 {
				promised = 5 * time.Second
			}
			path := newPath(t)
			first := add(t, path, statictoken.Token{Subject: "first"})
			tokens := newTokens(t, statictoken.Config{File: path, Refresh: refresh})
			guard, err := claims.NewGuard(tokens, claims.GuardConfig{})
			require.NoError(t, err)
			ctx, err := guard.Authorize(t.Context(), claims.Operation{Requirement: claims.Authenticated()}, bearer(first), nil)
			require.NoError(t, err)
			second := add(t, path, statictoken.Token{Subject: "second"})
			time.Sleep(promised)
			caller, err := tokens.Authenticate(t.Context(), bearer(second))
			require.NoError(t, err)
			assert.Equal(t, "second", caller.Subject())
			require.NoError(t, guard.Recheck(ctx))
			drop(t, path, `"first"`)
			time.Sleep(promised)
			require.ErrorIs(t, guard.Recheck(ctx), claims.ErrInvalidToken)
			_, err = tokens.Authenticate(t.Context(), bearer(first))
			require.ErrorIs(t, err, claims.ErrInvalidToken)
			_, err = tokens.Authenticate(t.Context(), bearer(second))
			require.NoError(t, err)
		})
	}
}

// What lasts ends, too, if its token means something else by now, and goes on
// if it means the same.
func TestFile_changesMeaning(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]struct {
		from, to string
		ends     bool
	}{
		"a scope less":    {from: `["read","write"]`, to: `["read"]`, ends: true},
		"another subject": {from: `"alice"`, to: `"bob"`, ends: true},
		"a note":          {from: `"a note"`, to: `"another"`},
		"a comment":       {from: "\n", to: "\n# nothing\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				path := newPath(t)
				token := add(t, path, statictoken.Token{Subject: "alice", Scopes: []string{"read", "write"}, Note: "a note"})
				guard, err := claims.NewGuard(newTokens(t, statictoken.Config{File: path}), claims.GuardConfig{})
				require.NoError(t, err)
				ctx, err := guard.Authorize(t.Context(), claims.Operation{Requirement: claims.Scopes("read")}, bearer(token), nil)
				require.NoError(t, err)
				text, err := os.ReadFile(path)
				require.NoError(t, err)
				require.Contains(t, string(text), edit.from)
				replace(t, path, strings.Replace(string(text), edit.from, edit.to, 1))
				time.Sleep(5 * time.Second)
				if edit.ends {
					require.ErrorIs(t, guard.Recheck(ctx), claims.ErrInvalidToken)
					return
				}
				require.NoError(t, guard.Recheck(ctx))
			})
		})
	}
}

// A file that is broken, or gone, leaves what was good, and the log says so,
// not at each look; nothing can be decided before there was a good one.
func TestFile_broken(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, path, good string){
		"gone":    func(t *testing.T, path, _ string) { require.NoError(t, os.Remove(path)) },
		"empty":   func(t *testing.T, path, _ string) { replace(t, path, "") },
		"cut off": func(t *testing.T, path, good string) { replace(t, path, good[:len(good)-7]) },
		"no JSON": func(t *testing.T, path, good string) { replace(t, path, good+"what\n") },
		"a typing error": func(t *testing.T, path, good string) {
			replace(t, path, strings.Replace(good, "subject", "sujbect", 1))
		},
		"a directory": func(t *testing.T, path, _ string) {
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.Mkdir(path, 0o700))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				path, log := newPath(t), &journal{}
				token := add(t, path, statictoken.Token{})
				good, err := os.ReadFile(path)
				require.NoError(t, err)
				damage(t, path, string(good))
				tokens := newTokens(t, statictoken.Config{File: path, Logger: log.logger()})
				_, err = tokens.Authenticate(t.Context(), bearer(token))
				require.ErrorIs(t, err, claims.ErrUnavailable)
				require.ErrorIs(t, tokens.Ready(t.Context()), claims.ErrUnavailable)
				_, err = tokens.Authenticate(t.Context(), bearer(token[:len(token)-1]+"-"))
				require.ErrorIs(t, err, claims.ErrInvalidToken, "what is no token needs no file")

				_ = os.RemoveAll(path)
				replace(t, path, string(good))
				require.NoError(t, tokens.Ready(t.Context()), "without a wait")
				synctest.Wait()
				assert.Contains(t, log.String(), "the file of tokens is in use")
				damage(t, path, string(good))
				before := log.String()
				for range 10 {
					time.Sleep(5 * time.Second)
					_, err = tokens.Authenticate(t.Context(), bearer(token))
					require.NoError(t, err)
				}
				synctest.Wait()
				said := strings.TrimPrefix(log.String(), before)
				assert.Equal(t, 1, strings.Count(said, "level=ERROR"), said)
				assert.Contains(t, said, path)
				assert.Contains(t, said, "last_good_one=true")
				assert.NotContains(t, said, token)

				_ = os.RemoveAll(path)
				replace(t, path, string(good))
				time.Sleep(5 * time.Second)
				_, err = tokens.Authenticate(t.Context(), bearer(token))
				require.NoError(t, err)
				synctest.Wait()
				assert.Contains(t, strings.TrimPrefix(log.String(), before+said), "the file of tokens is in use")
			})
		})
	}
}

// A file system that hangs holds up nobody for longer than a moment, and takes
// nothing from those who are known.
func TestFile_hangs(t *testing.T) {
	t.Parallel()
	path, log := newPath(t), &journal{}
	token := add(t, path, statictoken.Token{})
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	tokens := newTokens(t, statictoken.Config{File: path, Refresh: time.Millisecond, Logger: log.logger()})
	require.NoError(t, tokens.Ready(t.Context()))
	require.NoError(t, os.Remove(path))
	require.NoError(t, syscall.Mkfifo(path, 0o600)) // to open it waits for a writer
	deadline := time.Now().Add(time.Minute)
	for !strings.Contains(log.String(), "took too long") && time.Now().Before(deadline) {
		_, err := tokens.Authenticate(t.Context(), bearer(token))
		require.NoError(t, err)
	}
	require.Contains(t, log.String(), "took too long")
	for range 100 { // one call hangs, and no other is made
		_, err := tokens.Authenticate(t.Context(), bearer(token))
		require.NoError(t, err)
	}
	writer, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	replace(t, path, string(good))
}

// The order of members, white space and comments say nothing.
func TestFile_read(t *testing.T) {
	t.Parallel()
	key := statictoken.NewKey()
	token, minted, err := statictoken.Mint(key, "", statictoken.Token{Subject: "x"})
	require.NoError(t, err)
	head := firstLine(t, key)
	hash := `"hash":"` + minted.Hash + `"`
	for _, tt := range []struct {
		name, text string
		wrong      string // empty if it is right
	}{
		{name: "as it is documented", text: head + `{` + hash + `,"subject":"x"}` + "\n"},
		{name: "comments", text: "# tokens\n\n" + head + "#\n  \n {\"subject\" : \"x\", " + hash + " }\r\n# end\n"},
		{name: "all members", text: head + `{` + hash + `,"subject":"x","client":"c","scopes":["a"],"permissions":["p"],` +
			`"expires":"2999-01-01T00:00:00Z","networks":["0.0.0.0/0"],"note":""}` + "\n"},
		{name: "no token", text: head},
		{name: "nothing", text: "", wrong: "first line must be"},
		{name: "only comments", text: "# a\n", wrong: "first line must be"},
		{name: "no end of line", text: strings.TrimSuffix(head, "\n"), wrong: "does not end"},
		{name: "no key", text: `{` + hash + `,"subject":"x"}` + "\n", wrong: "line 1: the first line must be"},
		{name: "another version", text: strings.Replace(head, ":1,", ":2,", 1), wrong: "line 1: the version of the format is 2"},
		{name: "a short key", text: `{"statictoken":1,"key":"AAAA"}` + "\n", wrong: "line 1: the key is not 32 bytes"},
		{name: "two keys", text: head + head, wrong: `line 2: member "statictoken" is not known`},
		{name: "an unknown member", text: head + `{` + hash + `,"subject":"x","expire":"2000-01-01T00:00:00Z"}` + "\n", wrong: `line 2: member "expire" is not known`},
		{name: "another case", text: head + `{` + hash + `,"Subject":"x"}` + "\n", wrong: `member "Subject" is not known`},
		{name: "a member twice", text: head + `{` + hash + `,"subject":"x","subject":"y"}` + "\n", wrong: "members are there once"},
		{name: "no subject", text: head + `{` + hash + `}` + "\n", wrong: "line 2: Subject is required"},
		{name: "no hash", text: head + `{"subject":"x"}` + "\n", wrong: "Hash is not one that Mint made"},
		{name: "a padded hash", text: head + `{"hash":"` + minted.Hash + `=","subject":"x"}` + "\n", wrong: "Hash is not one that Mint made"},
		{name: "a token twice", text: head + strings.Repeat(`{`+hash+`,"subject":"x"}`+"\n", 2), wrong: "line 3: the hash is there twice"},
		{name: "a scope with a space", text: head + `{` + hash + `,"subject":"x","scopes":["a b"]}` + "\n", wrong: `Scopes: "a b"`},
		{name: "scopes in a string", text: head + `{` + hash + `,"subject":"x","scopes":"a"}` + "\n", wrong: `member "scopes" is not what it should be`},
		{name: "a number", text: head + `{` + hash + `,"subject":1}` + "\n", wrong: `member "subject" is not what it should be`},
		{name: "a day", text: head + `{` + hash + `,"subject":"x","expires":"2027-01-01"}` + "\n", wrong: `"2027-01-01" is not a time`},
		{name: "no time", text: head + `{` + hash + `,"subject":"x","expires":""}` + "\n", wrong: `"expires" of "" is not a time`},
		{name: "null", text: head + `{` + hash + `,"subject":"x","expires":null}` + "\n", wrong: `member "expires" is not what it should be`},
		{name: "no networks", text: head + `{` + hash + `,"subject":"x","networks":[]}` + "\n", wrong: `"networks" is empty`},
		{name: "an address", text: head + `{` + hash + `,"subject":"x","networks":["10.0.0.1"]}` + "\n", wrong: "is not a network such as"},
		{name: "a sloppy network", text: head + `{` + hash + `,"subject":"x","networks":["10.0.0.1/8"]}` + "\n", wrong: "bits beyond its length"},
		{name: "an array", text: head + `[]` + "\n", wrong: "line 2: not a JSON object"},
		{name: "two objects", text: head + `{` + hash + `,"subject":"x"} {}` + "\n", wrong: "line 2: not a JSON object"},
		{name: "a long line", text: head + `{` + hash + `,"subject":"x","note":"` + strings.Repeat("x", 16<<10) + "\"}\n", wrong: "line 2: it is longer than"},
		{name: "not UTF-8", text: head + `{` + hash + `,"subject":"` + "\xff" + `"}` + "\n", wrong: "line 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := newPath(t)
			replace(t, path, tt.text)
			tokens := newTokens(t, statictoken.Config{File: path, Logger: new(journal).logger()})
			err := tokens.Ready(t.Context())
			if tt.wrong != "" {
				require.ErrorIs(t, err, claims.ErrUnavailable)
				assert.ErrorContains(t, claims.AsError(err).Unwrap(), tt.wrong)
				assert.ErrorContains(t, claims.AsError(err).Unwrap(), path)
				_, err = statictoken.AddToFile(path, "", statictoken.Token{Subject: "x"})
				require.Error(t, err, "what is broken is left alone")
				left, err := os.ReadFile(path)
				require.NoError(t, err)
				assert.Equal(t, tt.text, string(left))
				return
			}
			require.NoError(t, err)
			if tt.text != head {
				_, err = tokens.Authenticate(t.Context(), from("192.0.2.1", token))
				require.NoError(t, err)
			}
		})
	}
}

// firstLine is that of a file with this key.
func firstLine(t testing.TB, key statictoken.Key) string {
	t.Helper()
	return fmt.Sprintf("{\"statictoken\":1,\"key\":%q}\n", encoded(key))
}

// Those who mint at the same time all have their tokens.
func TestAddToFile_atOnce(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	add(t, path, statictoken.Token{})
	var minting sync.WaitGroup
	made := make([]string, 50)
	for i := range made {
		minting.Go(func() { made[i] = add(t, path, statictoken.Token{Subject: fmt.Sprint(i)}) })
	}
	minting.Wait()
	tokens := newTokens(t, statictoken.Config{File: path})
	for i, token := range made {
		caller, err := tokens.Authenticate(t.Context(), bearer(token))
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprint(i), caller.Subject())
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, token := range made {
		assert.NotContains(t, string(text), token[len("sallyport_"):], "a token is in no file")
	}
	_, err = statictoken.AddToFile(newPath(t), "", statictoken.Token{Networks: []netip.Prefix{{}}})
	require.Error(t, err)
}

// Somebody who goes away while the file is looked at takes nothing from others.
func TestFile_callerGone(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	token := add(t, path, statictoken.Token{})
	tokens := newTokens(t, statictoken.Config{File: path})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tokens.Authenticate(gone, bearer(token)); err != nil {
		require.ErrorIs(t, err, claims.ErrUnavailable)
		assert.Equal(t, claims.ReasonCanceled, claims.AsError(err).Reason())
	}
	_, err := tokens.Authenticate(t.Context(), bearer(token))
	require.NoError(t, err)
}
