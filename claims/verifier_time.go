package claims

import (
	"context"
	"time"
)

// checkTime compares "exp", which is required (RFC 9068 section 2.2), "nbf" and
// "iat" with the time.
func checkTime(_ context.Context, w *work) error {
	return w.v.checkTimes(w.claims, w.now, false)
}

// checkTimes compares "exp", "nbf" and "iat" with the time, all by one leeway
// (RFC 7519 sections 4.1.4 to 4.1.6); then the age and the lifetime.
func (v *trust) checkTimes(c *facts, now time.Time, eternal bool) error {
	limited := v.maxTokenAge > 0 || v.maxLifetime > 0
	expires := !c.expiresAt.IsZero()
	switch {
	case !expires && (!eternal || v.maxLifetime > 0):
		return errNoExpiry
	case expires && !now.Before(c.expiresAt.Add(v.leeway)):
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

// until returns when a token stops being accepted, zero for never.
func (v *trust) until(c *facts) time.Time {
	var until time.Time
	if !c.expiresAt.IsZero() {
		until = c.expiresAt.Add(v.leeway)
	}
	if v.maxTokenAge > 0 {
		oldest := c.issuedAt.Add(v.maxTokenAge).Add(v.leeway)
		if until.IsZero() || oldest.Before(until) {
			until = oldest
		}
	}
	return until
}
