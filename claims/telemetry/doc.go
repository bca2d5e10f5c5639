// Package telemetry makes OpenTelemetry metrics and span events of what the
// guards of a service decide and of what its key caches do: how many requests
// are refused, why and at which operation, how old the keys are and for how
// long they will last, whether two replicas go by the same policy. It is a
// module of its own, so that whoever does not import it has nothing of it.
//
//	tel, err := telemetry.New(telemetry.Config{
//		Issuers: map[string]string{"https://issuer.example": "main"},
//	})
//	auth := httpmw.New(verifier, httpmw.Config{Observer: tel.Observe})
//	mux := httpmw.NewServeMux(auth)
//	// … the routes …
//	tel.SetPolicy(mux.Operations())
//	tel.WatchKeys(issuers.KeyStats)
//	tel.WatchRevocations(ended.Stats)
//
// # Metrics
//
// Every name begins with "sallyport."; Prometheus has underscores for the dots,
// the unit at the end, and "_total" after counters. "issuer" is a short name
// out of [Config].Issuers, and "operation" a name in the access table.
//
//	decision.duration        s  histogram  outcome, reason, operation, protocol, part, issuer
//	decision.reported           counter    outcome, reason, operation, protocol
//	token_cache.lookup          counter    hit, of requests that were accepted
//	permission.lookup           counter    from: "token", "cache" or "source"
//	permission.fetch.duration s histogram  result
//	key_set.age              s  gauge      issuer: since the keys were fetched
//	key_set.usable_for       s  gauge      issuer: until the keys are not used any more
//	key_set.state               gauge      issuer, state: 1 for the one it is in, else 0
//	key_set.failures            gauge      issuer: fetches that failed since the last success
//	key_set.keys                gauge      issuer
//	key_set.generation          gauge      issuer: key sets that differed from the one before
//	key_set.info                gauge      issuer, thumbprint: 1
//	key_set.fetch.duration   s  histogram  issuer, cause, fault
//	key_set.lookup.refused      counter    issuer, refusal
//	key.skipped                 gauge      issuer, reason
//	revocation.entries          gauge
//	revocation.feed.age      s  gauge      since all news was known, 0 without a store
//	revocation.news             counter
//	revocation.widened          counter    the table was full
//	policy.info                 gauge      hash: 1
//	policy.operations           gauge
//
// No label has a value that a caller may choose: no key ID, subject, client,
// path, or issuer that is not configured. What is not known by name is "other".
//
// Beside this file are alert rules and a dashboard, in the directories
// prometheus and grafana, which a test holds to these names.
//
// # Traces
//
// A span that is recorded gets an event "sallyport.decision" for each decision
// made in it, with the same words. Measurements carry the context of the
// request, so that an exporter of exemplars can lead from a slow decision to
// its trace.
//
// # Cost
//
// A decision costs one look-up and what the SDK takes to record it. Nothing is
// kept per request.
package telemetry
