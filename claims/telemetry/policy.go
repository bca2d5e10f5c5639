package telemetry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"go.opentelemetry.io/otel/metric"

	"github.com/sallyport-go/sallyport/claims"
)

// policy is what a service needs of its callers.
type policy struct {
	operations map[[2]string]string // by protocol and name, the name
	hash       string
}

// SetPolicy says which operations the service has: what its ServeMux, Audit or
// Policy lists, of both transports. Decisions about those have their names;
// until it is called, and for what it does not list, the operation is "other".
// The hash of the table is exported, so that replicas that go by another show.
// A later call takes the place of an earlier one.
func (t *Telemetry) SetPolicy(parts ...[]claims.Operation) {
	if !t.isMade() {
		return
	}
	table := claims.NewAccessTable(parts...)
	p := &policy{operations: make(map[[2]string]string, len(table))}
	for _, op := range table {
		p.operations[[2]string{op.Protocol, op.Name}] = op.Name
	}
	sum := sha256.Sum256([]byte(table.Markdown()))
	p.hash = hex.EncodeToString(sum[:8])
	t.policy.Store(p)
}

func (p *policy) nameOf(protocol, operation string) string {
	if name, ok := p.operations[[2]string{protocol, operation}]; ok && name != "" {
		return name
	}
	return other
}

type policyGauges struct {
	info, operations metric.Int64ObservableGauge
}

func newPolicyGauges(m *maker) policyGauges {
	return policyGauges{
		info: m.gauge("sallyport.policy.info",
			"1, with the hash of the access table that this replica goes by."),
		operations: m.gauge("sallyport.policy.operations", "Operations in the access table."),
	}
}

// watchPolicy registers the callback of the policy.
func (t *Telemetry) watchPolicy() error {
	gauges := t.instruments.policy
	_, err := t.instruments.meter.RegisterCallback(
		func(_ context.Context, o metric.Observer) error {
			p := t.policy.Load()
			if p.hash == "" { // it has not been said
				return nil
			}
			o.ObserveInt64(gauges.info, 1, labels("hash", p.hash))
			o.ObserveInt64(gauges.operations, int64(len(p.operations)))
			return nil
		}, gauges.info, gauges.operations)
	return err
}
