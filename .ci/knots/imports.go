package main

import "fmt"

// strangers are the packages that those of a place must not know, each with
// what is below it.
var strangers = []struct {
	place string
	not   []string
}{
	{"jwks", []string{"claims", "httpmw", "grpcmw"}},
	{"claims", []string{"httpmw", "grpcmw"}},
	{"claims/internal", []string{"claims"}}, // but for one another
	{"httpmw", []string{"grpcmw"}},
	{"grpcmw", []string{"httpmw"}},
}

// misplacedImports returns what is wrong with the imports of a package.
func misplacedImports(p *pkg) []string {
	var faults []string
	for _, s := range strangers {
		if !inside(s.place, p.name) {
			continue
		}
		for _, path := range p.imports {
			for _, stranger := range s.not {
				if inside(stranger, path) && !(inside(s.place, path) && path != stranger) {
					faults = append(faults,
						fmt.Sprintf("imports %s: nothing in %s may", path, s.place))
				}
			}
		}
	}
	return faults
}
