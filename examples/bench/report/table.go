package main

import "strings"

// table is a Markdown table whose first column names the rows.
type table struct {
	title, note string
	picture     string // the name of its file, if it has one
	columns     []string
	rows        [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) String() string {
	var text strings.Builder
	text.WriteString("## " + t.title + "\n\n")
	if t.note != "" {
		text.WriteString(t.note + "\n\n")
	}
	if t.picture != "" {
		text.WriteString("![" + t.title + "](" + t.picture + ")\n\n")
	}
	text.WriteString(line(t.columns))
	text.WriteString("|---" + strings.Repeat("|--:", len(t.columns)-1) + "|\n")
	for _, row := range t.rows {
		text.WriteString(line(row))
	}
	return text.String()
}

func line(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }
