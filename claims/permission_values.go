package claims

import "strings"

// permissionName goes before values, after those of outer. The values of two
// names stay apart: a colon in one is encoded, as it could speak for another
// with it.
type permissionName struct {
	outer *permissionName
	name  string
	size  int // of all that go before a value
}

// then returns the names that go before a value inside of the member name.
func (n *permissionName) then(name string) permissionName {
	size := len(name) + len(":")
	size += (len("%3A") - 1) * (strings.Count(name, ":") + strings.Count(name, "%"))
	if n != nil {
		size += n.size
	}
	return permissionName{n, name, size}
}

func (n *permissionName) write(b *strings.Builder) {
	own := n.size
	if n.outer != nil {
		n.outer.write(b)
		own -= n.outer.size
	}
	if own == len(n.name)+len(":") {
		b.WriteString(n.name)
	} else {
		for i := range len(n.name) {
			switch c := n.name[i]; c {
			case ':':
				b.WriteString("%3A")
			case '%':
				b.WriteString("%25")
			default:
				b.WriteByte(c)
			}
		}
	}
	b.WriteByte(':')
}

// permissionValues are what was found in the claims of a token.
type permissionValues struct {
	few     [16]string // while they are no more, as those of most
	n       int
	many    []string // all of them, nil while they are few
	room    int      // how many bytes more the values may have that names go before
	joined  strings.Builder
	dropped bool // something was joined that may be in the list no more
}

func (g *permissionValues) list() []string {
	if g.many != nil {
		return g.many
	}
	return g.few[:g.n]
}

// add adds a value, with the names before it, unless it is empty.
func (g *permissionValues) add(value string, after *permissionName) {
	if value == "" {
		return
	}
	if after != nil {
		if g.room -= after.size + len(value); g.room < 0 {
			return
		}
		value = g.join(after, value)
	}
	switch {
	case g.many != nil:
		g.many = append(g.many, value)
	case g.n < len(g.few):
		g.few[g.n] = value
	default:
		g.many = append(append(make([]string, 0, 4*len(g.few)), g.few[:]...), value)
	}
	g.n++
}

// join returns a value after its names. Several share an allocation.
func (g *permissionValues) join(after *permissionName, value string) string {
	b := &g.joined
	if n := after.size + len(value); n > b.Cap()-b.Len() {
		size := min(2*b.Cap(), 1024)
		b.Reset()
		b.Grow(max(n, size, 128))
	}
	start := b.Len()
	after.write(b)
	b.WriteString(value)
	return b.String()[start:]
}

// drop removes all but the first n values.
func (g *permissionValues) drop(n int) {
	g.n, g.dropped = n, true
	if g.many != nil {
		g.many = g.many[:n]
	}
}

// kept returns the values without repetition, as they are to be kept: nothing
// holds on to more text than they and the claims have.
func (g *permissionValues) kept() []string {
	values := distinct(g.list())
	if len(values) == 0 {
		return nil
	}
	kept := make([]string, len(values))
	copy(kept, values)
	if g.joined.Len() > 0 && (g.dropped || len(kept) < g.n) {
		for i := range kept {
			kept[i] = strings.Clone(kept[i])
		}
	}
	return kept
}
