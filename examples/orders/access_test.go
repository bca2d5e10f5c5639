package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	main "github.com/sallyport-go/sallyport/examples/orders"
)

// A change of what an operation needs is one of testdata/access.md as well.
func TestAccessTable(t *testing.T) {
	t.Parallel()
	table, err := main.AccessTable()
	require.NoError(t, err)
	claimstest.CheckAccessTable(t, "testdata/access.md", table)
}

func TestRun_accessTable(t *testing.T) {
	t.Parallel()
	table, err := main.AccessTable()
	require.NoError(t, err)
	taken, err := net.Listen("tcp", "127.0.0.1:0") // where it would fail to listen
	require.NoError(t, err)
	defer taken.Close()
	for arg, check := range map[string]func(t *testing.T, out string){
		"-access-table": func(t *testing.T, out string) {
			assert.Equal(t, table.Markdown(), out)
		},
		"-access-table=json": func(t *testing.T, out string) {
			var got []map[string]string
			require.NoError(t, json.Unmarshal([]byte(out), &got))
			require.Len(t, got, len(table))
			for i, o := range table {
				assert.Equal(t, map[string]string{
					"protocol": o.Protocol, "operation": o.Name, "requirement": o.Requirement.String(),
				}, got[i])
			}
		},
	} {
		t.Run(arg, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			code := main.Run(t.Context(), []string{"-http", taken.Addr().String(), arg}, &stdout, &stderr)
			assert.Zero(t, code)
			assert.Empty(t, stderr.String())
			check(t, stdout.String())
		})
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestRun_accessTableNotWritten(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	assert.Equal(t, 1, main.Run(t.Context(), []string{"-access-table"}, full{}, &stderr))
	assert.Equal(t, "orders: no space left\n", stderr.String())
}
