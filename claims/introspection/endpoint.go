package introspection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

const (
	maxAnswer  = 256 << 10
	typeJSON   = "application/json"
	typeSigned = "application/token-introspection+jwt"
)

// introspection is an endpoint of RFC 7662.
type introspection struct {
	url    string
	client Client
	issuer string
	http   *http.Client
	signed *signature // nil for plain answers
}

// newHTTP returns the client that makes calls: a redirect would send the token,
// and the secret, elsewhere.
func newHTTP(of *http.Client) *http.Client {
	var own http.Client
	if of != nil {
		own = *of
	} else if transport, ok := http.DefaultTransport.(*http.Transport); ok {
		transport = transport.Clone()
		transport.MaxIdleConnsPerHost = 96 // as many as there are calls at a time
		own.Transport = transport
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	return &own
}

func (e *introspection) ask(ctx context.Context, token string) ([]byte, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, nil)
	if err != nil {
		return nil, err
	}
	if err := e.client.apply(ctx, e.issuer, r, form); err != nil {
		return nil, fmt.Errorf("introspection: %w", err)
	}
	setBody(r, "application/x-www-form-urlencoded", form.Encode())
	wanted := typeJSON
	if e.signed != nil {
		wanted = typeSigned
	}
	r.Header.Set("Accept", wanted)
	body, err := send(e.http, r, wanted, http.StatusOK)
	if err != nil {
		return nil, err
	}
	if e.signed != nil {
		if body, err = e.signed.open(ctx, body); err != nil {
			return nil, fmt.Errorf("introspection: the signed answer: %w", err)
		}
	}
	return activeObject(body)
}

func setBody(r *http.Request, mediaType, text string) {
	r.Header.Set("Content-Type", mediaType)
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

// send returns the body of an answer of the wanted type. The error has nothing
// of what was sent or received.
func send(client *http.Client, r *http.Request, wanted string, statuses ...int) ([]byte, error) {
	response, err := client.Do(r)
	if err != nil {
		if failed := (*url.Error)(nil); errors.As(err, &failed) {
			err = failed.Err // without the URL, which may have a secret in it
		}
		return nil, fmt.Errorf("introspection: the endpoint cannot be reached: %w", err)
	}
	defer response.Body.Close()
	switch status := response.StatusCode; status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge,
		http.StatusRequestURITooLong, http.StatusUnprocessableEntity:
		// An endpoint that takes a strange token ill must not be a way to have
		// requests undecided.
		return nil, claims.NewError(claims.ErrInvalidToken, claims.ReasonRejected, fmt.Errorf(
			"introspection: the endpoint refuses the request with status %d", status))
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, fmt.Errorf(
			"introspection: the endpoint refuses this API's own credentials with status %d", status)
	default:
		if !slices.Contains(statuses, status) {
			return nil, fmt.Errorf("introspection: the endpoint answers with status %d", status)
		}
	}
	mediaType, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || mediaType != wanted {
		return nil, fmt.Errorf("introspection: the answer is not %s", wanted)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("introspection: the answer breaks off: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("introspection: the answer is longer than %d bytes", maxAnswer)
	}
	return body, nil
}
