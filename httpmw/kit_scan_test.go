package httpmw_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scanned returns a response that has been looked through: get, send and raw,
// by which the tests ask, look through each. A refusal has no part of a
// credential that was sent, and no text of the library's own errors.
func scanned(t testing.TB, sent string, resp *http.Response) *http.Response {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if resp.StatusCode < 400 {
		return resp
	}
	var told strings.Builder
	require.NoError(t, resp.Header.Write(&told))
	require.NoError(t, resp.Trailer.Write(&told))
	told.Write(body)
	for _, part := range partsOf(sent) {
		assert.NotContains(t, told.String(), part, "a part of what was sent")
	}
	for _, text := range []string{"claims:", "jwks:", "httpmw:", "httpauth:", "goroutine ", ".go:", "hunter2"} {
		assert.NotContains(t, told.String(), text, "internal")
	}
	return resp
}

// partsOf returns what may be a credential, or a segment of one.
func partsOf(sent string) []string {
	parts := strings.FieldsFunc(sent, func(r rune) bool { return strings.ContainsRune(" \t\r\n.,;:=&?", r) })
	long := parts[:0]
	for _, part := range parts {
		if len(part) >= 20 { // longer than the words of a refusal
			long = append(long, part)
		}
	}
	return long
}

func headerText(t testing.TB, header http.Header) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, header.Write(&b))
	return b.String()
}
