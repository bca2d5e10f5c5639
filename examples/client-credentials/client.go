package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// What the documentation tells apart.
var (
	errCredentials = errors.New("client ID or secret is wrong")
	errToken       = errors.New("the API does not accept the token")
	errAccess      = errors.New("the account may not do this")
)

// client is a client of the platform, safe for concurrent use.
type client struct {
	tokenURL, api, id, secret string

	mu     sync.Mutex // guards the fields below
	token  string
	expiry time.Time
}

// call makes a request with a token, which is fetched if there is none that
// lasts.
func (c *client) call(ctx context.Context, method, path string) (status int, err error) {
	token, err := c.bearer(ctx)
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(ctx, method, c.api+path, nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusUnauthorized:
		return response.StatusCode, errToken
	case http.StatusForbidden:
		return response.StatusCode, errAccess
	}
	return response.StatusCode, nil
}

// bearer returns a token that lasts for a while.
func (c *client) bearer(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Until(c.expiry) > 10*time.Second {
		return c.token, nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.tokenURL,
		strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret)) // RFC 6749 section 2.3.1
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return "", errCredentials
	default:
		return "", fmt.Errorf("the token endpoint answered %s", response.Status)
	}
	var answer struct {
		Type    string `json:"token_type"`
		Expires int64  `json:"expires_in"`
		Token   string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", err
	}
	if !strings.EqualFold(answer.Type, "Bearer") {
		return "", fmt.Errorf("a token of type %q", answer.Type)
	}
	c.token = answer.Token
	c.expiry = time.Now().Add(time.Duration(answer.Expires) * time.Second)
	return c.token, nil
}
