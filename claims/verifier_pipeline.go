package claims

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"
)

// gate verifies tokens for a [Verifier], [Issuers] or [Tenants], which know the
// issuers, and remembers those that it has verified.
type gate struct {
	accepted algorithmSet
	seed     [seedSize]byte // of the hashes that stand for tokens
	headers  headers
	cache    tokenCache
}

// router finds the Verifier of an issuer that is trusted. Errors are refusals.
type router interface {
	// early refuses a token that is hopeless by a header which is not that of a
	// token before, and before the payload is decoded.
	early(h header, payload []byte) error
	route(ctx context.Context, issuer string) (*Verifier, error)
}

func newGate(accepted algorithmSet, tokens int) *gate {
	g := &gate{accepted: accepted, cache: tokenCache{tokens: max(tokens, 0)}}
	_, _ = rand.Read(g.seed[:]) // never fails
	return g
}

// authenticate verifies a Bearer token of one of the issuers, by the checks and in
// the order that the package comment gives.
func (g *gate) authenticate(
	ctx context.Context, r Request, issuers router,
) (*Claims, CacheState, error) {
	if !strings.EqualFold(r.Scheme, "Bearer") {
		return nil, CacheUnknown, errUnsupportedScheme
	}
	if len(r.Token) > maxTokenSize {
		return nil, CacheUnknown, errTooLarge
	}
	var w work
	w.load(&g.seed, r.Token)
	defer w.buffers.release()
	if err := g.readHeader(&w); err != nil {
		return nil, CacheUnknown, err
	}
	if !w.knownHeader {
		if err := issuers.early(w.header, w.segments.payload); err != nil {
			return nil, CacheUnknown, err
		}
	}
	caller, v, err := g.verify(ctx, &w, issuers)
	if err != nil {
		return nil, CacheUnknown, err
	}
	if err := v.checkOwn(ctx, caller); err != nil {
		return nil, CacheUnknown, err
	}
	return caller, g.stateOf(&w, caller, v), nil
}

// stateOf tells how a token was verified.
func (g *gate) stateOf(w *work, caller *Claims, v *Verifier) CacheState {
	switch {
	case g.cache.tokens <= 0 || v.cfg.TokenCache < 0:
		return CacheUnknown
	case caller != w.claims: // not what was parsed, if anything was
		return CacheHit
	}
	return CacheMiss
}

// readHeader reads the header of a token, unless it is that of others before.
func (g *gate) readHeader(w *work) error {
	if err := w.split(); err != nil {
		return err
	}
	if w.header, w.knownHeader = g.headers.find(w.segments.header); w.knownHeader {
		return nil
	}
	return w.parseHeader(g.accepted)
}

// verify does all checks but the user's own, or those that are left of a token that
// is remembered.
func (g *gate) verify(ctx context.Context, w *work, issuers router) (*Claims, *Verifier, error) {
	if g.cache.tokens > 0 {
		w.sum()
		if caller, v, err := g.recall(ctx, w, issuers); caller != nil || err != nil {
			return caller, v, err
		}
	}
	if err := w.parsePayload(); err != nil {
		return nil, nil, err
	}
	v, err := issuers.route(ctx, w.claims.issuer)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	if err := v.verify(ctx, &w.token, now, checkAlgorithm, checkKey); err != nil {
		return nil, nil, err
	}
	if g.cache.tokens > 0 && v.cfg.TokenCache >= 0 {
		return g.once(ctx, w, v, issuers, now)
	}
	return w.claims, v, g.finish(ctx, w, v, now)
}

// finish does the checks that cost.
func (g *gate) finish(ctx context.Context, w *work, v *Verifier, now time.Time) error {
	if err := v.findKeys(ctx, &w.token); err != nil {
		return err
	}
	if time.Since(now) > time.Second { // keys, or another, were waited for
		now = time.Now()
		if err := v.checkTime(w.claims, now); err != nil {
			return err
		}
	}
	if err := v.verify(ctx, &w.token, now, checkSignature, checkOwn); err != nil {
		return err
	}
	if !w.knownHeader {
		g.headers.add(w.segments.header, w.header, now)
	}
	return nil
}

// once is finish, and remembers the token. If an identical one is being verified it
// waits for that.
func (g *gate) once(
	ctx context.Context, w *work, v *Verifier, issuers router, now time.Time,
) (*Claims, *Verifier, error) {
	if f := g.cache.board(ctx, &w.hash); f != nil {
		defer g.cache.land(f)
	}
	if caller, v, err := g.recall(ctx, w, issuers); caller != nil || err != nil {
		return caller, v, err
	}
	if err := g.finish(ctx, w, v, now); err != nil { // which another request may not meet
		return nil, nil, err
	}
	g.cache.add(&cachedToken{
		sum: w.hash, claims: w.claims, verifier: v.id, key: w.key,
		keyID: strings.Clone(w.header.keyID), algorithm: strings.Clone(w.header.algorithm),
	}, now)
	return w.claims, v, nil
}

// recall does the checks of a token that is remembered whose outcome may be another
// than before. Without claims and error all have to be done.
func (g *gate) recall(
	ctx context.Context, w *work, issuers router,
) (*Claims, *Verifier, error) {
	now := time.Now()
	t := g.cache.find(&w.hash, now)
	if t == nil {
		return nil, nil, nil
	}
	v, err := issuers.route(ctx, t.claims.issuer)
	if err != nil {
		return nil, nil, err
	}
	if v.id != t.verifier {
		g.cache.remove(t)
		return nil, nil, nil
	}
	if err := v.checkTime(t.claims, now); err != nil {
		return nil, nil, err
	}
	if v.secrets != nil {
		return t.claims, v, nil
	}
	// It counts as a use of the keys: those that are due are fetched.
	keys, err := v.keys.Lookup(ctx, t.keyID, t.algorithm)
	switch {
	case err != nil:
		return nil, nil, keyError(err)
	case !slices.ContainsFunc(keys, t.key.Equal):
		g.cache.remove(t)
		return nil, nil, nil
	}
	return t.claims, v, nil
}
