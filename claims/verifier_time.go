package claims

import "context"

// checkTime compares "exp", which is required, "nbf" and "iat" with the time,
// all by one leeway (RFC 7519 sections 4.1.4 to 4.1.6); then the age and the
// lifetime.
func checkTime(_ context.Context, w *work) error {
	c, v, now := w.claims, w.v, w.now
	limited := v.maxTokenAge > 0 || v.maxLifetime > 0
	switch {
	case c.expiresAt.IsZero(): // "exp" is required, RFC 9068 section 2.2
		return errNoExpiry
	case !now.Before(c.expiresAt.Add(v.leeway)):
		return errExpired
	case now.Add(v.leeway).Before(c.notBefore), now.Add(v.leeway).Before(c.issuedAt):
		return errNotYetValid
	case limited && c.issuedAt.IsZero():
		return errNoAge
	case v.maxTokenAge > 0 && now.Sub(c.issuedAt)-v.leeway >= v.maxTokenAge:
		return errTooOld
	case v.maxLifetime > 0 && c.expiresAt.Sub(c.issuedAt) > v.maxLifetime:
		return errLifetime
	}
	return nil
}
