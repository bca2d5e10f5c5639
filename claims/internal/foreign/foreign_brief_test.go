package foreign_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

// What is told of a panic on one line is what it was and where, without the
// calls of the runtime.
func TestPanicError_Brief(t *testing.T) {
	t.Parallel()
	var none *foreign.PanicError
	for name, f := range map[string]func() error{
		"value": func() error { panic("x") },
		"nil":   func() error { return none.Value.(error) },
	} {
		err := foreign.Call(foreign.Name("it"), f)
		var panicked *foreign.PanicError
		require.ErrorAs(t, err, &panicked, name)
		brief := panicked.Brief()
		assert.True(t, strings.HasPrefix(brief, "it panicked: "), brief)
		assert.Contains(t, brief, ", at github.com/sallyport-go/sallyport/claims/internal/foreign_test.TestPanicError_Brief.func", name)
		assert.Contains(t, brief, "foreign_brief_test.go:", name)
		assert.NotContains(t, brief, "at runtime.", name)
		assert.NotContains(t, brief, "\n", name)
		assert.NotContains(t, brief, "0x", name)
	}
	for _, stack := range []string{"", "goroutine 1 [running]:", "panic(", "panic(\na\nb", "panic(\na\nb\nc\nd"} {
		e := &foreign.PanicError{Name: "it", Value: errors.New("x"), Stack: []byte(stack)}
		assert.Contains(t, e.Brief(), "it panicked: x")
	}
}
