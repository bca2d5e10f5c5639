package main

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/sallyport-go/sallyport/examples/internal/demo"
)

const (
	unavailable = "the service cannot answer at the moment"
	errBadBody  = invalid("the body must be a JSON object as this operation takes it")
)

// writeProblem answers with what is wrong. What a client is told of an error
// that is not its own is that it can try again.
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
	demo.WriteProblem(w, status, detail)
}
