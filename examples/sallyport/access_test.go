package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// tables writes two tables, the first as Markdown and the second as JSON.
func tables(t *testing.T, before, after []claims.Operation) (old, next string) {
	t.Helper()
	dir := t.TempDir()
	old, next = filepath.Join(dir, "old.md"), filepath.Join(dir, "new.json")
	encoded, err := json.Marshal(claims.NewAccessTable(after))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(old, []byte(claims.NewAccessTable(before).Markdown()), 0o600))
	require.NoError(t, os.WriteFile(next, encoded, 0o600))
	return old, next
}

func compared(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, faults bytes.Buffer
	code = run(t.Context(), append([]string{"access"}, args...), strings.NewReader(""), &out, &faults)
	return code, out.String(), faults.String()
}

func TestAccess(t *testing.T) {
	t.Parallel()
	read := claims.Operation{Protocol: "HTTP", Name: "GET /orders", Requirement: claims.Scopes("orders:read")}
	refund := claims.Operation{Protocol: "HTTP", Name: "POST /refund", Requirement: claims.Scopes("orders:refund")}
	loose := refund
	loose.Requirement = claims.AnyScope("orders:refund", "orders:read")

	old, next := tables(t, []claims.Operation{read, refund}, []claims.Operation{read, loose})
	code, out, _ := compared(t, old, next)
	assert.Equal(t, exitBad, code, out)
	assert.Contains(t, out, "+ ")
	assert.Contains(t, out, "POST /refund")
	assert.Contains(t, out, "orders:read")
	assert.NotContains(t, out, "GET /orders", "it has not changed")
	assert.Contains(t, out, "opened: 1")

	code, out, _ = compared(t, next, old)
	assert.Equal(t, exitGood, code, out)
	assert.Contains(t, out, "- ")
	assert.Contains(t, out, "nothing is opened")

	code, out, _ = compared(t, old, old)
	assert.Equal(t, exitGood, code)
	assert.Equal(t, "nothing is opened\n", out)
}

func TestAccess_usage(t *testing.T) {
	t.Parallel()
	old, next := tables(t, nil, nil)
	code, _, faults := compared(t, old)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, faults, "OLD NEW")
	code, _, faults = compared(t, old, next+".nope")
	assert.Equal(t, exitUndecided, code)
	assert.Contains(t, faults, "no such file")
	require.NoError(t, os.WriteFile(next, []byte("{"), 0o600))
	code, _, faults = compared(t, old, next)
	assert.Equal(t, exitUndecided, code)
	assert.Contains(t, faults, next)
}
