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
func (m permissionMapping) of(t *token) []string {
	if m.root == nil {
		return nil
	}
	g := permissionValues{room: 16 * len(t.claims.payload)}
	if m.root.every != nil {
		r := strict.NewReader(t.claims.payload)
		m.root.read(&r, &g)
	} else {
		for _, claim := range m.root.members {
			if value, ok := t.members.Find(claim.name); ok {
				r := strict.NewReader(value)
				claim.node.read(&r, &g)
			}
		}
	}
	if g.room < 0 {
		return nil
	}
	values := distinct(g.list)
	if m.table == nil {
		return values
	}
	var permissions []string
	for _, value := range values {
		permissions = append(permissions, m.table[value]...)
	}
	return distinct(permissions)
}

// distinct removes from a list what is empty or was there before. It changes
// the list.
func distinct(list []string) []string {
	var seen strict.Members
	return slices.DeleteFunc(list, func(s string) bool { return s == "" || !seen.Add(s) })
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

// read reads one value, of any type, and adds the permissions in it to g.
func (n *permissionNode) read(r *strict.Reader, g *permissionValues) {
	switch c := r.Peek(); {
	case c == '{' && (n.names || n.every != nil || n.members != nil):
		n.readObject(r, g)
	case c == '[' && (n.values || n.elements != nil || n.by != nil):
		n.readArray(r, g)
	case c == '"' && n.words:
		for _, word := range r.ReadWords() {
			g.add(word)
		}
	case c == '"' && n.values:
		g.add(r.ReadString())
	default:
		r.Skip()
	}
}

func (n *permissionNode) readObject(r *strict.Reader, g *permissionValues) {
	var seen strict.Members
	for r.Enter('{'); r.Next('}'); {
		name := r.ReadName(&seen)
		place, start := r.At(), *r
		node := find(n.members, name)
		if node != nil {
			node.read(r, g)
		}
		if n.every != nil {
			*r = start
			outside := g.enter(name)
			n.every.read(r, g)
			g.leave(outside)
		} else if node == nil {
			r.Skip()
		}
		if value, _ := r.Since(place); n.names && grants(value) {
			g.add(name)
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
		r := strict.NewReader(value[1:])
		next := r.Peek()
		return next != '}' && next != ']'
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(value), "e")
	return strings.ContainsAny(mantissa, "123456789")
}

func (n *permissionNode) readArray(r *strict.Reader, g *permissionValues) {
	before, strings := len(g.list), n.values
	for r.Enter('['); r.Next(']'); {
		switch c := r.Peek(); {
		case c == '"' && strings:
			g.add(r.ReadString())
		case strings && c != '"': // then the strings are not what they seem
			g.list, strings = g.list[:before], false
			fallthrough
		default:
			n.readElement(r, g)
		}
	}
}

func (n *permissionNode) readElement(r *strict.Reader, g *permissionValues) {
	start := *r
	if n.elements != nil {
		n.elements.read(r, g)
	} else {
		r.Skip()
	}
	for _, edge := range n.by {
		inside := start
		if name, ok := stringIn(inside, edge.name); ok {
			outside := g.enter(name)
			edge.node.read(&inside, g)
			g.leave(outside)
		}
	}
}

// stringIn returns the member of that name of the object that is next, if it is
// a string.
func stringIn(r strict.Reader, member string) (value string, ok bool) {
	if r.Peek() != '{' {
		return "", false
	}
	var seen strict.Members
	for r.Enter('{'); r.Next('}'); {
		if r.ReadName(&seen) == member && r.Peek() == '"' {
			value, ok = r.ReadString(), true
			continue
		}
		r.Skip()
	}
	return value, ok
}

// permissionValues are what was found in the claims of a token.
type permissionValues struct {
	list   []string
	prefix []byte // the names that go before a value
	room   int    // how many bytes more the values may have that names go before
}

// enter puts a name before the values that follow, so that those of two names
// stay apart: a colon in it is encoded, as it could speak for another with one.
// It returns what to leave it with.
func (g *permissionValues) enter(name string) (outside int) {
	if outside = len(g.prefix); g.prefix == nil {
		g.prefix = make([]byte, 0, 64) // as long as most get
	}
	for i := range len(name) {
		switch c := name[i]; c {
		case ':':
			g.prefix = append(g.prefix, "%3A"...)
		case '%':
			g.prefix = append(g.prefix, "%25"...)
		default:
			g.prefix = append(g.prefix, c)
		}
	}
	g.prefix = append(g.prefix, ':')
	return outside
}

func (g *permissionValues) leave(outside int) { g.prefix = g.prefix[:outside] }

// add adds a value, with the names before it, unless it is empty.
func (g *permissionValues) add(value string) {
	if value == "" {
		return
	}
	if len(g.prefix) > 0 {
		if g.room -= len(g.prefix) + len(value); g.room < 0 {
			return
		}
		value = string(append(g.prefix, value...))
	}
	if g.list == nil {
		g.list = make([]string, 0, 4) // as many as most have
	}
	g.list = append(g.list, value)
}
