package statuslist

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/signed"
)

const (
	mediaType    = "application/statuslist+jwt"
	tokenType    = "statuslist+jwt"
	maxRedirects = 5
	leeway       = 30 * time.Second // between the issuer's clock and ours
	// around is what a list's token has beside the list.
	around = 64 << 10
)

// issuerKey is where a request has whose list it is for, for its redirects.
type issuerKey struct{}

// newClient returns a client that never leaves the prefixes.
func (l *Lists) newClient() *http.Client {
	client := new(http.Client)
	if l.cfg.Client != nil {
		*client = *l.cfg.Client
	}
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		of, _ := r.Context().Value(issuerKey{}).(*issuer)
		switch {
		case of == nil:
			return errors.New("a redirect of nobody's")
		case len(via) > maxRedirects:
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		return of.checkURI(r.URL.String())
	}
	return client
}

// fetch returns a list that its issuer has signed.
func (l *Lists) fetch(ctx context.Context, k key) (*statuses, error) {
	l.fetches.Add(1)
	of := l.issuers[k.issuer]
	text, err := l.download(context.WithValue(ctx, issuerKey{}, of), k.uri)
	if err != nil {
		return nil, fmt.Errorf("the list %s: %w", k.uri, err)
	}
	token, err := signed.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the list %s: %w", k.uri, err)
	}
	if err := checkToken(token, k); err != nil {
		return nil, fmt.Errorf("the list %s: %w", k.uri, err)
	}
	if err := token.Verify(ctx, k.issuer, of.keys, nil); err != nil {
		return nil, fmt.Errorf("the list %s: %w", k.uri, err)
	}
	// Last, as it costs: what nobody has signed is not inflated.
	list, err := readList(token.Claims, l.cfg.MaxListSize)
	if err != nil {
		return nil, fmt.Errorf("the list %s: %w", k.uri, err)
	}
	return list, nil
}

func (l *Lists) download(ctx context.Context, uri string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Accept", mediaType)
	response, err := l.client.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("it was answered with %s", response.Status)
	}
	got, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || got != mediaType {
		return "", fmt.Errorf("it is not %s but %.100q", mediaType, got)
	}
	most := 2*l.cfg.MaxListSize + around // base64, and a list that does not compress
	body, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	switch {
	case err != nil:
		return "", err
	case int64(len(body)) > most:
		return "", fmt.Errorf("it is longer than %d bytes", most)
	}
	return string(body), nil
}

// checkToken is section 5.1, but for the list and the signature.
func checkToken(token *signed.Token, k key) error {
	if !token.IsType(tokenType) {
		return fmt.Errorf("its typ is %.100q", token.Type)
	}
	c := token.Claims
	subject, err := c.String("sub")
	if err != nil || subject != k.uri {
		return errors.New("it is the list of another URL")
	}
	if issuer, err := c.String("iss"); err != nil || c.Has("iss") && issuer != k.issuer {
		return fmt.Errorf("it is of the issuer %.200q", issuer)
	}
	issued, err := c.Time("iat")
	if err != nil || issued.IsZero() {
		return errors.New("it has no iat")
	}
	expires, err := c.Time("exp")
	now := time.Now()
	switch {
	case err != nil:
		return err
	case issued.After(now.Add(leeway)):
		return errors.New("it was issued in the future")
	case !expires.IsZero() && !now.Before(expires.Add(leeway)):
		return errors.New("it has expired")
	}
	return nil
}
