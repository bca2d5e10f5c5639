package jwks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// discover asks the issuer's metadata where its keys are.
func (r *remote) discover(ctx context.Context) (string, error) {
	var errs []error
	for _, from := range metadataURLs(r.issuer, r.issuerURL) {
		found, err := r.readMetadata(ctx, from)
		if err == nil {
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
	body, _, err := r.get(ctx, from, "application/json")
	if err != nil {
		return "", err
	}
	var metadata struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(body, &metadata); err != nil {
		return "", fmt.Errorf("jwks: %s is not issuer metadata", from)
	}
	// RFC 8414 section 3.3: else one issuer could speak for another.
	if metadata.Issuer != r.issuer {
		return "", fmt.Errorf("jwks: %s speaks for issuer %.200q, not %q",
			from, metadata.Issuer, r.issuer)
	}
	if metadata.JWKSURI == "" {
		return "", fmt.Errorf("jwks: %s has no jwks_uri", from)
	}
	u, err := parseURL(metadata.JWKSURI)
	if err != nil {
		return "", fmt.Errorf("jwks: the jwks_uri of %s %w", from, err)
	}
	if u.Scheme != "https" && r.issuerURL.Scheme == "https" {
		return "", fmt.Errorf("jwks: the jwks_uri of %s must be https", from)
	}
	return metadata.JWKSURI, nil
}
