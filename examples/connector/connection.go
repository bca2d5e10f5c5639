package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// connection is what a user of the integration platform has set up: the client
// ID and secret, and the token that acquire merged into it. It is safe for
// concurrent use.
type connection struct {
	tokenURL, base, id, secret string

	mu    sync.Mutex // guards the fields below, and held while a token is acquired
	token string
	scope string // that was asked for, empty for all that the client has
}

func newConnection(tokenURL, base, id, secret string) *connection {
	return &connection{tokenURL: tokenURL, base: base, id: id, secret: secret}
}

// Test sends the request that shows whether the connection works: 200 and
// nothing else.
func (c *connection) Test(ctx context.Context) error {
	response, err := c.Do(ctx, http.MethodGet, "/api/v5/me")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the connection does not work: %s", response.Status)
	}
	return nil
}

// Do sends a request. If the answer says that another token would help it
// acquires one and sends the request once more: once, whatever comes of it.
func (c *connection) Do(ctx context.Context, method, path string) (*http.Response, error) {
	token, err := c.current(ctx)
	if err != nil {
		return nil, err
	}
	response, err := c.send(ctx, method, path, token)
	if err != nil {
		return nil, err
	}
	scope, helps := detect(response)
	if !helps {
		return response, nil
	}
	another, err := c.acquire(ctx, token, scope)
	if err != nil || another == token {
		return response, nil // the first answer tells more than that there is no token
	}
	_ = response.Body.Close()
	return c.send(ctx, method, path, another)
}

// send applies a token to a request.
func (c *connection) send(ctx context.Context, method, path, token string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return http.DefaultClient.Do(r)
}

func (c *connection) current(ctx context.Context) (string, error) {
	c.mu.Lock()
	token := c.token
	c.mu.Unlock()
	if token != "" {
		return token, nil
	}
	return c.acquire(ctx, "", "")
}

// acquire gets a token, in the place of one that did not do. Whoever else has
// acquired one meanwhile has done it for this request too.
func (c *connection) acquire(ctx context.Context, instead, scope string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != instead {
		return c.token, nil
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if scope != "" {
		form.Set("scope", scope)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.tokenURL,
		strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
		Scope string `json:"scope"`
		Error string `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("no token: %s, %s", response.Status, answer.Error)
	}
	c.token, c.scope = answer.Token, answer.Scope
	return c.token, nil
}
