package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// page is a page of Markdown.
type page struct {
	path     string
	headings map[string]bool // by their anchors
	snippets []snippet
	links    []link
}

type snippet struct {
	line  int
	parts [][]string // between what is left out
}

type link struct {
	line   int
	target string
}

// leftOut is a line of a snippet that stands for others.
const leftOut = "// …"

var (
	linkTarget = regexp.MustCompile(
		`\]\(([^)\s]+)[^)]*\)|<(?:img|source)[^>]*\bsrc(?:set)?="([^"]+)"`)
	codeSpan = regexp.MustCompile("`[^`]*`")
	markup   = regexp.MustCompile("[`*_]|\\]\\([^)]*\\)|\\[")
)

func parse(path string, lines []string) *page {
	p := &page{path: path, headings: map[string]bool{}}
	var code []string
	inCode, isGo, start := false, false, 0
	for i, line := range lines {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "```") {
			if inCode && isGo {
				p.snippets = append(p.snippets, snippet{start, split(withoutBlank(code))})
			}
			inCode, isGo, start, code = !inCode, trimmed == "```go", i+1, nil
			continue
		}
		if inCode {
			code = append(code, line)
			continue
		}
		if strings.HasPrefix(line, "#") {
			p.addHeading(strings.TrimSpace(strings.TrimLeft(line, "#")))
		}
		prose := codeSpan.ReplaceAllString(line, "")
		for _, m := range linkTarget.FindAllStringSubmatch(prose, -1) {
			p.links = append(p.links, link{i + 1, m[1] + m[2]})
		}
	}
	return p
}

func split(lines []string) [][]string {
	parts := [][]string{nil}
	for _, line := range lines {
		if line == leftOut {
			parts = append(parts, nil)
			continue
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], line)
	}
	return parts
}

// addHeading remembers the anchor that GitHub makes of a heading.
func (p *page) addHeading(text string) {
	text = markup.ReplaceAllString(text, "")
	anchor := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, text)
	for n, name := 1, anchor; ; n++ {
		if !p.headings[name] {
			p.headings[name] = true
			return
		}
		name = fmt.Sprintf("%s-%d", anchor, n)
	}
}

// compile reports whether a snippet stands in a file.
func (t *tree) compile(s snippet) bool {
	return slices.ContainsFunc(t.sources, func(source []string) bool {
		for _, part := range s.parts {
			at := index(source, part)
			if at < 0 {
				return false
			}
			source = source[at+len(part):]
		}
		return true
	})
}

func index(lines, part []string) int {
	for i := 0; i+len(part) <= len(lines); i++ {
		if slices.Equal(lines[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

// follow returns why a link leads nowhere, empty if it leads somewhere.
func (t *tree) follow(from *page, l link) string {
	u, err := url.Parse(l.target)
	if err != nil {
		return fmt.Sprintf("link %q: %v", l.target, err)
	}
	if u.Scheme != "" || u.Host != "" {
		return "" // outside of the repository
	}
	to := from.path
	if u.Path != "" {
		to = filepath.Join(filepath.Dir(from.path), filepath.FromSlash(u.Path))
		if _, err := os.Stat(to); err != nil {
			return fmt.Sprintf("link %q: there is no such file", l.target)
		}
	}
	if page := t.pages[to]; page != nil && u.Fragment != "" && !page.headings[u.Fragment] {
		return fmt.Sprintf("link %q: %s has no such heading", l.target, to)
	}
	return ""
}
