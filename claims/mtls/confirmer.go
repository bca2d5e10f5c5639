package mtls

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/sallyport-go/sallyport/claims"
)

// Confirmer proves tokens that are bound to a certificate by "x5t#S256" (RFC
// 8705 section 3.1), for [claims.Config].Confirmers. It is immutable and safe
// for concurrent use. The zero value is ready for use.
type Confirmer struct{}

var _ claims.Confirmer = (*Confirmer)(nil)

// New returns a Confirmer.
func New() *Confirmer { return &Confirmer{} }

// Confirms returns "x5t#S256" and "Bearer".
func (*Confirmer) Confirms() (member, scheme string) { return "x5t#S256", "Bearer" }

// Confirm returns nil if the request was sent by whoever holds the key of the
// certificate with this thumbprint: TLS has proven that of the certificate that
// it saw.
func (*Confirmer) Confirm(ctx context.Context, thumbprint string, by claims.Credentials) error {
	proof := by.Proof.Prove(ctx)
	switch {
	case proof.Fault != nil:
		return refusal(proof.Fault)
	case proof.Certificate == nil:
		return refusal(errNoCertificate)
	}
	sum := sha256.Sum256(proof.Certificate.Raw)
	if shown := base64.RawURLEncoding.EncodeToString(sum[:]); shown != thumbprint {
		return refusal(fmt.Errorf(
			"mtls: the certificate is %s, and the token bound to %.64q", shown, thumbprint))
	}
	return nil
}

var errNoCertificate = errors.New("mtls: the client showed no certificate")

func refusal(cause error) error {
	return claims.NewError(claims.ErrInvalidToken, claims.ReasonBinding, cause)
}
