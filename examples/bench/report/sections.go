package main

import (
	"slices"

	"github.com/sallyport-go/sallyport/examples/bench/internal/measured"
)

func cached(r *measured.Results) *table {
	t := &table{
		title:   "Verified before (RS256)",
		note:    "Tokens that come again, one or a thousand in turn.",
		columns: []string{"", "one token", "allocations", "a thousand", "allocations"},
	}
	for _, impl := range r.Labels("Cached", "impl") {
		cells := []string{impl}
		for _, tokens := range []string{"1", "1000"} {
			name := "Cached/tokens=" + tokens + "/impl=" + impl
			cells = append(cells,
				cell(r, name, "sec/op", duration), cell(r, name, "allocs/op", count))
		}
		t.add(cells...)
	}
	return t
}

func refusals(r *measured.Results) *table {
	return byKind(r, "Refusing a bad token (RS256)",
		"In brackets, fetches of the key set for each token.",
		func(name string) string {
			text := cell(r, name, "sec/op", duration)
			if fetches, _ := r.Median(name, "fetches/op"); fetches >= 0.005 {
				text += " (" + ratio(fetches) + ")"
			}
			return text
		})
}

func refusalAllocations(r *measured.Results) *table {
	return byKind(r, "Refusing a bad token: allocations", "", func(name string) string {
		return cell(r, name, "allocs/op", count) + ", " + cell(r, name, "B/op", bytes)
	})
}

func byKind(r *measured.Results, title, note string, format func(name string) string) *table {
	impls := r.Labels("Refuse", "impl")
	t := &table{title: title, note: note, columns: append([]string{""}, impls...)}
	for _, kind := range r.Labels("Refuse", "kind") {
		cells := []string{kind}
		for _, impl := range impls {
			cells = append(cells, format("Refuse/kind="+kind+"/impl="+impl))
		}
		t.add(cells...)
	}
	return t
}

func transports(r *measured.Results) *table {
	t := &table{
		title: "Transports (RS256)",
		note: "A request through the guard to a handler that does nothing but look at the " +
			"caller. \"Given\" is the guard alone: the token counts as verified.",
		columns: []string{"", "HTTP", "allocations", "gRPC", "allocations"},
	}
	row := func(title, stack string) {
		cells := []string{title}
		for _, transport := range []string{"HTTP", "GRPC"} {
			name := transport + "/" + stack
			cells = append(cells,
				cell(r, name, "sec/op", duration), cell(r, name, "allocs/op", count))
		}
		if !slices.Equal(cells[1:], []string{missing, missing, missing, missing}) {
			t.add(cells...)
		}
	}
	row("no guard", "impl=none")
	for _, impl := range r.Labels("HTTP", "impl") {
		for _, token := range r.Labels("HTTP", "token") {
			row(impl+", "+token, "impl="+impl+"/token="+token)
		}
	}
	return t
}

func authorization(r *measured.Results) *table {
	t := &table{
		title: "Requirements (RS256)",
		note: "What an operation may need of a caller whose token was verified before, and whose " +
			"permissions were asked for before.",
		columns: []string{"", "time", "allocations"},
	}
	for _, row := range []struct{ title, name string }{
		{"a valid token", "needs=token"},
		{"a scope", "needs=scope"},
		{"a scope, with an observer", "needs=scope/observed"},
		{"a scope, and a permission from a source", "needs=permission"},
		{"that, in a workspace", "needs=permission/workspace"},
	} {
		name := "Authorize/" + row.name
		if took := cell(r, name, "sec/op", duration); took != missing {
			t.add(row.title, took, cell(r, name, "allocs/op", count))
		}
	}
	return t
}

func parallel(r *measured.Results) *table {
	t := &table{
		title: "Throughput (RS256), tokens a second",
		note: "\"Rotation\" has a new key sign all tokens from the middle of the run on; " +
			"libraries that do not find it at once are left out. " +
			"In brackets, how many good tokens were refused meanwhile.",
		columns: []string{
			"", "one processor", "two", "gain", "processor time: one", "two",
			"rotation: one processor", "two",
		},
	}
	for _, impl := range r.Labels("Parallel", "impl") {
		one := measured.OnProcessors("Parallel/impl="+impl, "1")
		two := measured.OnProcessors("Parallel/impl="+impl, "2")
		gain := missing
		if single, ok := r.Median(one, "sec/op"); ok {
			gain = cell(r, two, "sec/op", func(v float64) string { return ratio(single / v) })
		}
		rotation := "ParallelRotation/impl=" + impl
		t.add(impl,
			cell(r, one, "sec/op", perSecond), cell(r, two, "sec/op", perSecond), gain,
			cell(r, one, "cpu-sec/op", duration), cell(r, two, "cpu-sec/op", duration),
			withRefused(r, measured.OnProcessors(rotation, "1")),
			withRefused(r, measured.OnProcessors(rotation, "2")))
	}
	return t
}

func withRefused(r *measured.Results, name string) string {
	text := cell(r, name, "sec/op", perSecond)
	if refused, _ := r.Median(name, "refused"); refused > 0 {
		text += " (" + count(refused) + ")"
	}
	return text
}

func latency(r *measured.Results) *table {
	t := &table{
		title: "Good tokens among bad ones (RS256)",
		note: "Latency of one caller alone, and beside three that send bad tokens of every " +
			"kind.",
		columns: []string{"", "alone: median", "99 %", "among bad ones: median", "99 %"},
	}
	for _, impl := range r.Labels("Latency", "impl") {
		cells := []string{impl}
		for _, bad := range r.Labels("Latency", "bad") {
			name := "Latency/bad=" + bad + "/impl=" + impl
			cells = append(cells,
				cell(r, name, "p50-sec", duration), cell(r, name, "p99-sec", duration))
		}
		t.add(cells...)
	}
	return t
}

func keys(r *measured.Results) *table {
	t := &table{
		title:   "Looking up a key among a hundred",
		columns: []string{"", "known", "allocations", "unknown", "allocations"},
	}
	for _, of := range r.Labels("Keys", "of") {
		cells := []string{"jwks, " + of}
		for _, kid := range r.Labels("Keys", "kid") {
			name := "Keys/of=" + of + "/kid=" + kid
			cells = append(cells,
				cell(r, name, "sec/op", duration), cell(r, name, "allocs/op", count))
		}
		t.add(cells...)
	}
	return t
}

func memory(r *measured.Results) *table {
	t := &table{
		title: "Memory of a remembered token",
		note: "What 10,000 different ones take of the heap, each; the payload of one is about " +
			"400 bytes of it.",
		columns: []string{"", "a token"},
	}
	for _, impl := range r.Labels("Memory", "impl") {
		t.add(impl, cell(r, "Memory/impl="+impl, "bytes/token", bytes))
	}
	return t
}
