package main

import (
	"slices"

	"github.com/sallyport-go/sallyport/examples/bench/internal/measured"
)

// endToEnd are the groups of bars.
var endToEnd = []struct{ title, benchmark string }{
	{"HTTP, RS256", "EndToEnd/transport=HTTP/alg=RS256"},
	{"HTTP, ES256", "EndToEnd/transport=HTTP/alg=ES256"},
	{"gRPC call", "EndToEnd/transport=GRPC/call=unary"},
	{"gRPC stream", "EndToEnd/transport=GRPC/call=open"},
}

// drawEndToEnd has a group of bars for each kind of request. It draws nothing
// where nothing was measured.
func drawEndToEnd(r *measured.Results, path string) error {
	var titles []string
	for _, group := range endToEnd {
		titles = append(titles, group.title)
	}
	impls := slices.DeleteFunc(slices.Clone(r.Labels("EndToEnd", "impl")),
		func(impl string) bool { return impl == "none" }) // 1 by definition
	if len(impls) == 0 {
		return nil
	}
	f := newFigure("A request over loopback: the server's processor time",
		"times as much as without a guard")
	err := f.addBars(titles, impls, func(group int, impl string) (float64, bool) {
		return r.Median(endToEnd[group].benchmark+"/impl="+impl, "cpu-x-bare")
	})
	if err != nil {
		return err
	}
	return f.save(path)
}
