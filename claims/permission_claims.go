package claims

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// permissionMapping finds the caller's permissions in the claims of a token, as
// Config.PermissionClaims and Config.PermissionMap say.
type permissionMapping struct {
	root  *permissionNode     // of the claims; nil if none are looked at
	table map[string][]string // nil if the values are the permissions
}

// newPermissionMapping leaves out paths that are wrong: who asks for it reports
// them.
func newPermissionMapping(paths []string, table map[string][]string) permissionMapping {
	m := permissionMapping{table: table}
	for _, text := range paths {
		path, err := parsePath(text)
		if err != nil {
			continue
		}
		if m.root == nil {
			m.root = new(permissionNode)
		}
		m.root.add(path)
	}
	return m
}

// mayGrant reports whether some token could grant a permission.
func (m permissionMapping) mayGrant(permission string) bool {
	if m.root == nil || m.table == nil {
		return m.root != nil
	}
	for _, permissions := range m.table {
		if slices.Contains(permissions, permission) {
			return true
		}
	}
	return false
}

// of returns the permissions that a token's claims hold, without repetition. If
// names put before values would make them far longer than the claims are, which
// no issuer does in earnest, none are granted at all.
//
// It is asked once the token is verified, when its claims have been read
// without a fault, and looks only at those that the paths name.
func (m permissionMapping) of(t *token) []string {
	if m.root == nil {
		return nil
	}
	g := permissionValues{room: 16 * len(t.claims.payload)}
	if m.root.every != nil {
		r := strict.NewChecked(t.claims.payload)
		m.root.read(&r, &g, nil)
	} else {
		for _, claim := range m.root.members {
			if value, ok := t.members.Find(claim.name); ok {
				r := strict.NewChecked(value)
				claim.node.read(&r, &g, nil)
			}
		}
	}
	if g.room < 0 {
		return nil
	}
	if m.table != nil {
		return m.translate(distinct(g.list()))
	}
	return g.kept()
}

// translate returns what the table has for values.
func (m permissionMapping) translate(values []string) []string {
	n := 0
	for _, value := range values {
		n += len(m.table[value])
	}
	if n == 0 {
		return nil
	}
	permissions := make([]string, 0, n)
	for _, value := range values {
		permissions = append(permissions, m.table[value]...)
	}
	return distinct(permissions)
}

// distinct removes from a list what is empty or was there before. It changes
// the list.
func distinct(list []string) []string {
	if len(list) > 8 {
		var seen strict.Members
		return slices.DeleteFunc(list, func(s string) bool { return s == "" || !seen.Add(s) })
	}
	kept := list[:0]
	for _, s := range list { // fewer than pay for a table
		if s != "" && !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	clear(list[len(kept):])
	return kept
}

// permissionNode says what to look at in one value of the claims: several paths
// in one tree, so that a value is read once however many lead through it.
type permissionNode struct {
	values   bool // here are permissions, a string or an array of strings
	words    bool // and a string is a list of them
	names    bool // the names of members are permissions
	members  []permissionEdge
	every    *permissionNode  // of each member
	elements *permissionNode  // of each element
	by       []permissionEdge // of each element, after the value of its member
}

type permissionEdge struct {
	name string
	node *permissionNode
}

// add adds a path to the tree that begins at n.
func (n *permissionNode) add(path permissionPath) {
	if path.flat != "" {
		n.add(permissionPath{steps: []pathStep{{stepMember, path.flat}}})
	}
	at := n
	for _, step := range path.steps {
		switch step.kind {
		case stepMember:
			at = child(&at.members, step.name)
		case stepEvery:
			at = orNew(&at.every)
		case stepElement:
			at = orNew(&at.elements)
		case stepElementBy:
			at = child(&at.by, step.name)
		case stepNames:
			at.names = true
			return
		}
	}
	at.values = true
	first := path.steps[0]
	if len(path.steps) == 1 && (first.name == "scope" || first.name == "scp") {
		at.words = true
	}
}

func orNew(node **permissionNode) *permissionNode {
	if *node == nil {
		*node = new(permissionNode)
	}
	return *node
}

func child(edges *[]permissionEdge, name string) *permissionNode {
	if node := find(*edges, name); node != nil {
		return node
	}
	node := new(permissionNode)
	*edges = append(*edges, permissionEdge{name, node})
	return node
}

func find(edges []permissionEdge, name string) *permissionNode {
	for _, edge := range edges {
		if edge.name == name {
			return edge.node
		}
	}
	return nil
}

// read reads one value, of any type, and adds the permissions in it to g, after
// the names that go before them.
func (n *permissionNode) read(r *strict.Checked, g *permissionValues, after *permissionName) {
	switch c := r.Peek(); {
	case c == '{' && (n.names || n.every != nil || n.members != nil):
		n.readObject(r, g, after)
	case c == '[' && (n.values || n.elements != nil || n.by != nil):
		n.readArray(r, g, after)
	case c == '"' && n.words:
		var words [16]string
		for _, word := range r.AppendWords(words[:0]) {
			g.add(word, after)
		}
	case c == '"' && n.values:
		g.add(r.ReadString(), after)
	default:
		r.Skip()
	}
}

// readAfter is read, after one name more.
func (n *permissionNode) readAfter(
	r *strict.Checked, g *permissionValues, after *permissionName, name string,
) {
	inside := after.then(name)
	n.read(r, g, &inside)
}

func (n *permissionNode) readObject(r *strict.Checked, g *permissionValues, after *permissionName) {
	for r.Enter(); r.Next(); {
		name := r.ReadName()
		place, start := r.At(), *r
		node := find(n.members, name)
		if node != nil {
			node.read(r, g, after)
		}
		if n.every != nil {
			*r = start
			n.every.readAfter(r, g, after, name)
		} else if node == nil {
			r.Skip()
		}
		if n.names && grants(r.Since(place)) {
			g.add(name, after)
		}
	}
}

// grants reports whether the value of a member says that its name is granted,
// and not that it is withheld: it is not false, null, zero or empty.
func grants(value string) bool {
	switch value[0] {
	case 't':
		return true
	case 'f', 'n':
		return false
	case '"':
		return value != `""`
	case '{', '[':
		r := strict.NewChecked(value[1:])
		next := r.Peek()
		return next != '}' && next != ']'
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(value), "e")
	return strings.ContainsAny(mantissa, "123456789")
}

func (n *permissionNode) readArray(r *strict.Checked, g *permissionValues, after *permissionName) {
	before, strings := g.n, n.values
	for r.Enter(); r.Next(); {
		switch c := r.Peek(); {
		case c == '"' && strings:
			g.add(r.ReadString(), after)
		case strings && c != '"': // then the strings are not what they seem
			g.drop(before)
			strings = false
			fallthrough
		default:
			n.readElement(r, g, after)
		}
	}
}

func (n *permissionNode) readElement(
	r *strict.Checked, g *permissionValues, after *permissionName,
) {
	start := *r
	again := start // declared outside of the loop, it costs no allocation
	if n.elements != nil {
		n.elements.read(r, g, after)
	} else {
		r.Skip()
	}
	for _, edge := range n.by {
		if name, ok := stringIn(start, edge.name); ok {
			again = start
			edge.node.readAfter(&again, g, after, name)
		}
	}
}

// stringIn returns the member of that name of the object that is next, if it is
// a string.
func stringIn(r strict.Checked, member string) (value string, ok bool) {
	if r.Peek() != '{' {
		return "", false
	}
	for r.Enter(); r.Next(); {
		if r.ReadName() == member && r.Peek() == '"' {
			value, ok = r.ReadString(), true
			continue
		}
		r.Skip()
	}
	return value, ok
}
