package main_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the greeting promises is what the commands in it do, pasted in order.
func TestGreeting_commandsWork(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"sh", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the commands need %s: %v", tool, err)
		}
	}
	d := start(t)
	var script strings.Builder
	var promises []string
	for hint := range strings.SplitSeq(d.greeting, "\n\n") {
		about, commands, found := strings.Cut(hint, "\n  ")
		if !found || strings.HasPrefix(commands, "go run ") { // would be downloaded
			continue
		}
		script.WriteString(commands + "\nprintf '\\n----\\n'\n")
		promises = append(promises, about)
	}
	cmd := exec.CommandContext(t.Context(), "sh")
	cmd.Stdin = strings.NewReader(script.String())
	cmd.Env = append(os.Environ(), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
	output, err := cmd.Output()
	require.NoError(t, err)

	outputs := strings.Split(string(output), "\n----\n")
	require.Len(t, outputs, len(promises)+1)
	require.Len(t, promises, 5, "the token, 200, 401, 403 and 201")
	status := regexp.MustCompile(`: (\d+)$`)
	for i, promise := range promises {
		got := strings.ReplaceAll(outputs[i], "\r", "")
		if code := status.FindStringSubmatch(promise); code != nil {
			assert.Regexp(t, `\AHTTP/1\.1 `+code[1]+` `, got, promise)
		} else {
			assert.Empty(t, got, promise)
		}
		switch {
		case strings.HasSuffix(promise, "401"):
			assert.NotContains(t, got, "error=")
			assert.Contains(t, got, `Www-Authenticate: Bearer realm="orders", scope="orders:read"`)
		case strings.HasSuffix(promise, "403"):
			assert.Contains(t, got, `scope="orders:write"`)
		}
	}
}

func TestGreeting_realIssuer(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := start(t, "-issuer", issuer.URL())
	assert.True(t, strings.HasPrefix(d.greeting, "ready http="))
	assert.Equal(t, issuer.URL(), d.issuer)
	assert.NotContains(t, d.greeting, "secret")
	assert.Equal(t, 4, strings.Count(d.greeting, "\n  "), "commands")
}
