package jwks

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const oneKey = `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`

// What a file holds is parsed when it has changed, and only then.
func TestFile_changes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys.json")
	source := File(path)
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	read := func() *Set {
		t.Helper()
		set, age, err := source.KeySet(t.Context(), false)
		require.NoError(t, err)
		assert.Equal(t, time.Minute, age)
		return set
	}
	write("")
	_, _, err := source.KeySet(t.Context(), false)
	assert.Equal(t, FaultMalformed, FaultOf(err), "an empty file is no key set")
	write(oneKey)
	first := read()
	assert.Same(t, first, read())
	write(oneKey + " ")
	second := read()
	assert.NotSame(t, first, second)
	write(oneKey)
	assert.NotSame(t, second, read())
}

func TestFile_size(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys.json")
	document := make([]byte, 512<<10+1)
	for i := range document {
		document[i] = ' '
	}
	copy(document, oneKey)
	require.NoError(t, os.WriteFile(path, document[1:], 0o600))
	_, _, err := File(path).KeySet(t.Context(), false)
	assert.Equal(t, FaultMalformed, FaultOf(err), "cut off at its start")
	require.NoError(t, os.WriteFile(path, document[:512<<10], 0o600))
	_, _, err = File(path).KeySet(t.Context(), false)
	assert.NoError(t, err)
	require.NoError(t, os.WriteFile(path, document, 0o600))
	_, _, err = File(path).KeySet(t.Context(), false)
	assert.Equal(t, FaultTooLarge, FaultOf(err))
}
