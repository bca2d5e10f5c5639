package demotest

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// Answer is what an HTTP API answered.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Send sends a request and reads the answer.
func Send(t *testing.T, client *http.Client, r *http.Request) Answer {
	t.Helper()
	response, err := client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return Answer{response.StatusCode, response.Header, string(body)}
}

// Decode returns the answer's JSON object.
func (a Answer) Decode(t *testing.T) map[string]any {
	t.Helper()
	var object map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.Body), &object), a.Body)
	return object
}
