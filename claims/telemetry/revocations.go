package telemetry

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/sallyport-go/sallyport/claims/revocation"
)

type revocationGauges struct {
	entries metric.Int64ObservableGauge
	age     metric.Float64ObservableGauge
	news    metric.Int64ObservableCounter
	widened metric.Int64ObservableCounter
}

func newRevocationGauges(m *maker) revocationGauges {
	return revocationGauges{
		entries: m.gauge("sallyport.revocation.entries", "Entries of the revocation table."),
		age: m.ageGauge("sallyport.revocation.feed.age",
			"Time since all news of revocations was known: of a store that others write to."),
		news: m.observed("sallyport.revocation.news", "Pieces of news of revocations."),
		widened: m.observed("sallyport.revocation.widened",
			"Times that the table was full, and an entry was made to reach more."),
	}
}

// WatchRevocations exports what a revocation table holds and how old its news
// is, each time the metrics are read: the Stats method of a
// [revocation.Table]. Until a store was heard of at all, the age is the time
// since this call. The error is what the MeterProvider refuses.
func (t *Telemetry) WatchRevocations(stats func() revocation.Stats) error {
	if !t.isMade() || stats == nil {
		return nil
	}
	gauges, start := t.instruments.revocations, time.Now()
	_, err := t.instruments.meter.RegisterCallback(
		func(_ context.Context, o metric.Observer) (err error) {
			defer func() {
				if p := recover(); p != nil { // it is the user's
					err = fmt.Errorf("telemetry: the function of WatchRevocations panicked: %v", p)
				}
			}()
			s := stats()
			age := s.FeedAge
			if age < 0 {
				age = time.Since(start)
			}
			o.ObserveInt64(gauges.entries, int64(s.Entries))
			o.ObserveFloat64(gauges.age, age.Seconds())
			o.ObserveInt64(gauges.news, int64(s.News))
			o.ObserveInt64(gauges.widened, int64(s.Widened))
			return nil
		}, gauges.entries, gauges.age, gauges.news, gauges.widened)
	return err
}
