package claims

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Operation is one thing that callers can ask of a service, and what it needs
// of them. The transports list theirs, for an [AccessTable].
type Operation struct {
	// Protocol is "HTTP" or "gRPC".
	Protocol string `json:"protocol"`

	// Name is the pattern of an HTTP route, such as "GET /orders/{id}", or the
	// full name of a gRPC method, such as "/orders.v1.Orders/GetOrder".
	Name string `json:"operation"`

	// Requirement is what the operation needs. In JSON it is its String, which
	// [ParseAccessTable] can read back for a comparison.
	Requirement Requirement `json:"requirement"`
}

// AccessTable lists the operations of a service and what each needs, to be read
// by those who decide whether that is right. Kept in a file that a test
// compares it with, it shows every changed requirement in a review.
// [NewAccessTable] makes one; the zero value is an empty table.
type AccessTable []Operation

// NewAccessTable returns a table of all the operations, in an order that does
// not depend on the one they are given in: by protocol; then by path without
// the method, so that what can be done with one thing stands together; then by
// method. It keeps nothing of its arguments.
func NewAccessTable(parts ...[]Operation) AccessTable {
	table := AccessTable(slices.Concat(parts...))
	slices.SortStableFunc(table, func(a, b Operation) int {
		methodA, pathA := splitPattern(a.Name)
		methodB, pathB := splitPattern(b.Name)
		return cmp.Or(
			strings.Compare(a.Protocol, b.Protocol),
			strings.Compare(pathA, pathB),
			strings.Compare(methodA, methodB),
			strings.Compare(a.Requirement.String(), b.Requirement.String()),
		)
	})
	return table
}

// splitPattern cuts "GET /orders" in two. The name of a gRPC method is a path.
func splitPattern(name string) (method, path string) {
	if i := strings.IndexAny(name, " \t"); i >= 0 {
		return name[:i], strings.TrimLeft(name[i:], " \t")
	}
	return "", name
}

// Markdown returns the table in GitHub's Markdown, its columns aligned, with a
// line feed after each line. Operations and requirements are shown as code, so
// that nothing in them is read as markup.
func (t AccessTable) Markdown() string {
	rows := [][3]string{{"Protocol", "Operation", "Requirement"}}
	for _, o := range t {
		rows = append(rows, [3]string{
			plainCell(o.Protocol), codeCell(o.Name), codeCell(o.Requirement.String()),
		})
	}
	var widths [3]int
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, row := range rows {
		for i, cell := range row {
			padding := widths[i] - utf8.RuneCountInString(cell)
			b.WriteString("| " + cell + strings.Repeat(" ", padding) + " ")
		}
		b.WriteString("|\n")
		if n == 0 {
			for _, width := range widths {
				b.WriteString("|" + strings.Repeat("-", width+2))
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}

// plainCell returns text that cannot end its cell or row.
func plainCell(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	return strings.ReplaceAll(text, "|", `\|`)
}

// codeCell returns text as a code span, whose fence must be longer than any run
// of backquotes inside.
func codeCell(text string) string {
	text = plainCell(text)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		text = " " + text + " "
	}
	return fence + text + fence
}

// MarshalJSON returns an array with an object for each operation, an empty one
// for a nil table.
func (t AccessTable) MarshalJSON() ([]byte, error) {
	if t == nil {
		return []byte("[]"), nil
	}
	return readable([]Operation(t), "")
}

// readable is [json.Marshal] without escapes for HTML.
func readable(value any, indent string) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
