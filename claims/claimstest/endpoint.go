package claimstest

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const maxTokenRequest = 64 << 10

// tokenRequest is a request to the token endpoint, whichever way it was put.
type tokenRequest struct {
	GrantType    string `json:"grant_type"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Scope        string `json:"scope"`
}

// tokenError is an error answer (RFC 6749 section 5.2).
type tokenError struct {
	status      int
	code        string
	description string
}

// serveToken is the token endpoint: the client credentials grant, for a client
// that authenticates by HTTP Basic, in the form body (RFC 6749 section 2.3.1),
// or in a JSON body, as some platforms have it.
func (i *Issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache") // RFC 6749 section 5.1
	request, fault := readTokenRequest(w, r)
	var client Client
	if fault == nil {
		client, fault = i.authenticate(request)
	}
	var scope string
	if fault == nil {
		scope, fault = grant(client, request)
	}
	if fault != nil {
		if fault.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic realm="token endpoint"`)
		}
		writeJSON(w, fault.status, map[string]any{
			"error": fault.code, "error_description": fault.description,
		})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": i.Mint(Token{
			Subject: cmp.Or(client.Subject, client.ID), ClientID: client.ID, Scope: scope,
			Permissions: client.Permissions, Claims: client.Claims,
		}),
		"token_type": "Bearer",
		"expires_in": int(i.cfg.Lifetime.Seconds()),
		"scope":      scope,
	})
}

func readTokenRequest(w http.ResponseWriter, r *http.Request) (tokenRequest, *tokenError) {
	var request tokenRequest
	r.Body = http.MaxBytesReader(w, r.Body, maxTokenRequest)
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch mediaType {
	case "application/json":
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			return request, invalidRequest("The body is not a JSON object.")
		}
	case "application/x-www-form-urlencoded":
		if err := r.ParseForm(); err != nil {
			return request, invalidRequest("The body is not a form.")
		}
		for _, values := range r.PostForm {
			if len(values) > 1 { // RFC 6749 section 3.2
				return request, invalidRequest("A parameter is repeated.")
			}
		}
		request = tokenRequest{
			GrantType:    r.PostForm.Get("grant_type"),
			ClientID:     r.PostForm.Get("client_id"),
			ClientSecret: r.PostForm.Get("client_secret"),
			Scope:        r.PostForm.Get("scope"),
		}
	default:
		return request, invalidRequest("The body must be a form or JSON.")
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		return request, nil
	}
	if request.ClientSecret != "" {
		return request, invalidRequest("The client authenticates in two ways.")
	}
	// RFC 6749 section 2.3.1: both are form-encoded inside the field.
	var err1, err2 error
	request.ClientID, err1 = url.QueryUnescape(id)
	request.ClientSecret, err2 = url.QueryUnescape(secret)
	if err1 != nil || err2 != nil {
		return request, invalidRequest("The Authorization field is malformed.")
	}
	return request, nil
}

func (i *Issuer) authenticate(request tokenRequest) (Client, *tokenError) {
	// Hashes, so that the time tells nothing of the lengths either.
	secret := sha256.Sum256([]byte(request.ClientSecret))
	for _, client := range i.cfg.Clients {
		want := sha256.Sum256([]byte(client.Secret))
		if client.ID == request.ClientID && subtle.ConstantTimeCompare(secret[:], want[:]) == 1 {
			return client, nil
		}
	}
	return Client{}, &tokenError{
		http.StatusUnauthorized, "invalid_client", "Unknown client or wrong secret.",
	}
}

func grant(client Client, request tokenRequest) (string, *tokenError) {
	if request.GrantType == "" {
		return "", invalidRequest("grant_type is missing.")
	}
	if request.GrantType != "client_credentials" {
		return "", &tokenError{
			http.StatusBadRequest, "unsupported_grant_type",
			"The one grant type here is client_credentials.",
		}
	}
	asked := strings.Fields(request.Scope)
	if len(asked) == 0 {
		asked = client.Scopes
	}
	for _, scope := range asked {
		if !slices.Contains(client.Scopes, scope) {
			return "", &tokenError{
				http.StatusBadRequest, "invalid_scope", "The client may not have this scope.",
			}
		}
	}
	return strings.Join(asked, " "), nil
}

func invalidRequest(description string) *tokenError {
	return &tokenError{http.StatusBadRequest, "invalid_request", description}
}
