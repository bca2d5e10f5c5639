package demo

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

const maxBody = 16 << 10

// ReadJSON reads a request body that is one JSON value without unknown members.
// The error is an [*http.MaxBytesError] or bad.
func ReadJSON(w http.ResponseWriter, r *http.Request, v any, bad error) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(v)
	if err == nil {
		if _, err = decoder.Token(); err == io.EOF {
			return nil
		}
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return tooLarge
	}
	return bad
}

// WriteJSON answers with a JSON value.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	write(w, "application/json", status, body)
}

// WriteProblem answers with a problem document (RFC 9457), as refusals do.
func WriteProblem(w http.ResponseWriter, status int, detail string) {
	write(w, "application/problem+json", status, map[string]any{
		"title": http.StatusText(status), "status": status, "detail": detail,
	})
}

func write(w http.ResponseWriter, mediaType string, status int, body any) {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}
