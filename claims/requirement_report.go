package claims

import (
	"errors"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

// ReportOnly records whether needs would refuse, in the [Decision] that an
// [Observer] is told of, and refuses nobody for it: it tries a requirement
// before it is enforced. A valid token is needed all the same.
//
// The trial costs what the requirement costs. It is skipped in [Filter] and
// where there is no Observer. Of a stream, what looks at the first message is
// tried only if something that is enforced waits for it.
func ReportOnly(needs Requirement) Requirement { return valid(&reportOnly{needs: needs}) }

type reportOnly struct {
	text  text
	needs Requirement
}

func (r *reportOnly) check(q *query) error {
	if q.quiet || q.untold || !q.call.observed() {
		return nil
	}
	trial := *q // nothing of which has consequences
	trial.tried = true
	err := r.try(&trial)
	q.from(trial.origin)
	if err != nil && q.reported == nil {
		q.reported = AsError(err)
	}
	return nil
}

// try checks the requirement on trial. Not even a panic in it reaches the
// caller.
func (r *reportOnly) try(q *query) (err error) {
	defer func() {
		var panicked *foreign.PanicError
		if errors.As(err, &panicked) {
			err = undecided(q.ctx, ReasonUndecided, err)
		}
	}()
	defer foreign.Recover(r, &err)
	return r.needs.decide(q)
}

func (r *reportOnly) wants(*query, []string) wants { return wants{} }
func (*reportOnly) meetable() bool                 { return true }
func (*reportOnly) admits() bool                   { return false }
func (r *reportOnly) parts() []Requirement         { return []Requirement{r.needs} }
func (r *reportOnly) fits(any) error               { return nil }
func (r *reportOnly) local() bool                  { return false }

func (r *reportOnly) String() string {
	return r.text.or(func() string { return "ReportOnly(" + r.needs.String() + ")" })
}

func (r *reportOnly) equal(other rule) bool {
	o, ok := other.(*reportOnly)
	return ok && r.needs.Equal(o.needs)
}

func (r *reportOnly) validate() error {
	parts := []Requirement{r.needs}
	return errors.Join(validateParts("ReportOnly", parts), validateNoOptional("ReportOnly", parts))
}
