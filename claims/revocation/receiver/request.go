package receiver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

// retryAfter is when it is worth sending again what could not be decided.
const retryAfter = 5 * time.Second

// read returns the body of a POST of the media type. It has answered if it
// returns false.
func readBody(w http.ResponseWriter, r *http.Request) (body []byte, err error) {
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxToken))
	if err != nil {
		return nil, refuse(reasonRequest, err)
	}
	return body, nil
}

// isPost answers every other method (RFC 9110 section 15.5.6).
func isPost(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method == http.MethodPost {
		return true
	}
	w.Header().Set("Allow", http.MethodPost)
	w.WriteHeader(http.StatusMethodNotAllowed)
	return false
}

// wantType refuses a body of another media type.
func wantType(r *http.Request, want string) error {
	values := r.Header.Values("Content-Type")
	if len(values) != 1 {
		return refuse(reasonRequest, errors.New("there is not one Content-Type"))
	}
	got, _, err := mime.ParseMediaType(values[0])
	if err != nil || got != want {
		return refuse(reasonRequest, fmt.Errorf("the body is %.100q, not %s", values[0], want))
	}
	return nil
}

// answer writes a JSON object of strings.
func answer(w http.ResponseWriter, status int, body map[string]string) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // of strings
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// askAgain answers that it cannot be decided now.
func askAgain(w http.ResponseWriter) {
	w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	w.WriteHeader(http.StatusServiceUnavailable)
}
