package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Token is a token as it is kept.
type Token struct {
	AccessToken string    `json:"access_token"`
	Expiry      time.Time `json:"expiry"`
}

// early is how long before its end a token is taken as expired, so that it does
// not expire on the way.
const early = 10 * time.Second

func (t Token) lasts() bool { return t.AccessToken != "" && time.Until(t.Expiry) > early }

// SDKConfig is the configuration of an SDK's client for an API whose tokens
// come from client credentials.
type SDKConfig struct {
	BaseURL, TokenURL, ClientID, ClientSecret string
	Scopes                                    []string

	// TokenProvider supplies the token wherever the last one is undefined,
	// expired, or was not accepted: from a store, or by auth.FetchToken. Nil
	// means that it is fetched.
	TokenProvider func(ctx context.Context, last Token, auth *AuthManager) (Token, error)

	// OnTokenUpdate is told of each token that takes the place of another.
	OnTokenUpdate func(ctx context.Context, token Token) error
}

// Client is the SDK's client. It is safe for concurrent use: calls that need a
// token at the same time get one together.
type Client struct {
	cfg  SDKConfig
	auth *AuthManager

	mu    sync.Mutex // guards token, and is held while the next is had
	token Token
}

// NewClient returns a client. It makes no request.
func NewClient(cfg SDKConfig) *Client { return &Client{cfg: cfg, auth: &AuthManager{cfg}} }

// AuthManager gets tokens from the authorization server.
type AuthManager struct{ cfg SDKConfig }

// FetchToken asks the authorization server for a token.
func (m *AuthManager) FetchToken(ctx context.Context) (Token, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(m.cfg.Scopes) > 0 {
		form.Set("scope", strings.Join(m.cfg.Scopes, " "))
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.cfg.TokenURL,
		strings.NewReader(form.Encode()))
	if err != nil {
		return Token{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(m.cfg.ClientID), url.QueryEscape(m.cfg.ClientSecret))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return Token{}, err
	}
	defer response.Body.Close()
	var answer struct {
		Token   string `json:"access_token"`
		Expires int64  `json:"expires_in"`
		Error   string `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return Token{}, err
	}
	if response.StatusCode != http.StatusOK {
		return Token{}, fmt.Errorf("no token: %s, %s", response.Status, answer.Error)
	}
	return Token{answer.Token, time.Now().Add(time.Duration(answer.Expires) * time.Second)}, nil
}

var errBodyGone = errors.New("the request cannot be repeated, as its body cannot")

// Do sends a request with a token. If the API says that the token is invalid,
// though it should last, as after a revocation, it is refreshed and the request
// is repeated: once. Any other refusal is handed on.
func (c *Client) Do(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	token, err := c.current(ctx)
	if err != nil {
		return nil, err
	}
	response, err := send(r, token)
	if err != nil || !isInvalidToken(response) {
		return response, err
	}
	next, err := c.refresh(ctx, token)
	if err != nil || next.AccessToken == token.AccessToken {
		return response, nil // there is no better answer
	}
	again := r.Clone(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		if r.GetBody == nil {
			_ = response.Body.Close()
			return nil, errBodyGone
		}
		if again.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	_ = response.Body.Close()
	return send(again, next)
}

func send(r *http.Request, token Token) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token.AccessToken)
	return http.DefaultClient.Do(r)
}

var invalidToken = regexp.MustCompile(`error="invalid_token"`)

// isInvalidToken reports whether the challenge says so (RFC 6750 section 3.1).
// Another 401 may be about something else, a 403 is not about the token's life.
func isInvalidToken(response *http.Response) bool {
	return response.StatusCode == http.StatusUnauthorized &&
		invalidToken.MatchString(strings.Join(response.Header.Values("WWW-Authenticate"), ", "))
}

// current returns a token that lasts.
func (c *Client) current(ctx context.Context) (Token, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token.lasts() {
		return c.token, nil
	}
	return c.supply(ctx, c.token.AccessToken)
}

// refresh returns another token than one that was not accepted. Who comes
// second gets what the first has got.
func (c *Client) refresh(ctx context.Context, refused Token) (Token, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token.AccessToken != refused.AccessToken && c.token.lasts() {
		return c.token, nil
	}
	return c.supply(ctx, refused.AccessToken)
}

// supply asks the hook, and the authorization server if the hook has nothing
// better than a token that did not do. It is called with mu held.
func (c *Client) supply(ctx context.Context, not string) (Token, error) {
	var next Token
	var err error
	if c.cfg.TokenProvider != nil {
		if next, err = c.cfg.TokenProvider(ctx, c.token, c.auth); err != nil {
			return Token{}, err
		}
	}
	if !next.lasts() || next.AccessToken == not {
		if next, err = c.auth.FetchToken(ctx); err != nil {
			return Token{}, err
		}
	}
	c.token = next
	if c.cfg.OnTokenUpdate != nil {
		err = c.cfg.OnTokenUpdate(ctx, next)
	}
	return next, err
}
