package claims

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Verdict is what came of a [Check].
type Verdict string

// The verdicts.
const (
	Passed  Verdict = "passed"
	Refused Verdict = "refused"
	// Skipped means that the check was not made: one before it has to pass first.
	Skipped Verdict = "skipped"
)

// Check is one check of a token in an [Explanation].
type Check struct {
	// Name is what is checked: "form", "header", "payload", "issuer", "algorithm",
	// "type", "time", "audience", "claims", "key", "signature", "binding", "client"
	// or "check", the last being [Config].Check.
	Name    string
	Verdict Verdict
	// Reason is why it was refused; otherwise it is empty.
	Reason Reason
	// Found is what the token has, and Wanted what is accepted, for people to read.
	// Found quotes what the sender of the token wrote.
	Found, Wanted string
}

// Explanation says how a token fares, check by check.
type Explanation struct {
	// Checks are all checks, in their order.
	Checks []Check
	// Err is nil if the token is accepted, otherwise an [*Error] with the reason of
	// the first check that refused.
	Err error
}

// String returns a table with a line for each check.
func (e Explanation) String() string {
	var b strings.Builder
	for _, c := range e.Checks {
		verdict := string(c.Verdict)
		if c.Reason != "" {
			verdict += ": " + string(c.Reason)
		}
		compared := c.Found
		if c.Verdict == Refused && c.Wanted != "" {
			compared = strings.TrimPrefix(compared+"; wanted "+c.Wanted, "; ")
		}
		line := fmt.Sprintf("%-10s %-24s %s", c.Name, verdict, compared)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// checkNames are in the order of the constants.
var checkNames = [checkCount]string{
	"algorithm", "type", "time", "audience", "claims", "key", "signature", "binding", "client", "check",
}

// Explain verifies a token as [Verifier.Authenticate] does and says what was
// compared, for operators and tests: it goes on after a refusal, with the checks
// that stand on their own, so that all faults show at once. It looks for keys only
// if the token is of the issuer and its algorithm is accepted, and calls
// [Config].Check only if everything else has passed. Of a token with several faults
// Authenticate may give another reason: that its key is unknown, if the key ID was
// invented and others are as well.
//
// It never shows the signature, a secret, or a claim other than those checked;
// what it shows is still for those who may see the token. It is no part of serving
// requests: use Authenticate there.
func (v *Verifier) Explain(ctx context.Context, text string) Explanation {
	e := &explainer{v: v, now: time.Now(), work: new(work)}
	e.form(text)
	for c := range checkCount {
		e.do(ctx, c)
	}
	return e.Explanation
}

// explainer collects an Explanation.
type explainer struct {
	Explanation
	v    *Verifier
	now  time.Time
	work *work // not one to be used again
}

// add takes note of a check that was made.
func (e *explainer) add(c Check, err error) {
	c.Verdict = Passed
	if err != nil {
		refusal := AsError(err)
		c.Verdict, c.Reason = Refused, refusal.Reason()
		if e.Err == nil {
			e.Err = refusal
		}
	}
	e.Checks = append(e.Checks, c)
}

func (e *explainer) passed(name string) bool {
	for _, c := range e.Checks {
		if c.Name == name {
			return c.Verdict == Passed
		}
	}
	return false
}

// form does the checks of a token by itself, and that of the issuer, each of which
// needs the one before it.
func (e *explainer) form(text string) {
	err := e.work.read(text)
	e.add(Check{
		Name:   "form",
		Found:  fmt.Sprintf("%d bytes, %d segments", len(text), strings.Count(text, ".")+1),
		Wanted: fmt.Sprintf("at most %d bytes, 3 segments", maxTokenSize),
	}, err)
	if err != nil {
		e.skip("header", "payload", "issuer")
		return
	}
	err = e.work.parseHeader(e.v.accepted)
	e.add(Check{
		Name: "header", Found: e.work.header.String(),
		Wanted: "strict base64url and JSON, a signature by " + e.v.accepted.String() + ", no crit",
	}, err)
	if err != nil {
		e.skip("payload", "issuer")
		return
	}
	if err = e.work.parsePayload(); err != nil {
		e.add(Check{
			Name:   "payload",
			Wanted: "strict base64url and JSON, claims of the right types, none twice",
		}, err)
		e.skip("issuer")
		return
	}
	c := e.work.claims
	e.add(Check{Name: "payload", Found: fmt.Sprintf("%d bytes", len(c.payload))}, nil)
	if !e.v.trusts(c.issuer) {
		err = errIssuer
	}
	e.add(Check{Name: "issuer", Found: quote(c.issuer), Wanted: quote(e.v.cfg.Issuer)}, err)
}

func (e *explainer) skip(names ...string) {
	for _, name := range names {
		e.Checks = append(e.Checks, Check{Name: name, Verdict: Skipped})
	}
}

// do does one of the checks that [Verifier.verify] does.
func (e *explainer) do(ctx context.Context, c check) {
	if !e.stands(c) {
		e.skip(checkNames[c])
		return
	}
	described := Check{Name: checkNames[c]}
	err := e.v.do(ctx, c, &e.work.token, e.now)
	described.Found, described.Wanted = e.compared(c)
	e.add(described, err)
}

// stands reports whether what a check relies on is so.
func (e *explainer) stands(c check) bool {
	switch c {
	case checkKey:
		return e.passed("issuer") && e.passed("algorithm")
	case checkSignature:
		return e.passed("key")
	case checkOwn:
		return e.Err == nil
	}
	return e.passed("payload")
}
