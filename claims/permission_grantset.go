package claims

import (
	"hash/maphash"
	"maps"
	"slices"
	"strings"
)

// grantSet is what Grants say. Many principals of one role have one, which so
// stays in the processor's cache. It is immutable, but for uses.
type grantSet struct {
	everywhere []string // in alphabetical order, each once
	workspaces map[string][]string
	size       int // permissions and workspaces

	hash uint64 // of a PermissionCache
	uses int    // answers there; guarded by the lock of its desk
}

func newGrantSet(grants Grants) *grantSet {
	g := &grantSet{everywhere: sorted(grants.Permissions)}
	g.size = len(g.everywhere)
	if len(grants.Workspaces) > 0 {
		g.workspaces = make(map[string][]string, len(grants.Workspaces))
		for workspace, list := range grants.Workspaces {
			g.workspaces[workspace] = sorted(list)
			g.size += 1 + len(g.workspaces[workspace])
		}
	}
	return g
}

// sorted returns the elements of a list in alphabetical order, each once.
func sorted(list []string) []string {
	list = slices.Clone(list)
	if !slices.IsSorted(list) {
		slices.Sort(list)
	}
	return slices.Clip(slices.Compact(list))
}

// has reports whether a permission is granted in a workspace, or where there is
// none.
func (g *grantSet) has(workspace, permission string) bool {
	if _, ok := slices.BinarySearch(g.everywhere, permission); ok {
		return true
	}
	if workspace == "" {
		return false
	}
	_, ok := slices.BinarySearch(g.workspaces[workspace], permission)
	return ok
}

// grants returns what a source would, in alphabetical order. It is the
// caller's.
func (g *grantSet) grants() Grants {
	all := Grants{Permissions: copied(g.everywhere)}
	if len(g.workspaces) > 0 {
		all.Workspaces = make(map[string][]string, len(g.workspaces))
		for workspace, list := range g.workspaces {
			all.Workspaces[workspace] = copied(list)
		}
	}
	return all
}

func copied(list []string) []string { return append([]string(nil), list...) }

// pack puts the text of all permissions side by side, in the place of what they
// were cut from, and returns g.
func (g *grantSet) pack() *grantSet {
	packList(g.everywhere)
	for _, list := range g.workspaces {
		packList(list)
	}
	return g
}

func packList(list []string) {
	all := strings.Join(list, "")
	for i, s := range list {
		list[i], all = all[:len(s)], all[len(s):]
	}
}

func (g *grantSet) equal(other *grantSet) bool {
	return slices.Equal(g.everywhere, other.everywhere) &&
		maps.EqualFunc(g.workspaces, other.workspaces, slices.Equal[[]string])
}

// hashOf returns a hash by which equal ones are found.
func (g *grantSet) hashOf(seed maphash.Seed) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	list := func(list []string) {
		for _, s := range list {
			maphash.WriteComparable(&h, s)
		}
	}
	list(g.everywhere)
	sum := h.Sum64()
	for workspace, permissions := range g.workspaces { // in any order
		h.Reset()
		maphash.WriteComparable(&h, workspace)
		list(permissions)
		sum += h.Sum64()
	}
	return sum
}

// shared are the grants of the answers of a PermissionCache, one for all that
// are equal. It holds no more than they do.
type shared struct {
	seed   maphash.Seed
	byHash map[uint64]*grantSet // guarded by the lock of the cache's desk
}

func newShared() shared {
	return shared{seed: maphash.MakeSeed(), byHash: map[uint64]*grantSet{}}
}

// use takes note of an answer that has g, and release of its end.
func (s *shared) use(g *grantSet) {
	g.uses++
	if g.hash != 0 && s.byHash[g.hash] == nil {
		s.byHash[g.hash] = g
	}
}

func (s *shared) release(g *grantSet) {
	if g.uses--; g.uses == 0 && s.byHash[g.hash] == g {
		delete(s.byHash, g.hash)
	}
}
