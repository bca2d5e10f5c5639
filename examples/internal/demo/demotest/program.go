package demotest

import (
	"bufio"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asProgram makes a test binary be the program that it tests.
const asProgram = "DEMO_TEST_AS_PROGRAM"

// Main runs the tests of a package whose main is given.
func Main(m *testing.M, main func()) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// EndsOn asserts that the program, which [Main] makes of this binary, ends well
// on a signal. Before the signal, running is called.
func EndsOn(t *testing.T, signal syscall.Signal, environment []string, running func()) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such signals")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], FreePorts()...)
	cmd.Env = append(append(os.Environ(), asProgram+"=1"), environment...)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Ctrl-C") {
	}
	running()
	require.NoError(t, cmd.Process.Signal(signal))
	assert.NoError(t, cmd.Wait(), "the exit code")
}

// Paste runs the commands of a greeting in their order, and returns what each
// hint promises and what came out. Those that would download a program are left
// out.
func Paste(t *testing.T, greeting string) (promises, outputs []string) {
	t.Helper()
	for _, tool := range []string{"sh", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the commands need %s: %v", tool, err)
		}
	}
	var script strings.Builder
	for hint := range strings.SplitSeq(greeting, "\n\n") {
		about, commands, found := strings.Cut(hint, "\n  ")
		if !found || strings.HasPrefix(commands, "go run ") {
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
	outputs = strings.Split(strings.ReplaceAll(string(output), "\r", ""), "\n----\n")
	require.Len(t, outputs, len(promises)+1)
	return promises, outputs[:len(promises)]
}

// AssertOutput asserts that a program wrote a text, in which each … stands for
// words of a library up to the next semicolon.
func AssertOutput(t *testing.T, want, got string) {
	t.Helper()
	pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "…", `[^;\n]*`)
	assert.Regexp(t, `\A`+pattern+`\z`, got)
}
