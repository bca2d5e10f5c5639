package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// client is a client of the platform. It reuses a token until it has expired.
type client struct {
	tokenURL, api, id, secret string

	mu     sync.Mutex // guards the fields below
	token  string
	expiry time.Time
}

// query sends a query and returns the answer as it came.
func (c *client) query(ctx context.Context, query string) (string, error) {
	token, err := c.bearer(ctx)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(map[string]any{"query": query, "variables": map[string]any{}})
	if err != nil {
		return "", err
	}
	answer, err := post(ctx, c.api+"/v1", token, body)
	return strings.TrimSpace(string(answer)), err
}

// bearer asks for a token with a JSON body, as the platform's documentation
// has it.
func (c *client) bearer(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Until(c.expiry) > 10*time.Second {
		return c.token, nil
	}
	body, err := json.Marshal(map[string]string{
		"grant_type": "client_credentials", "client_id": c.id, "client_secret": c.secret,
	})
	if err != nil {
		return "", err
	}
	answer, err := post(ctx, c.tokenURL, "", body)
	if err != nil {
		return "", err
	}
	var got struct {
		Token   string `json:"access_token"`
		Expires int64  `json:"expires_in"`
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		return "", err
	}
	c.token, c.expiry = got.Token, time.Now().Add(time.Duration(got.Expires)*time.Second)
	return c.token, nil
}

func post(ctx context.Context, url, token string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("POST %s: %s", url, response.Status)
	}
	return answer, err
}
