package main

import (
	"net/http"
	"regexp"
)

var parameter = regexp.MustCompile(`(error|scope)="([^"]*)"`)

// detect reads what an answer says of the token, from its status and its
// challenge (RFC 6750 section 3):
//
//   - 401: the token is missing, expired or not accepted. Another one helps.
//   - 403 with a challenge: it lacks a scope, which is named. Another one helps
//     if the client may have that scope, so it is asked for.
//   - 403 without: the caller may not, whatever the token. None helps.
//   - 400: the request is malformed. None helps.
//   - 503: it cannot be told now. None helps, and Retry-After says when.
func detect(response *http.Response) (scope string, helps bool) {
	switch response.StatusCode {
	case http.StatusUnauthorized:
		return "", true
	case http.StatusForbidden:
	default:
		return "", false
	}
	found := map[string]string{}
	for _, challenge := range response.Header.Values("WWW-Authenticate") {
		for _, p := range parameter.FindAllStringSubmatch(challenge, -1) {
			found[p[1]] = p[2]
		}
	}
	return found["scope"], found["error"] == "insufficient_scope"
}
