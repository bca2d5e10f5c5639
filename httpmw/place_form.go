package httpmw

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

const inForm spotKind = "the form parameter"

const (
	formParameter  = "access_token" // RFC 6750 section 2.2
	defaultMaxForm = 64 << 10
	maxMaxForm     = 10 << 20 // as much as net/http reads of a form
)

// FromForm returns the place that is the parameter access_token of a form body
// (RFC 6750 section 2.2), for pages that can send a form and nothing else. The
// body is looked at if its Content-Type is application/x-www-form-urlencoded,
// it has no Content-Encoding, and the method is POST, PUT or PATCH; otherwise
// the place is empty. The handler can read it as if nobody had, token included.
//
// Such a body is read before it is known who sends it, up to maxBody bytes,
// which are held until the request is done; a longer one is refused with
// [claims.ErrInvalidRequest]. Zero means 64 KiB; it is 10 MiB at most. Reading
// waits for the client: set the ReadTimeout of the http.Server.
//
// Whoever logs or replays bodies has the token. A token in Authorization as
// well is refused, as [FromCookie] has it.
func FromForm(maxBody int64) Place { return Place{&formWay{maxBody}} }

type formWay struct{ maxBody int64 }

func (f *formWay) spots() []spot { return []spot{{inForm, formParameter}} }

func (f *formWay) validate() error {
	if f.maxBody < 0 || f.maxBody > maxMaxForm {
		return fmt.Errorf("FromForm: maxBody of %d is not between 0 and %d",
			f.maxBody, int64(maxMaxForm))
	}
	return nil
}

func (f *formWay) take(r *http.Request) (claims.Credentials, error) {
	if !hasForm(r) {
		return claims.Credentials{}, errNoToken
	}
	var only lone
	if r.PostForm != nil { // somebody outside has read it
		for _, value := range r.PostForm[formParameter] {
			only.found(value)
		}
	} else {
		body, err := f.read(r)
		if err != nil {
			return claims.Credentials{}, err
		}
		if err := parameter(string(body), formParameter, &only); err != nil {
			return claims.Credentials{}, err
		}
	}
	token, err := only.value()
	if err != nil {
		return claims.Credentials{}, err
	}
	return claims.Credentials{Scheme: "Bearer", Token: token}, nil
}

// hasForm reports whether the body of a request is a form as net/http reads it,
// and nothing has to be undone first.
func hasForm(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
	default:
		return false
	}
	types := r.Header["Content-Type"]
	if r.Body == nil || len(types) != 1 || len(r.Header["Content-Encoding"]) > 0 {
		return false
	}
	mediaType, _, err := mime.ParseMediaType(types[0])
	return err == nil && mediaType == "application/x-www-form-urlencoded"
}

// read returns the body of a request, which it leaves to be read again: by
// whoever has the request, as it may be refused here and served elsewhere.
func (f *formWay) read(r *http.Request) ([]byte, error) {
	limit := f.maxBody
	if limit == 0 {
		limit = defaultMaxForm
	}
	if r.ContentLength > limit {
		return nil, errLongForm
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	r.Body = &readAgain{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	if err != nil {
		if r.Context().Err() != nil {
			return nil, claims.NewError(claims.ErrUnavailable, claims.ReasonCanceled, err)
		}
		return nil, claims.NewError(claims.ErrInvalidRequest,
			claims.ReasonMalformedCredentials, err)
	}
	if int64(len(body)) > limit {
		return nil, errLongForm
	}
	return body, nil
}

var errLongForm = claims.NewError(claims.ErrInvalidRequest, claims.ReasonMalformedCredentials,
	fmt.Errorf("httpmw: the form is longer than FromForm allows"))

// readAgain is a body that has been read and is read again.
type readAgain struct {
	io.Reader
	io.Closer
}

// parameter finds the values of a parameter in what is encoded as
// application/x-www-form-urlencoded, as net/url reads that.
func parameter(encoded, name string, only *lone) error {
	for pair := range strings.SplitSeq(encoded, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key, _ := url.QueryUnescape(key); key != name { // empty if it cannot be
			continue
		}
		value, err := url.QueryUnescape(value)
		if err != nil {
			return errMalformed
		}
		only.found(value)
	}
	return nil
}
