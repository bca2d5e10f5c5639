package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Exchange says how a token is exchanged for one that is for another service
// (RFC 8693).
type Exchange struct {
	// TokenURL is the token endpoint of the issuer. It is https, unless its
	// host is one of Config.InsecureHTTPHosts. Redirects are not followed.
	// Required.
	TokenURL string

	// ClientID and ClientSecret are those of this service, which is shown as
	// the one who exchanges, by HTTP Basic (RFC 6749 section 2.3.1). Without a
	// ClientSecret the ClientID is sent as that of a public client. Required is
	// the ClientID.
	ClientID, ClientSecret string

	// Audiences and Resources are for whom the token is to be: names, and URLs
	// (RFC 8693 section 2.1). One of them is required.
	Audiences, Resources []string

	// Scopes are those to ask for. Nil leaves them to the issuer.
	Scopes []string

	// MaxTokens is how many tokens are remembered. Zero means 10,000.
	MaxTokens int

	// Client asks the token endpoint, nil for one of package relay's own. Its
	// CheckRedirect is not used.
	Client *http.Client
}

// ExchangeError is the refusal of a token endpoint (RFC 6749 section 5.2).
type ExchangeError struct {
	// Status is that of the response.
	Status int

	// Code is the "error" of the response, such as "invalid_target", empty if
	// it has none that is well-formed.
	Code string
}

// Error returns the status and the code.
func (e *ExchangeError) Error() string {
	text := fmt.Sprintf("relay: the token endpoint answered %d", e.Status)
	if e.Code != "" {
		text += " " + e.Code
	}
	return text
}

const (
	exchangeTimeout = 10 * time.Second
	maxResponse     = 1 << 20
	maxToken        = 64 << 10
	tokenTypeURN    = "urn:ietf:params:oauth:token-type:access_token"
)

// issued is what a token was exchanged for.
type issued struct {
	token string
	lasts time.Duration // from when it was asked for, zero if that is not said
}

// validate reports what is wrong with an Exchange.
func (e *Exchange) validate(insecure []string, wrong func(string, ...any)) {
	u, err := url.Parse(e.TokenURL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		wrong("Exchange.TokenURL must be a URL without user and fragment")
	case u.Scheme == "http" && slices.Contains(insecure, withoutPort(u.Host, "80")):
	case u.Scheme != "https":
		wrong("Exchange.TokenURL of %q must be https", e.TokenURL)
	}
	if e.ClientID == "" {
		wrong("Exchange.ClientID is empty")
	}
	if len(e.Audiences) == 0 && len(e.Resources) == 0 {
		wrong("Exchange has no Audiences and no Resources: the token would be for nobody")
	}
	if slices.Contains(e.Audiences, "") {
		wrong("Exchange.Audiences has an empty one")
	}
	for _, resource := range e.Resources {
		if u, err := url.Parse(resource); err != nil || !u.IsAbs() || u.Fragment != "" {
			wrong("Exchange.Resources has %q, which is no absolute URI without fragment", resource)
		}
	}
	for _, scope := range e.Scopes {
		if scope == "" || strings.ContainsAny(scope, " \t\r\n") {
			wrong("Exchange.Scopes has %q, which is no scope", scope)
		}
	}
	if e.MaxTokens < 0 {
		wrong("Exchange.MaxTokens of %d is negative", e.MaxTokens)
	}
}

// ask exchanges a token.
func (e *exchanger) ask(ctx context.Context, subject string) (issued, error) {
	form := url.Values{
		"grant_type":           {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token":        {subject},
		"subject_token_type":   {tokenTypeURN},
		"requested_token_type": {tokenTypeURN},
	}
	for name, values := range map[string][]string{
		"audience": e.cfg.Audiences, "resource": e.cfg.Resources,
	} {
		if len(values) > 0 {
			form[name] = values
		}
	}
	if len(e.cfg.Scopes) > 0 {
		form.Set("scope", strings.Join(e.cfg.Scopes, " "))
	}
	if e.cfg.ClientSecret == "" {
		form.Set("client_id", e.cfg.ClientID)
	}
	req, err := http.NewRequestWithContext(
		ctx, http.MethodPost, e.cfg.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return issued{}, errors.New("relay: the request to the token endpoint cannot be made")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if e.cfg.ClientSecret != "" {
		req.SetBasicAuth(url.QueryEscape(e.cfg.ClientID), url.QueryEscape(e.cfg.ClientSecret))
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return issued{}, fmt.Errorf("relay: the token endpoint: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err != nil {
		return issued{}, fmt.Errorf("relay: the token endpoint: %w", err)
	}
	if len(body) > maxResponse {
		return issued{}, errors.New("relay: the response of the token endpoint is too long")
	}
	return read(resp, body)
}

// read returns the token in a response.
func read(resp *http.Response, body []byte) (issued, error) {
	if resp.StatusCode != http.StatusOK {
		var refusal struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(body, &refusal) != nil || !isCode(refusal.Error) {
			refusal.Error = ""
		}
		return issued{}, &ExchangeError{resp.StatusCode, refusal.Error}
	}
	mediaType, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return issued{}, errors.New("relay: the response of the token endpoint is no JSON")
	}
	var answer struct {
		AccessToken     string  `json:"access_token"`
		TokenType       string  `json:"token_type"`
		IssuedTokenType string  `json:"issued_token_type"`
		ExpiresIn       float64 `json:"expires_in"`
	}
	switch err := json.Unmarshal(body, &answer); { // whose error may quote the token
	case err != nil:
		return issued{}, errors.New("relay: the response of the token endpoint is no JSON object " +
			"of strings and a number")
	case !strings.EqualFold(answer.TokenType, "Bearer"):
		return issued{}, errors.New("relay: the token endpoint issued no Bearer token")
	case !isToken68(answer.AccessToken) || len(answer.AccessToken) > maxToken:
		return issued{}, errors.New("relay: the token endpoint issued no token that can be sent")
	}
	const most = 24 * time.Hour
	lasts := time.Duration(min(max(answer.ExpiresIn, 0), most.Seconds()) * float64(time.Second))
	return issued{answer.AccessToken, lasts}, nil
}

// isCode reports whether s is an error code as RFC 6749 section 5.2 has it, of
// a length that is fit for a log.
func isCode(s string) bool {
	other := func(c rune) bool { return c < 0x20 || c > 0x7e || c == '"' || c == '\\' }
	return s != "" && len(s) <= 64 && strings.IndexFunc(s, other) < 0
}

// isToken68 reports whether s is a token68 (RFC 9110 section 11.2).
func isToken68(s string) bool {
	const token68 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"
	s = strings.TrimRight(s, "=")
	return s != "" && strings.Trim(s, token68) == ""
}
