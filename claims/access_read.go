package claims

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ParseAccessTable reads a table back that [AccessTable.Markdown] or
// [AccessTable.MarshalJSON] has written, indented or not, to be compared with
// another by [AccessTable.Changes]. Its requirements have the text of those
// that were written and nothing else: they refuse everybody, and Validate says
// that they were read.
func ParseAccessTable(text []byte) (AccessTable, error) {
	if !utf8.Valid(text) { // which would be written otherwise than it was read
		return nil, errors.New("claims: ParseAccessTable: the text is no UTF-8")
	}
	text = bytes.TrimSpace(text)
	if bytes.HasPrefix(text, []byte("[")) {
		return readJSON(text)
	}
	return readMarkdown(string(text))
}

func readJSON(text []byte) (AccessTable, error) {
	var rows []struct{ Protocol, Operation, Requirement string }
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&rows); err != nil {
		return nil, fmt.Errorf("claims: ParseAccessTable: %w", err)
	}
	if decoder.More() {
		return nil, errors.New("claims: ParseAccessTable: there is more than a table")
	}
	table := make(AccessTable, 0, len(rows))
	for i, row := range rows {
		o, err := readOperation(row.Protocol, row.Operation, row.Requirement)
		if err != nil {
			return nil, fmt.Errorf("claims: ParseAccessTable: operation %d: %w", i+1, err)
		}
		table = append(table, o)
	}
	return table, nil
}

// readMarkdown reads the rows behind the first of dashes.
func readMarkdown(text string) (AccessTable, error) {
	table, inside := AccessTable{}, false
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "|-"):
			inside = true
			continue
		case !inside || line == "":
			continue
		}
		cells, err := cellsOf(line)
		if err != nil {
			return nil, fmt.Errorf("claims: ParseAccessTable: line %d: %w", number, err)
		}
		o, err := readOperation(cells[0], cells[1], cells[2])
		if err != nil {
			return nil, fmt.Errorf("claims: ParseAccessTable: line %d: %w", number, err)
		}
		table = append(table, o)
	}
	if !inside {
		return nil, errors.New("claims: ParseAccessTable: there is no table")
	}
	return table, nil
}

// cellsOf returns the three cells of a row, of which a bar in a cell has a
// backslash before it.
func cellsOf(line string) (cells [3]string, err error) {
	const bar = "\x00" // which no cell has
	parts := strings.Split(strings.ReplaceAll(line, `\|`, bar), "|")
	if len(parts) != 5 || parts[0] != "" || parts[4] != "" {
		return cells, errors.New("is no row of three cells")
	}
	for i := range cells {
		cell := strings.TrimSpace(strings.ReplaceAll(parts[i+1], bar, "|"))
		if fence := len(cell) - len(strings.TrimLeft(cell, "`")); fence > 0 {
			if len(cell) < 2*fence || !strings.HasSuffix(cell, cell[:fence]) {
				return cells, errors.New("has code that does not end")
			}
			cell = cell[fence : len(cell)-fence]
			if fence > 1 {
				cell = strings.TrimSuffix(strings.TrimPrefix(cell, " "), " ")
			}
		}
		cells[i] = cell
	}
	return cells, nil
}

func readOperation(protocol, name, requirement string) (Operation, error) {
	if _, err := parseTerm(requirement); err != nil {
		return Operation{}, err
	}
	return Operation{protocol, name, Requirement{&written{text: requirement}}}, nil
}

// written is a rule of which there is no more than the text.
type written struct {
	single
	text string
}

func (*written) check(*query) error           { return errPermission }
func (*written) wants(*query, []string) wants { return wants{} }
func (*written) local() bool                  { return true }
func (w *written) String() string             { return w.text }

func (w *written) equal(other rule) bool {
	o, ok := other.(*written)
	return ok && w.text == o.text
}

func (w *written) validate() error {
	return fmt.Errorf("claims: %s was read from a table: nothing can be enforced by it", w.text)
}
