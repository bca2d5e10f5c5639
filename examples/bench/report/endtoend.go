package main

import "github.com/sallyport-go/sallyport/examples/bench/internal/measured"

const endToEndNote = "32 callers in one process, each with a request at a time, and the " +
	"server in another, on the same processors. In brackets, times as much as without a " +
	"guard in the same round. \"-claims\" also needs a permission that the token's claims " +
	"have, \"-source\" one that a PermissionCache has from a source."

func httpEndToEnd(r *measured.Results, alg string) *table {
	t := endToEnd(r, "EndToEnd/transport=HTTP/alg="+alg,
		"Requests over loopback: HTTP ("+alg+")", "Connections are kept. "+endToEndNote)
	if alg == "RS256" {
		t.picture = "endtoend.svg"
	}
	return t
}

func unaryEndToEnd(r *measured.Results) *table {
	return endToEnd(r, "EndToEnd/transport=GRPC/call=unary",
		"Requests over loopback: gRPC, unary calls (RS256)", "Four connections. "+endToEndNote)
}

func endToEnd(r *measured.Results, benchmark, title, note string) *table {
	t := &table{
		title: title, note: note,
		columns: []string{"", "requests a second", "median", "99 %", "server's processor time"},
	}
	for _, impl := range r.Labels(benchmark, "impl") {
		name := benchmark + "/impl=" + impl
		t.add(implText(impl),
			besideBare(r, name, "requests/s", "requests", count),
			besideBare(r, name, "p50-sec", "p50", duration),
			besideBare(r, name, "p99-sec", "p99", duration),
			besideBare(r, name, "cpu-sec/op", "cpu", duration))
	}
	return t
}

func streamsEndToEnd(r *measured.Results) *table {
	const benchmark = "EndToEnd/transport=GRPC/call="
	t := &table{
		title: "Requests over loopback: gRPC, streams (RS256)",
		note: "A message each way on a stream that stays open, and to open a stream, pass a " +
			"message each way, and close it. In brackets, times as much as without a guard.",
		columns: []string{
			"", "messages a second", "server's processor time", "streams a second",
			"server's processor time",
		},
	}
	for _, impl := range r.Labels(benchmark+"open", "impl") {
		cells := []string{implText(impl)}
		for _, call := range []string{"message", "open"} {
			name := benchmark + call + "/impl=" + impl
			cells = append(cells, besideBare(r, name, "requests/s", "requests", count),
				besideBare(r, name, "cpu-sec/op", "cpu", duration))
		}
		t.add(cells...)
	}
	return t
}

func implText(impl string) string {
	if impl == "none" {
		return "no guard"
	}
	return impl
}

// besideBare formats a median, and in brackets its ratio to that without a
// guard.
func besideBare(
	r *measured.Results, name, unit, metric string, format func(float64) string,
) string {
	text := cell(r, name, unit, format)
	if text == missing {
		return missing
	}
	return text + " (" + cell(r, name, metric+"-x-bare", ratio) + ")"
}
