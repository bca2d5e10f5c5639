package dpop

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/jws"
)

// Confirmer proves tokens that are bound to a key by "jkt" (RFC 9449 section
// 6.1), for [claims.Config].Confirmers. It is immutable, but for its
// [ReplayStore], and safe for concurrent use. [New] makes one; a zero Confirmer
// refuses.
type Confirmer struct {
	base       *target // nil for where the request arrived
	algorithms []string
	accepted   jws.Algorithms
	window     time.Duration
	keys       *keyring
	nonces     *nonces  // nil if none is demanded
	replays    *replays // nil if nothing is remembered
}

var _ claims.Confirmer = (*Confirmer)(nil)

// Confirms returns "jkt" and "DPoP".
func (c *Confirmer) Confirms() (member, scheme string) { return "jkt", "DPoP" }

// Algorithms returns those that proofs may be signed with.
func (c *Confirmer) Algorithms() []string { return slices.Clone(c.algorithms) }

// refusal is that of a proof, for a cause.
func refusal(reason claims.Reason, format string, args ...any) error {
	return claims.NewError(claims.ErrInvalidToken, reason, fmt.Errorf("dpop: "+format, args...))
}

var errNotMade = claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided,
	errors.New("dpop: the Confirmer was not made by New"))

// Confirm returns nil if the request has one proof, by the key whose thumbprint
// is jkt, for this request and this token, that was made now and not used
// before (RFC 9449 section 4.3). The time, the nonce and the replay come last,
// so that a proof which is refused for anything else is not used up.
func (c *Confirmer) Confirm(ctx context.Context, jkt string, by claims.Credentials) error {
	if c == nil || c.accepted == nil {
		return errNotMade
	}
	request := by.Proof.Prove(ctx)
	p, err := c.read(request.DPoP)
	if err != nil {
		return err
	}
	if thumbprint := p.key.Thumbprint(); thumbprint != jkt {
		return refusal(claims.ReasonBinding,
			"the proof is by the key %s, and the token bound to %s", thumbprint, jkt)
	}
	if err := c.checkTarget(p, request); err != nil {
		return err
	}
	if p.ath != accessTokenHash(by.Token) {
		return refusal(claims.ReasonProof, "ath is not the hash of the token")
	}
	until, nonce, err := c.checkTime(p, time.Now())
	if nonce != "" && request.Respond != nil {
		request.Respond("DPoP-Nonce", nonce)
	}
	if err != nil {
		return err
	}
	if !c.accepted.Verify(p.algorithm, p.key.Public(), p.input, p.signature) {
		return refusal(claims.ReasonProof, "the signature is wrong")
	}
	if !p.knownKey {
		c.keys.add(p.jwk, p.algorithm, p.key)
	}
	if c.replays == nil {
		return nil
	}
	return c.replays.use(ctx, jkt, p.jti, until)
}

// checkTarget checks that a proof is for this request.
func (c *Confirmer) checkTarget(p *proof, request claims.Proof) error {
	if p.htm != request.Method {
		return refusal(claims.ReasonProofTarget,
			"htm is %.40q, and the method %.40q", p.htm, request.Method)
	}
	want, ok := parseTarget(request.URL)
	if !ok {
		return refusal(claims.ReasonProofTarget, "the request is for %.200q, which is no URL",
			request.URL)
	}
	if c.base != nil {
		want = c.base.with(want)
	}
	got, ok := parseTarget(p.htu)
	if !ok {
		return refusal(claims.ReasonProofTarget, "htu is %.200q, which is no http URL", p.htu)
	}
	if got != want {
		return refusal(claims.ReasonProofTarget, "htu is for %.200q, and the request for %.200q",
			got.String(), want.String())
	}
	return nil
}

// checkTime checks that a proof was made now, and returns until when it counts,
// and the nonce for the client's next, empty if that which it has will do.
func (c *Confirmer) checkTime(p *proof, now time.Time) (until time.Time, nonce string, err error) {
	if c.nonces != nil {
		until, nonce = c.nonces.check(p.nonce, now)
		if until.IsZero() {
			return until, nonce, refusal(claims.ReasonNonce,
				"the nonce is %.64q, which is none of ours that still counts", p.nonce)
		}
		return until, nonce, nil
	}
	until = p.issuedAt.Add(c.window)
	off := now.Sub(p.issuedAt)
	switch {
	case off > c.window || off < -c.window:
		err = refusal(claims.ReasonProofTime, "iat is %s off, and may be %s", -off, c.window)
	case !p.notBefore.IsZero() && p.notBefore.After(now.Add(c.window)):
		err = refusal(claims.ReasonProofTime, "nbf is %s ahead", p.notBefore.Sub(now))
	case !p.expiresAt.IsZero() && p.expiresAt.Before(now.Add(-c.window)):
		err = refusal(claims.ReasonProofTime, "exp was %s ago", now.Sub(p.expiresAt))
	}
	return until, "", err
}

// accessTokenHash is "ath" (RFC 9449 section 4.2).
func accessTokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
