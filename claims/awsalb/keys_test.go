package awsalb_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/awsalb"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

// transport answers for the address of the keys.
type transport func(r *http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}}, nil
}

// Many who wait for one key cause one fetch, and then none.
func TestKeys_once(t *testing.T) {
	t.Parallel()
	aws := newRegion(t)
	users := aws.users(t)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			_, err := users.Authenticate(t.Context(), assertion(aws.sign(t, nil, nil)))
			assert.NoError(t, err)
		})
	}
	group.Wait()
	assert.Equal(t, int32(1), aws.fetched.Load())
}

// Whoever makes up key IDs chooses no more than a few fetches, and nobody is
// told that it cannot be decided.
func TestKeys_madeUp(t *testing.T) {
	t.Parallel()
	aws := newRegion(t)
	synctest.Test(t, func(t *testing.T) {
		fetched := 0
		cfg := aws.config()
		cfg.HTTPClient = &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
			fetched++
			return answer(http.StatusForbidden, "")
		})}
		users, err := awsalb.New(cfg)
		require.NoError(t, err)
		try := func(n int) {
			for i := range n {
				kid := fmt.Sprintf("00000000-0000-0000-0000-%012x", fetched*1000+i)
				_, err := users.Authenticate(t.Context(), assertion(aws.sign(t, m{"kid": kid}, nil)))
				assert.Equal(t, claims.ReasonUnknownKey, claims.AsError(err).Reason())
			}
		}
		try(20)
		assert.Equal(t, 5, fetched)
		time.Sleep(5 * time.Second)
		try(20)
		assert.Equal(t, 6, fetched)
		time.Sleep(time.Hour)
		try(20)
		assert.Equal(t, 11, fetched)
		// One that was none is not asked for again within a minute.
		time.Sleep(time.Hour)
		for range 20 {
			_, err := users.Authenticate(t.Context(), assertion(aws.sign(t, nil, nil)))
			assert.Equal(t, claims.ReasonUnknownKey, claims.AsError(err).Reason())
		}
		assert.Equal(t, 12, fetched)
	})
}

// What is wrong with the place of the keys is not the caller's fault.
func TestKeys_outage(t *testing.T) {
	t.Parallel()
	aws := newRegion(t)
	rsa := "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
	for name, fails := range map[string]transport{
		"no answer":   func(*http.Request) (*http.Response, error) { return nil, errors.New("secret-internal-text") },
		"status":      func(*http.Request) (*http.Response, error) { return answer(http.StatusInternalServerError, "") },
		"redirect":    func(*http.Request) (*http.Response, error) { return answer(http.StatusFound, "") },
		"no PEM":      func(*http.Request) (*http.Response, error) { return answer(http.StatusOK, "<html>") },
		"other key":   func(*http.Request) (*http.Response, error) { return answer(http.StatusOK, rsa) },
		"panic":       func(*http.Request) (*http.Response, error) { panic("secret-internal-text") },
		"much of all": func(*http.Request) (*http.Response, error) { return answer(http.StatusOK, strings.Repeat("x", 1<<20)) },
	} {
		cfg := aws.config()
		cfg.HTTPClient = &http.Client{Transport: fails}
		users, err := awsalb.New(cfg)
		require.NoError(t, err)
		for range 10 {
			_, err = users.Authenticate(t.Context(), assertion(aws.sign(t, nil, nil)))
			require.ErrorIs(t, err, claims.ErrUnavailable, name)
			assert.Equal(t, claims.ReasonKeysUnavailable, claims.AsError(err).Reason(), name)
		}
	}
	users := aws.users(t)
	aws.status.Store(http.StatusServiceUnavailable)
	_, err := users.Authenticate(t.Context(), assertion(aws.sign(t, nil, nil)))
	require.ErrorIs(t, err, claims.ErrUnavailable)
	aws.status.Store(0)
	_, err = users.Authenticate(t.Context(), assertion(aws.sign(t, nil, nil)))
	require.NoError(t, err, "it is over")
}

// Whatever is presented is refused or is what the load balancer signed.
func FuzzAuthenticate(f *testing.F) {
	aws := newRegion(f)
	users := aws.users(f)
	good := aws.sign(f, nil, nil)
	for _, token := range []string{good, "", "..", "a.b.c", swap(good, 0), swap(good, 2), good + "=", aws.sign(f, m{"signer": nil}, nil)} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		caller, err := users.Authenticate(t.Context(), assertion(token))
		if err == nil {
			assert.Equal(t, strings.TrimRight(good, "="), strings.TrimRight(token, "="))
			assert.Equal(t, "alice", caller.Subject())
			return
		}
		assert.Nil(t, caller)
		assert.NotErrorIs(t, err, claims.ErrUnavailable)
	})
}
