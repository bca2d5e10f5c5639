package telemetry_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/telemetry"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// A service whose decisions and keys Prometheus reads from /metrics.
func Example() {
	registry := prometheus.NewRegistry()
	exporter, err := otelprom.New(otelprom.WithRegisterer(registry))
	if err != nil {
		log.Fatal(err)
	}
	const issuer = "https://issuer.example"
	tel, err := telemetry.New(telemetry.Config{
		MeterProvider: metric.NewMeterProvider(metric.WithReader(exporter)),
		Issuers:       map[string]string{issuer: "main"},
	})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := claims.NewIssuers(claims.Config{
		Issuer:    issuer,
		Audiences: []string{"https://orders.example"},
		KeyCache:  jwks.Config{Observer: tel.KeyObserver(issuer)},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := httpmw.NewServeMux(httpmw.New(verifier, httpmw.Config{Observer: tel.Observe}))
	mux.Handle("GET /metrics", claims.Public(), promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /orders", claims.Scopes("orders:read"),
		func(http.ResponseWriter, *http.Request) {})
	tel.SetPolicy(mux.Operations())
	if err := tel.WatchKeys(verifier.KeyStats); err != nil {
		log.Fatal(err)
	}

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "/orders", nil))
	fmt.Println(answer.Code)
	metrics, err := registry.Gather()
	if err != nil {
		log.Fatal(err)
	}
	for _, family := range metrics {
		if family.GetName() == "sallyport_decision_duration_seconds" {
			for _, label := range family.GetMetric()[0].GetLabel() {
				if label.GetName() == "reason" {
					fmt.Println(label.GetName(), label.GetValue())
				}
			}
		}
	}
	// Output:
	// 401
	// reason no_token
}
