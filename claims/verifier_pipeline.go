package claims

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/clock"
	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/claims/internal/tokencache"
)

// pipeline verifies tokens for a [Verifier], [Issuers] or [Tenants], which know
// the issuers, and remembers those that it has verified.
type pipeline struct {
	accepted jws.Algorithms
	hash     *tokencache.Hash
	headers  headers
	cache    *tokencache.Cache[*facts]
}

func newPipeline(accepted jws.Algorithms, tokens int) *pipeline {
	return &pipeline{
		accepted: accepted, hash: tokencache.NewHash(), cache: tokencache.New[*facts](tokens),
	}
}

// identify verifies a token of one of the issuers.
func (p *pipeline) identify(ctx context.Context, c Credentials, issuers router) (*facts, error) {
	sure := true
	if !c.isBearer() {
		var takes bool
		if takes, sure = issuers.takes(c.Scheme); !takes {
			return nil, errUnsupportedScheme
		}
	}
	if len(c.Token) > issuers.sizes() {
		return nil, errTooLarge
	}
	w := p.load(c, issuers)
	defer w.release()
	if err := p.verify(ctx, w); err != nil {
		err = w.v.ofIssuer(err)
		if !sure {
			err = ofScheme(c.Scheme, issuers, err)
		}
		return nil, err
	}
	return w.claims, nil
}

// ofScheme returns the refusal of a token under a scheme that nobody was known
// to take: unless its issuer has shown to take it, or cannot be asked, the
// scheme is to blame.
func ofScheme(scheme string, issuers router, err error) error {
	if _, sure := issuers.takes(scheme); sure || errors.Is(err, ErrUnavailable) {
		return err
	}
	return NewError(ErrNoToken, ReasonUnsupportedScheme, errors.Join(ErrUnrecognized, err))
}

// claimsOf returns the claims of a request that has been identified.
func claimsOf(f *facts, err error) (*Claims, error) {
	if err != nil {
		return nil, err
	}
	return f.claims(), nil
}

// verify does all checks, or, of a remembered token, those whose outcome can
// change.
func (p *pipeline) verify(ctx context.Context, w *work) error {
	if err := p.readHeader(ctx, w); err != nil {
		return err
	}
	if p.cache.Max() > 0 {
		p.hash.Sum(&w.hash, w.seeded)
		if known, err := p.recall(ctx, w); known || err != nil {
			return err
		}
	}
	if err := checkPayload(ctx, w); err != nil {
		return err
	}
	if err := checkIssuer(ctx, w); err != nil {
		return err
	}
	w.now = time.Now()
	if err := w.run(ctx, atIssuer+1, atKey); err != nil {
		return err
	}
	if p.cache.Max() > 0 && w.v.maxTokens >= 0 {
		if known, err := p.once(ctx, w); known || err != nil {
			return err
		}
	} else if err := p.finish(ctx, w); err != nil {
		return err
	}
	return w.run(ctx, atBinding, len(checks))
}

// readHeader finds the segments and reads the header, unless it is that of a
// token verified before.
func (p *pipeline) readHeader(ctx context.Context, w *work) error {
	if err := checkForm(ctx, w); err != nil {
		return err
	}
	if w.header, w.knownHeader = p.headers.find(w.segments.header); w.knownHeader {
		return nil
	}
	if err := checkHeader(ctx, w); err != nil {
		return err
	}
	by, err := w.issuers.early(w.header, w.segments.payload)
	if err != nil {
		w.v = by // the payload names its issuer
	}
	return err
}

// finish does the checks that cost, up to those that each use repeats.
func (p *pipeline) finish(ctx context.Context, w *work) error {
	late := clock.Read(w.now).Add(time.Second)
	if err := w.run(ctx, atKey, atSignature); err != nil {
		return err
	}
	if clock.Now().Reached(late) { // keys, or another, were waited for
		w.now = time.Now()
		if err := checkTime(ctx, w); err != nil {
			return err
		}
	}
	if err := w.run(ctx, atSignature, atBinding); err != nil {
		return err
	}
	if !w.knownHeader {
		p.headers.add(w.segments.header, w.header, w.v.id, w.now)
	}
	return nil
}

// once is finish, and remembers the token. If an identical one is being
// verified it waits for that, and reports whether all is done.
func (p *pipeline) once(ctx context.Context, w *work) (known bool, err error) {
	if flight := p.cache.Board(ctx, &w.hash); flight != nil {
		defer p.cache.Land(flight)
	}
	parsed := w.claims
	if known, err = p.recall(ctx, w); known || err != nil {
		return known, err
	}
	if w.claims = parsed; w.v == nil {
		if err := checkIssuer(ctx, w); err != nil {
			return false, err
		}
	}
	// A failure is this request's own: whoever waited tries for itself.
	if err := p.finish(ctx, w); err != nil {
		return false, err
	}
	own := w.shareOrigin()
	p.cache.Add(&tokencache.Entry[*facts]{
		Sum: w.hash, Value: w.claims, Size: w.claims.size() + own,
		ExpiresAt: w.claims.expiresAt.Add(maxLeeway),
	}, w.now)
	return false, nil
}

// shareOrigin has what a token's claims know of its header be what all of its
// key or issuer share, so that no remembered token has its own, or a copy: what
// it is part of may be much larger. It returns how many bytes are the token's
// own.
func (w *work) shareOrigin() (own int) {
	o := &w.claims.origin
	o.algorithm = jws.Name(o.algorithm)
	if id := w.claims.keyID; id == o.keyID {
		o.keyID = id
	} else {
		o.keyID = strings.Clone(o.keyID)
		own += len(o.keyID)
	}
	if i := slices.Index(w.v.types, o.tokenType); i >= 0 {
		o.tokenType = w.v.types[i]
	} else {
		o.tokenType = strings.Clone(o.tokenType)
		own += len(o.tokenType)
	}
	return own
}

// recall re-checks a remembered token and reports whether it is one. If it is
// not, the token must be verified in full.
func (p *pipeline) recall(ctx context.Context, w *work) (known bool, err error) {
	now := time.Now()
	t := p.cache.Find(&w.hash, now)
	if t == nil {
		return false, nil
	}
	w.now, w.claims, w.remembered = now, t.Value, t.Value
	for i := range checks {
		if !checks[i].each {
			continue
		}
		if err := checks[i].run(ctx, w); err == errForgetToken { // they return it bare
			p.cache.Remove(t)
			w.claims, w.remembered, w.v = nil, nil, nil
			return false, nil
		} else if err != nil {
			return true, err
		}
	}
	return true, nil
}

// load returns what is needed for a token. It has to be released.
func (p *pipeline) load(c Credentials, issuers router) *work {
	w := works.Get().(*work)
	w.credentials, w.issuers, w.accepted = c, issuers, p.accepted
	seed := p.hash.Seed()
	w.seeded = append(append(w.seeded[:0], seed...), c.Token...)
	w.seed = len(seed)
	return w
}
