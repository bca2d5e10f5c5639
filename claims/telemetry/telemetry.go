package telemetry

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

const (
	scope = "github.com/sallyport-go/sallyport/claims/telemetry"

	// other is the label of whatever has no name of its own.
	other = "other"

	maxName = 64 // bytes of an issuer's short name
)

// Config says where the metrics go and what issuers are called in them. The
// zero value is useful.
type Config struct {
	// MeterProvider makes the instruments. Nil means [otel.GetMeterProvider].
	MeterProvider metric.MeterProvider

	// Issuers are short names of issuers, for the label "issuer", by the
	// identifier in their [claims.Config]: up to 64 characters of printable
	// ASCII. Two issuers with one name are counted together, and the worse of
	// two key sets is shown. An issuer that is not here is "other", so that
	// those of claims.Tenants, or of an issuer with an open segment, do not
	// make a series each.
	Issuers map[string]string
}

// Telemetry records decisions and key sets. It is safe for concurrent use.
// [New] makes one; the zero value records nothing, and neither does a nil one.
type Telemetry struct {
	issuers     map[string]string
	instruments *instruments
	policy      atomic.Pointer[policy]
	series      atomic.Pointer[map[series]*measured]
	mu          sync.Mutex // held while series is replaced
}

// New returns a Telemetry. The error reports everything that is wrong with its
// Config, and whatever the MeterProvider refuses.
func New(cfg Config) (*Telemetry, error) {
	var errs []error
	names := make(map[string]string, len(cfg.Issuers))
	for issuer, name := range cfg.Issuers {
		if !isName(name) {
			errs = append(errs, fmt.Errorf("telemetry: New: Config.Issuers[%q] of %q is not "+
				"1 to %d characters of printable ASCII", issuer, name, maxName))
		}
		names[issuer] = name
	}
	provider := cfg.MeterProvider
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	made, err := newInstruments(provider.Meter(scope))
	if err != nil {
		errs = append(errs, fmt.Errorf("telemetry: New: %w", err))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	t := &Telemetry{issuers: names, instruments: made}
	t.policy.Store(&policy{})
	t.series.Store(&map[series]*measured{})
	if err := t.watchPolicy(); err != nil {
		return nil, fmt.Errorf("telemetry: New: %w", err)
	}
	return t, nil
}

func isName(name string) bool {
	for _, c := range []byte(name) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return name != "" && len(name) <= maxName
}

func (t *Telemetry) isMade() bool { return t != nil && t.instruments != nil }

// nameOf returns the short name of an issuer, empty for none.
func (t *Telemetry) nameOf(issuer string) string {
	if issuer == "" {
		return ""
	}
	if name, ok := t.issuers[issuer]; ok {
		return name
	}
	return other
}

// labels returns the option that puts labels on a measurement, of names and
// values in turn.
func labels(pairs ...string) metric.MeasurementOption {
	attrs := make([]attribute.KeyValue, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		attrs = append(attrs, attribute.String(pairs[i], pairs[i+1]))
	}
	return metric.WithAttributeSet(attribute.NewSet(attrs...))
}
