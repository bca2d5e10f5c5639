package claims

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/claims/internal/jws"
)

// maxSecrets is enough to change one while tokens of two more are about.
const maxSecrets = 4

// NewSymmetricVerifier returns a Verifier of tokens that are signed by HMAC
// with a secret which the issuer shares with this API. Whoever has the secret,
// this API included, can make tokens: prefer an issuer with public keys and
// [NewVerifier], which never accepts HMAC. A token may be made with any of the
// secrets, so that they can be changed; at most 4.
//
// cfg.Keys, and an open segment in cfg.Issuer, are not allowed: a secret and
// public keys never mix (RFC 8725 section 3.1). cfg.Algorithms may be HS256,
// HS384 and HS512; empty means HS256. A secret has at least the length of the
// hash, 32, 48 or 64 bytes (RFC 7518 section 3.2), and should be random:
// whoever sees one token can try secrets on it. A public key or a certificate
// is refused, in each form that it is commonly kept in: PEM, DER, JWK, SSH,
// OpenPGP, minisign, and any of them as base64 or hexadecimal digits. A bare
// key of 32 bytes, as of Ed25519, looks like a secret.
func NewSymmetricVerifier(secrets [][]byte, cfg Config) (*Verifier, error) {
	if len(cfg.Algorithms) == 0 {
		cfg.Algorithms = []string{"HS256"}
	}
	rules, errs := cfg.compile(jws.Symmetric)
	if cfg.Keys != nil || cfg.KeySetURL != "" || !isZero(cfg.KeyCache) {
		errs = append(errs, errors.New("claims: Config.Keys, KeySetURL or KeyCache is set: "+
			"a symmetric verifier has secrets, and no public keys"))
	}
	if strings.ContainsAny(cfg.Issuer, "{}") || cfg.TrustTenant != nil {
		errs = append(errs, errors.New(
			"claims: Config.Issuer or TrustTenant leaves the issuer open: one secret, one issuer"))
	}
	errs = append(errs, validateSecrets(secrets, cfg.Algorithms)...)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	v := newVerifier(newTrust(rules, jws.Symmetric))
	for _, s := range secrets {
		own := slices.Clone(s)
		v.secrets = append(v.secrets, func() []byte { return own })
	}
	return v, nil
}

// validateSecrets says of a secret only which it is.
func validateSecrets(secrets [][]byte, algorithms []string) []error {
	var errs []error
	if len(secrets) == 0 || len(secrets) > maxSecrets {
		errs = append(errs, fmt.Errorf("claims: %d secrets; it takes 1 to %d",
			len(secrets), maxSecrets))
	}
	least := 32
	for _, alg := range algorithms {
		least = max(least, map[string]int{"HS384": 48, "HS512": 64}[alg])
	}
	for i, s := range secrets {
		if len(s) < least {
			errs = append(errs, fmt.Errorf(
				"claims: secret %d has %d bytes, and the algorithms need %d", i, len(s), least))
		}
		if isPublic(s) {
			errs = append(errs, fmt.Errorf(
				"claims: secret %d is a public key or a certificate, which is no secret", i))
		}
	}
	return errs
}
