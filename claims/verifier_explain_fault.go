package claims

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// refine says of a check that refused what is not seen by comparing.
func (e *explainer) refine(c *CheckResult, err error) {
	switch {
	case c.Name == "issuer" && AsError(err).reason == ReasonTooLarge:
		c.Found = fmt.Sprintf("%d bytes", len(e.work.text()))
		c.Wanted = fmt.Sprintf("at most %d bytes for a token of this issuer", e.work.v.maxTokenSize)
	case c.Name == "issuer":
		c.Found += e.untrusted(err)
	case c.Name == "form", c.Name == "header", c.Name == "payload":
		if cause := causeOf(err); cause != "" && AsError(err).reason != ReasonTooLarge &&
			c.Name != "form" {
			c.Found = strings.TrimPrefix(c.Found+"; "+cause, "; ") + e.place(c.Name, AsError(err))
		}
	case c.Found == "": // of a check of their own
		c.Found = causeOf(err)
	case c.Name == "time" && AsError(err).reason == ReasonClaims,
		c.Name == "key" && AsError(err).class == ErrUnavailable,
		c.Name == "binding" && len(e.work.v.confirmers) > 0:
		c.Found += ": " + causeOf(err)
	}
}

// untrusted says why the issuer of the token is not trusted.
func (e *explainer) untrusted(err error) string {
	issuer := e.work.claims.issuer
	if AsError(err).reason == ReasonIssuer {
		if of, how := e.work.issuers.nearest(e.work.claims.issuer, math.MaxInt); of != nil {
			return ", which differs from " + quote(of.issuer) + " in " + how
		}
		if of := e.work.openTo(issuer); of != nil {
			e.work.v = of
			return ", which Config.TrustTenant of " + quote(of.issuer) + " does not trust"
		}
	}
	if cause := causeOf(err); cause != "" {
		return ": " + cause
	}
	return ""
}

// openTo returns whose issuer has a segment left open in which that of a token
// fits, nil if nobody's does.
func (w *work) openTo(issuer string) (of *trust) {
	w.issuers.each(func(t *trust) bool {
		if t.template != nil && t.template.tenant(issuer) != "" {
			of = t
		}
		return of == nil
	})
	return of
}

// causeOf returns why a refusal was made, for people, empty if its reason says
// it all.
func causeOf(err error) string {
	cause := errors.Unwrap(err)
	if cause == nil || cause == ErrUnrecognized {
		return ""
	}
	text := strings.TrimPrefix(whole(cause), "claims: ")
	return clip(quoteRaw(strings.TrimSuffix(text, ": "+ErrUnrecognized.Error())))
}

// place says where in a segment the fault is, and what is there.
func (e *explainer) place(segment string, refusal *Error) string {
	encoded := map[string][]byte{
		"header": e.work.segments.header, "payload": e.work.segments.payload,
	}[segment]
	if refusal == errSignatureText {
		encoded = e.work.segments.signature
	}
	decoded, ok := strict.Decode(nil, encoded)
	if !ok {
		return strayAt(encoded)
	}
	if segment == "header" {
		return faultAt(string(decoded), func(member string) bool {
			_, refusal := readHeader(member)
			return refusal != nil
		})
	}
	return faultAt(string(decoded), func(member string) bool {
		_, refusal := parseClaims(member, new(strict.Members))
		return refusal != nil
	})
}

// strayAt says where in a segment there is what base64url does not have.
func strayAt(segment []byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i, c := range segment {
		if strings.IndexByte(alphabet, c) < 0 {
			return fmt.Sprintf(": %s at byte %d", quote(string(c)), i)
		}
	}
	if len(segment) == 0 {
		return ": it is empty"
	}
	return fmt.Sprintf(": its last characters, of %d, stand for no whole byte", len(segment))
}

// faultAt says which member of an object is at fault, as refused says of an
// object that has it alone, or else where the text is.
func faultAt(text string, refused func(object string) bool) string {
	var seen strict.Members
	r := strict.NewReader(text)
	for r.Enter('{'); r.Next('}'); {
		start := r.At()
		name := r.ReadName(&seen)
		value := r.ReadRaw()
		if member, ok := r.Since(start); ok && refused("{"+member+"}") {
			return ": " + quote(name) + ": " + clip(quoteRaw(value))
		}
	}
	switch {
	case r.End():
		return ""
	case r.Fault() == strict.Twice:
		return ": " + quote(r.Repeated()) + ", near byte " + fmt.Sprint(r.Place())
	}
	return fmt.Sprintf(": near byte %d of %d", r.Place(), len(text))
}

// provable returns the scheme under which a bound token has to be presented, or
// the refusal of one that nothing could prove.
func (w *work) provable() (scheme string, err error) {
	scheme = "Bearer"
	var seen strict.Members
	r := strict.NewReader(w.claims.cnf)
	for r.Enter('{'); r.Next('}'); {
		name := r.ReadName(&seen)
		if r.Skip(); r.Failed() {
			break
		}
		c := w.v.confirmers.of(name)
		if c == nil {
			return "", unproven(name)
		}
		if !strings.EqualFold(c.scheme, "Bearer") {
			scheme = c.scheme
		}
	}
	if !r.End() || seen.Len() == 0 {
		return "", errNoBinding
	}
	return scheme, nil
}
