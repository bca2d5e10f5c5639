package jwks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// discover asks the issuer's metadata where its keys are.
func (r *remote) discover(ctx context.Context) (string, error) {
	var errs []error
	for _, from := range r.metadata {
		found, err := r.readMetadata(ctx, from)
		if err == nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.known = found
			return found, nil
		}
		errs = append(errs, err)
	}
	return "", errors.Join(errs...)
}

// metadataURLs returns where the metadata of a valid issuer may be: OpenID
// Connect Discovery 1.0 section 4 appends to the issuer's path, RFC 8414
// section 3.1 inserts before it.
func metadataURLs(issuer string, parsed *url.URL) []string {
	origin := parsed.Scheme + "://" + parsed.Host
	path := strings.TrimSuffix(parsed.EscapedPath(), "/")
	return []string{
		strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration",
		origin + "/.well-known/oauth-authorization-server" + path,
	}
}

func (r *remote) readMetadata(ctx context.Context, from string) (string, error) {
	body, _, err := r.get(ctx, from, http.Header{"Accept": {"application/json"}})
	if err != nil {
		return "", err
	}
	unusable := func(format string, args ...any) error {
		return &fault{FaultMetadata,
			fmt.Errorf("jwks: %s %w", withoutQuery(from), fmt.Errorf(format, args...))}
	}
	var metadata members
	if err := json.Unmarshal(body, &metadata); err != nil {
		return "", unusable("is not issuer metadata")
	}
	issuer, ok1 := metadata.text("issuer")
	keys, ok2 := metadata.text("jwks_uri")
	if !ok1 || !ok2 {
		return "", unusable("is not issuer metadata")
	}
	// RFC 8414 section 3.3: else one issuer could speak for another.
	if issuer != r.issuer {
		return "", unusable("speaks for issuer %.200q, not %q", issuer, r.issuer)
	}
	u, err := parseURL(keys)
	switch {
	case keys == "":
		return "", unusable("has no jwks_uri")
	case err != nil:
		return "", unusable("has a jwks_uri that %w", err)
	case r.secure && u.Scheme != "https":
		return "", unusable("has a jwks_uri that must be https")
	}
	return keys, nil
}
