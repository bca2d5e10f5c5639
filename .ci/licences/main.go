// Command licences reads a software bill of materials in CycloneDX's JSON on
// its standard input. It fails if a module has a licence that is not accepted,
// or none that could be told, or if a module that go.mod requires directly
// stands in no row of examples/docs/releasing.md, which says what it is for.
//
//	make sbom && go run ./.ci/licences <sbom.json
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// accepted are licences under which the modules may be used and passed on with
// this one.
var accepted = []string{
	"Apache-2.0", "MIT", "MIT-0", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause",
	"BSD-Source-Code", // as the file of Go's own modules is taken for
}

type licences []struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

type bill struct {
	Components []struct {
		Name     string   `json:"name"`
		Version  string   `json:"version"`
		Licenses licences `json:"licenses"`
		Evidence struct {
			Licenses licences `json:"licenses"`
		} `json:"evidence"`
	} `json:"components"`
}

func main() {
	var b bill
	err := json.NewDecoder(os.Stdin).Decode(&b)
	if err == nil && len(b.Components) == 0 {
		err = fmt.Errorf("no component")
	}
	var direct []string
	if err == nil {
		direct, err = undocumented("go.mod", "examples/docs/releasing.md")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
	faults := 0
	for _, c := range b.Components {
		found := append(c.Licenses, c.Evidence.Licenses...)
		if len(found) == 0 {
			faults++
			fmt.Printf("%s %s: no licence could be told\n", c.Name, c.Version)
		}
		for _, l := range found {
			if !slices.Contains(accepted, l.License.ID) {
				faults++
				fmt.Printf("%s %s: licence %q\n", c.Name, c.Version, l.License.ID)
			}
		}
	}
	for _, module := range direct {
		faults++
		fmt.Printf("%s: not in examples/docs/releasing.md\n", module)
	}
	if faults > 0 {
		os.Exit(1)
	}
	fmt.Printf("licences: %d modules\n", len(b.Components))
}

// undocumented returns the modules that a go.mod requires directly and that no
// row of a page names.
func undocumented(mod, page string) ([]string, error) {
	required, err := os.ReadFile(mod)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(page)
	if err != nil {
		return nil, err
	}
	var missing []string
	line := regexp.MustCompile(`(?m)^\t(\S+) v\S+$`)
	for _, m := range line.FindAllStringSubmatch(string(required), -1) {
		if !strings.Contains(string(text), "| `"+m[1]+"` |") {
			missing = append(missing, m[1])
		}
	}
	return missing, nil
}
