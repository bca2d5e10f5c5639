package main_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
)

// What the greeting promises is what the commands in it do, pasted in order.
func TestGreeting_commandsWork(t *testing.T) {
	t.Parallel()
	promises, outputs := demotest.Paste(t, start(t).Greeting)
	require.Len(t, promises, 5, "the token, 200, 401, 403 and 201")
	status := regexp.MustCompile(`: (\d+)$`)
	for i, promise := range promises {
		got := outputs[i]
		if code := status.FindStringSubmatch(promise); code != nil {
			assert.Regexp(t, `\AHTTP/1\.1 `+code[1]+` `, got, promise)
		} else {
			assert.Empty(t, got, promise)
		}
		switch {
		case strings.HasSuffix(promise, "401"):
			assert.NotContains(t, got, "error=")
			assert.Contains(t, got, `Www-Authenticate: Bearer realm="orders", resource_metadata="http://`)
			assert.Contains(t, got, `, scope="orders:read"`)
		case strings.HasSuffix(promise, "403"):
			assert.Contains(t, got, `scope="orders:write"`)
		}
	}
}

func TestGreeting_realIssuer(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := start(t, "-issuer", issuer.URL())
	assert.True(t, strings.HasPrefix(d.Greeting, "ready http="))
	assert.Equal(t, issuer.URL(), d.Issuer)
	assert.NotContains(t, d.Greeting, "secret")
	assert.Equal(t, 4, strings.Count(d.Greeting, "\n  "), "commands")
}
