package claims

import (
	"context"

	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// JWS is a signed token whose payload need not be a claims set.
type JWS struct {
	Algorithm, KeyID string
	Input, Signature []byte
}

// ParseJWS does the checks of a token's form and header, and leaves those of
// its claims out.
func ParseJWS(text string) (*JWS, error) {
	w := work{accepted: jws.Asymmetric, seeded: []byte(text)}
	if len(text) > defaultMaxTokenSize {
		return nil, errTooLarge
	}
	if err := w.run(context.Background(), 0, placeOf("payload")); err != nil {
		return nil, err
	}
	_, ok1 := strict.Decode(nil, w.segments.payload)
	signature, ok2 := strict.Decode(nil, w.segments.signature)
	if !ok1 || !ok2 {
		return nil, errMalformed
	}
	return &JWS{w.header.algorithm, w.header.keyID, w.segments.input, signature}, nil
}

// Trusted returns the issuers, as in their Configs, in alphabetical order.
func (i *Issuers) Trusted() []string {
	if !i.isMade() {
		return nil
	}
	return i.trusted.Load().names()
}

// Len returns how many tenants are held.
func (t *Tenants) Len() int {
	if !t.isMade() {
		return 0
	}
	t.desk.Lock()
	defer t.desk.Unlock()
	return t.newcomers.Len() + t.verified.Len()
}

// Len returns how many principals are in the cache.
func (c *PermissionCache) Len() int {
	if !c.isMade() {
		return 0
	}
	c.desk.Lock()
	defer c.desk.Unlock()
	return len(c.answers)
}
