package main

import (
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/examples/bench/internal/measured"
)

func report(r *measured.Results) string {
	tables := []*table{
		ratios(r), httpEndToEnd(r, "RS256"), httpEndToEnd(r, "ES256"), unaryEndToEnd(r),
		streamsEndToEnd(r), times(r), allocations(r), cached(r),
		refusals(r), refusalAllocations(r), transports(r),
		authorization(r), parallel(r), latency(r), keys(r), memory(r),
	}
	tables = append(tables, curves(r)...)
	text := []string{head(r)}
	for _, t := range tables {
		if len(t.rows) > 0 {
			text = append(text, t.String())
		}
	}
	return strings.Join(text, "\n")
}

func head(r *measured.Results) string {
	var text strings.Builder
	text.WriteString("# Results\n\n" +
		"Written by `make bench-report` from [bench.txt](bench.txt), which benchstat reads as well.\n" +
		"Each figure is the median of the rounds.\n" +
		"What is compared, and how, is in the [package comment](../doc.go).\n\n")
	for _, line := range []struct{ name, value string }{
		{"Machine", fmt.Sprintf("%s, %s processors, %s/%s",
			r.Config("cpu"), r.Config("processors"), r.Config("goos"), r.Config("goarch"))},
		{"Go", r.Config("go")},
		{"Date", r.Config("date")},
		{"Command", "`" + r.Config("command") + "`"},
		{"Libraries", strings.ReplaceAll(r.Config("libraries"), ",", ", ")},
	} {
		text.WriteString("- " + line.name + ": " + line.value + "\n")
	}
	return text.String()
}

// byAlgorithm has a row for each contestant and a column for each algorithm.
func byAlgorithm(
	r *measured.Results, benchmark, title, note string, format func(name string) string,
) *table {
	algorithms := r.Labels(benchmark, "alg")
	t := &table{title: title, note: note, columns: append([]string{""}, algorithms...)}
	for _, impl := range r.Labels(benchmark, "impl") {
		cells := []string{impl}
		for _, alg := range algorithms {
			cells = append(cells, format(benchmark+"/alg="+alg+"/impl="+impl))
		}
		t.add(cells...)
	}
	return t
}

func ratios(r *measured.Results) *table {
	return byAlgorithm(r, "Paired", "Verifying, beside the signature check alone",
		"Times as long as the primitive; in brackets, times its processor time, "+
			"with garbage collection.",
		func(name string) string {
			return cell(r, name, "x-primitive", ratio) +
				" (" + cell(r, name, "cpu-x-primitive", ratio) + ")"
		})
}

func times(r *measured.Results) *table {
	return byAlgorithm(r, "Verify", "Verifying: time for a token",
		"In brackets, processor time, which other work on the machine touches less.",
		func(name string) string {
			return cell(r, name, "sec/op", duration) +
				" (" + cell(r, name, "cpu-sec/op", duration) + ")"
		})
}

func allocations(r *measured.Results) *table {
	return byAlgorithm(r, "Verify", "Verifying: allocations for a token", "",
		func(name string) string {
			return cell(r, name, "allocs/op", count) + ", " + cell(r, name, "B/op", bytes)
		})
}
