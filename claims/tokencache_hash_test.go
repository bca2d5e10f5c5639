package claims

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
)

// All that is said of remembered tokens holds by the other hash as well: on a
// processor without instructions for AES.
func TestTokenCache_withoutAES(t *testing.T) {
	const mark = "SALLYPORT_WITHOUT_AES"
	if os.Getenv(mark) != "" {
		t.Skip("this is the other process")
	}
	t.Parallel()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTokenCache_|^TestBudget_cached$")
	child.Env = append(os.Environ(), mark+"=1", "GODEBUG=cpu.aes=off")
	out, err := child.CombinedOutput()
	assert.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "PASS")
}
