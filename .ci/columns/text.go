package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

const maxPage = 100

func tooLong(faults []fault, line int, text string, limit int) []fault {
	n := utf8.RuneCountInString(strings.ReplaceAll(text, "\t", "    "))
	if n <= limit {
		return faults
	}
	return append(faults, fault{line: line, text: fmt.Sprintf("%d columns: at most %d", n, limit)})
}

// words are those that are not used, each with those that are.
var words = []struct {
	not *regexp.Regexp
	but string
}{
	{regexp.MustCompile(`(?i)\bcan not\b`), "cannot"},
	{regexp.MustCompile(`(?i)\bh(e|is|im|imself)\b`), "they, their, them"},
	{regexp.MustCompile(`(?i)\b(gives?|giving|gave) way\b`), "evict, yield or replace"},
}

func badWords(faults []fault, line int, text string) []fault {
	for _, w := range words {
		if found := w.not.FindString(text); found != "" {
			text := fmt.Sprintf("%q: write %s", found, w.but)
			faults = append(faults, fault{line: line, text: text})
		}
	}
	return faults
}

var (
	linkTarget = regexp.MustCompile(`\]\([^)\s]*\)`)
	unbroken   = regexp.MustCompile(`^(\||#|\[[^\]]+\]: |<|\s*\S+$)`)
)

// checkWords checks the words of a file alone.
func checkWords(_ string, source []byte) ([]fault, error) {
	var faults []fault
	for i, text := range strings.Split(string(source), "\n") {
		faults = badWords(faults, i+1, text)
	}
	return faults, nil
}

// checkPage checks a page of Markdown.
func checkPage(_ string, source []byte) ([]fault, error) {
	var faults []fault
	code := false
	for i, text := range strings.Split(string(source), "\n") {
		line := i + 1
		if strings.HasPrefix(strings.TrimSpace(text), "```") {
			code = !code
			continue
		}
		if code {
			continue
		}
		if !unbroken.MatchString(text) && !strings.HasPrefix(text, "    ") {
			faults = tooLong(faults, line, linkTarget.ReplaceAllString(text, "]"), maxPage)
		}
		faults = badWords(faults, line, text)
	}
	return faults, nil
}
