package claims

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// AccessChange is one difference between two access tables, in words.
type AccessChange struct {
	// Protocol and Operation are those of the operation.
	Protocol  string `json:"protocol"`
	Operation string `json:"operation"`

	// Opened says that somebody may do what they could not before: what a
	// review must not miss. Otherwise somebody may not any more.
	Opened bool `json:"opened"`

	// Text says who, and what it took before or takes now.
	Text string `json:"text"`
}

// String returns the operation and the text, on one line.
func (c AccessChange) String() string {
	return c.Protocol + " " + c.Operation + ": " + c.Text
}

// Changes returns what is different by another table, usually that of a newer
// version, for who may do what: each way to be let through that was none
// before, and each that is none any more. Where the text of a requirement has
// changed and its meaning has not, there is no change. An operation that is not
// in a table is closed, as transports refuse what nobody lists.
//
// Requirements are compared by what they mean: by their scopes, permissions,
// workspaces, authentication and credentials. Of a function, such as that of a
// [Func], only the name is known: it is taken to say the same in both tables,
// and nothing that another says. That a scope implies others by
// [Config].ScopeMap is not known.
//
// The changes are in the order of [NewAccessTable], what has been opened before
// what has been closed. A requirement that can be met in more than a thousand
// ways is not looked into: if it has changed it is said to open.
func (t AccessTable) Changes(other AccessTable) []AccessChange {
	type key struct{ protocol, name string }
	before, after := map[key]string{}, map[key]string{}
	var keys []key
	list := func(table AccessTable, needs map[key]string) {
		for _, o := range table {
			k := key{o.Protocol, o.Name}
			if text, twice := needs[k]; twice { // of several servers: not looked into
				needs[k] = text + " or " + o.Requirement.String()
				continue
			}
			needs[k] = o.Requirement.String()
			keys = append(keys, k)
		}
	}
	list(t, before)
	list(other, after)
	var changes []AccessChange
	done := map[key]bool{}
	for _, k := range keys {
		if done[k] {
			continue
		}
		done[k] = true
		for _, c := range changesOf(before[k], after[k]) {
			c.Protocol, c.Operation = k.protocol, k.name
			changes = append(changes, c)
		}
	}
	slices.SortStableFunc(changes, func(a, b AccessChange) int {
		methodA, pathA := splitPattern(a.Operation)
		methodB, pathB := splitPattern(b.Operation)
		return cmp.Or(strings.Compare(a.Protocol, b.Protocol), strings.Compare(pathA, pathB),
			strings.Compare(methodA, methodB), closedLast(a)-closedLast(b))
	})
	return changes
}

func closedLast(c AccessChange) int {
	if c.Opened {
		return 0
	}
	return 1
}

// changesOf compares the requirements of an operation, empty for none.
func changesOf(before, after string) []AccessChange {
	if before == after {
		return nil
	}
	old, knownOld := readWays(before)
	now, knownNow := readWays(after)
	if !knownOld || !knownNow {
		return []AccessChange{{Opened: true, Text: fmt.Sprintf(
			"cannot be compared: it took %s, and takes %s", orNobody(before), orNobody(after))}}
	}
	var changes []AccessChange
	for _, w := range now {
		if !isMetBy(old, w) {
			changes = append(changes, AccessChange{Opened: true, Text: fmt.Sprintf(
				"%s may; before, it took %s", w.words(), orNobody(before))})
		}
	}
	for _, w := range old {
		if !isMetBy(now, w) {
			changes = append(changes, AccessChange{Text: fmt.Sprintf(
				"%s may not any more; now it takes %s", w.words(), orNobody(after))})
		}
	}
	return append(changes, lastingChanges(before, after)...)
}

// lastingChanges compare how long what is let through lasts.
func lastingChanges(before, after string) []AccessChange {
	if before == "" || after == "" {
		return nil
	}
	outlived, outlives := isNamed(before, "MayOutlive"), isNamed(after, "MayOutlive")
	ended, ends := isNamed(before, "EndsWithToken"), isNamed(after, "EndsWithToken")
	switch {
	case outlives && !outlived, ended && !ends && !outlives:
		return []AccessChange{{Opened: true, Text: "it may go on when the token has expired"}}
	case outlived && !outlives, ends && !ended && !outlived:
		return []AccessChange{{Text: "it ends with the token"}}
	}
	return nil
}

func isNamed(text, name string) bool { return strings.HasPrefix(text, name+"(") }

func readWays(text string) ([]way, bool) {
	if text == "" {
		return nil, true
	}
	t, err := parseTerm(text)
	if err != nil {
		return nil, false
	}
	return waysOf(t)
}

func isMetBy(ways []way, w way) bool {
	return slices.ContainsFunc(ways, func(enough way) bool { return w.has(enough) })
}

func orNobody(text string) string {
	if text == "" {
		return "what nobody has, as it was not listed"
	}
	return text
}

// words says who has the conditions.
func (w way) words() string {
	if len(w) == 0 {
		return "everybody, whatever credential they show,"
	}
	credentials := map[string][]condition{}
	var names []string
	for f := range w {
		if credentials[f.credential] == nil {
			names = append(names, f.credential)
		}
		credentials[f.credential] = append(credentials[f.credential], f)
	}
	slices.Sort(names)
	var who []string
	for _, name := range names {
		who = append(who, credentialWords(name, credentials[name]))
	}
	return "a caller with " + strings.Join(who, " and ")
}

func credentialWords(name string, conditions []condition) string {
	slices.SortFunc(conditions, func(a, b condition) int {
		return cmp.Or(int(a.kind-b.kind), strings.Compare(a.where, b.where),
			strings.Compare(a.value, b.value))
	})
	var what []string
	token := "a valid token"
	for _, f := range conditions {
		if f.kind == hasNone {
			token = "no token"
		} else if text := f.words(); text != "" {
			what = append(what, text)
		}
	}
	if name != "" {
		token += fmt.Sprintf(" for %q", name)
	}
	if len(what) > 0 {
		token += " that has " + strings.Join(what, ", ")
	}
	return token
}

func (f condition) words() string {
	switch f.kind {
	case hasScope:
		return fmt.Sprintf("the scope %q", f.value)
	case hasPermission:
		if f.where == "" {
			return fmt.Sprintf("the permission %q", f.value)
		}
		kind, name, _ := strings.Cut(f.where, " ")
		if kind == "InWorkspaceOf" {
			return fmt.Sprintf("the permission %q in the workspace of %q", f.value, name)
		}
		return fmt.Sprintf("the permission %q in the workspace %q", f.value, name)
	case hasACR:
		return fmt.Sprintf("the authentication %q", f.value)
	case isRecent:
		return fmt.Sprintf("an authentication of the last %s", f.within)
	case isFresh:
		return fmt.Sprintf("news of the last %s", f.within)
	case isMet:
		return "what " + f.value + " allows"
	}
	return ""
}
