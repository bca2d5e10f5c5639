package main

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"
)

const maxBody = 16 << 10

const (
	unavailable = "the service can not answer at the moment"
	errBadBody  = invalid("the body must be a JSON object as this operation takes it")
)

// newServer returns a server that no slow client can hold for long.
func newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      20 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

// writeProblem answers with a problem document (RFC 9457), as refusals do. What a
// client is told of an error that is not its own is that it can try again.
func writeProblem(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	status, detail := http.StatusServiceUnavailable, unavailable
	var wrong invalid
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &wrong):
		status, detail = http.StatusBadRequest, wrong.Error()
	case errors.As(err, &tooLarge):
		status, detail = http.StatusRequestEntityTooLarge, "the body is too large"
	default:
		log.Error("request failed", "path", r.URL.Path, "error", err)
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"title": http.StatusText(status), "status": status, "detail": detail,
	})
}

func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
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
	return errBadBody
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}
