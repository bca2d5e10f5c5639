package claims

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/jws"
)

const (
	passed  = "passed"
	refused = "refused"
	skipped = "skipped"
)

// CheckResult is one check of a token in an [Explanation].
type CheckResult struct {
	// Name is what is checked: "form", "header", "payload", "issuer",
	// "algorithm", "type", "time", "audience", "claims", "key", "signature",
	// "client", "binding" or "check", the last being [Config].Check.
	Name string
	// Verdict is "passed", "refused", or "skipped" if the check was not made:
	// one before it has to pass first, or it needs a request.
	Verdict string
	// Reason is why it was refused; otherwise it is empty.
	Reason Reason
	// Found is what the token has, and Wanted what is accepted, for people to
	// read. Found quotes what the sender of the token wrote.
	Found, Wanted string
}

// Explanation says how a token fares, check by check.
type Explanation struct {
	// Checks are all checks, in their order.
	Checks []CheckResult
	// Err is nil if the token is accepted, otherwise an [*Error] with the
	// reason of the first check that refused.
	Err error

	caller *facts // of a token that is accepted, nil otherwise
}

// With returns e with one more check, "revoked": whether the token has ended by
// what is known to news. It is skipped for a token that is not accepted.
func (e Explanation) With(news Revocations) Explanation {
	result := CheckResult{Name: "revoked", Verdict: skipped}
	if e.caller != nil {
		result.Verdict = passed
		if err := e.caller.unrevoked(news); err != nil {
			refusal := AsError(err)
			e.Err = refusal
			result.Verdict, result.Reason = refused, refusal.reason
			result.Found = textBehind(refusal)
		}
	}
	e.Checks = append(slices.Clone(e.Checks), result)
	return e
}

// String returns a table with a line for each check.
func (e Explanation) String() string {
	var b strings.Builder
	for _, c := range e.Checks {
		verdict := c.Verdict
		if c.Reason != "" {
			verdict += ": " + string(c.Reason)
		}
		compared := c.Found
		if c.Verdict == refused && c.Wanted != "" {
			compared = strings.TrimPrefix(compared+"; wanted "+c.Wanted, "; ")
		}
		line := fmt.Sprintf("%-10s %-24s %s", c.Name, verdict, compared)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// explain explains a token of one of the issuers. nearest is whose rules it is
// held against if its issuer is not trusted, nil for none.
func explain(
	ctx context.Context, accepted jws.Algorithms, issuers router, nearest *trust, text string,
) Explanation {
	e := &explainer{nearest: nearest, work: &work{
		accepted: accepted, issuers: issuers, now: time.Now(),
		credentials: Credentials{Scheme: "Bearer"},
		seeded:      []byte(text),
	}}
	for i := range checks {
		e.do(ctx, i)
	}
	if e.Err == nil {
		e.caller = e.work.claims
	}
	return e.Explanation
}

// explainer collects an Explanation.
type explainer struct {
	Explanation
	nearest *trust
	work    *work // not one to be used again
}

// add takes note of a check that was made.
func (e *explainer) add(c CheckResult, err error) {
	c.Verdict = passed
	if err != nil {
		refusal := AsError(err)
		c.Verdict, c.Reason = refused, refusal.Reason()
		if e.Err == nil {
			e.Err = refusal
		}
	}
	e.Checks = append(e.Checks, c)
}

func (e *explainer) passed(name string) bool {
	for _, c := range e.Checks {
		if c.Name == name {
			return c.Verdict == passed
		}
	}
	return false
}

// do does one of the checks, if it stands.
func (e *explainer) do(ctx context.Context, i int) {
	name := checks[i].name
	if !e.stands(name) {
		e.Checks = append(e.Checks, CheckResult{Name: name, Verdict: skipped})
		return
	}
	err := e.run(ctx, i)
	result := e.compared(name)
	if err != nil {
		e.refine(&result, err)
	}
	if name == "binding" && err == nil && e.work.claims.cnf != "" {
		result.Verdict = skipped
		e.Checks = append(e.Checks, result)
		return
	}
	e.add(result, err)
}

// run does a check.
func (e *explainer) run(ctx context.Context, i int) error {
	if len(e.work.text()) > e.work.issuers.sizes() && checks[i].name == "form" {
		return errTooLarge
	}
	if checks[i].name == "binding" && e.work.claims.cnf != "" {
		_, err := e.work.provable()
		return err
	}
	err := checks[i].run(ctx, e.work)
	if err != nil && e.work.v == nil && checks[i].name == "issuer" {
		e.work.v, _ = e.work.issuers.nearest(e.work.claims.issuer, math.MaxInt)
		if e.work.v == nil {
			e.work.v = e.nearest
		}
	}
	return err
}

// stands reports whether what a check relies on is so.
func (e *explainer) stands(name string) bool {
	switch name {
	case "form":
		return true
	case "header":
		return e.passed("form")
	case "payload":
		return e.passed("header")
	case "issuer":
		return e.passed("payload")
	case "key":
		return e.passed("issuer") && e.passed("algorithm")
	case "signature":
		return e.passed("key")
	case "check":
		return e.Err == nil
	}
	return e.passed("payload") && e.work.v != nil
}
