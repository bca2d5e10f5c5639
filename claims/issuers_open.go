package claims

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/claims/internal/persistent"
)

// openIssuers are the issuers that leave a segment open, found by what stands
// before and behind the segment: how many there are costs a token nothing. It
// is immutable, and the zero value is empty.
type openIssuers struct {
	byPrefix persistent.Map[*persistent.Map[*openGroup]] // then by suffix
	// The most that a prefix has, or had: senders of tokens choose how long an
	// issuer is.
	slashes, length int
}

// openGroup has the issuers that differ in the name of their segment alone. It
// is immutable.
type openGroup struct {
	verifiers []*Verifier              // by name
	removed   persistent.Map[struct{}] // issuers that they cover and that are not trusted
}

// covering appends the groups whose issuers cover one. There is hardly ever
// more than one.
func (o *openIssuers) covering(issuer string, groups []*openGroup) []*openGroup {
	const host = 3 // slashes, with those of "https://"
	for end, slashes := 0, 0; slashes < o.slashes; {
		i := strings.IndexByte(issuer[end:], '/')
		if i < 0 || end+i >= o.length {
			break
		}
		end += i + 1
		if slashes++; slashes < host {
			continue
		}
		bySuffix, _ := o.byPrefix.Get(issuer[:end])
		if bySuffix == nil {
			continue
		}
		rest := len(issuer)
		if i = strings.IndexByte(issuer[end:], '/'); i >= 0 {
			rest = end + i
		}
		group, ok := bySuffix.Get(issuer[rest:])
		if ok && group.verifiers[0].template.tenant(issuer) != "" {
			groups = append(groups, group)
		}
	}
	return groups
}

// after returns the first issuer of some groups whose name comes after one, nil
// if there is none.
func after(name string, groups []*openGroup) (first *Verifier) {
	for _, group := range groups {
		at, found := slices.BinarySearchFunc(group.verifiers, name, byName)
		if found {
			at++
		}
		if at < len(group.verifiers) &&
			(first == nil || group.verifiers[at].issuer < first.issuer) {
			first = group.verifiers[at]
		}
	}
	return first
}

func byName(v *Verifier, name string) int { return strings.Compare(v.issuer, name) }

// with returns them with one more, in the place of that of the same name.
func (o openIssuers) with(v *Verifier) openIssuers {
	o.slashes = max(o.slashes, strings.Count(v.template.prefix, "/"))
	o.length = max(o.length, len(v.template.prefix))
	return o.change(v.template, func(group *openGroup) {
		at, found := slices.BinarySearchFunc(group.verifiers, v.issuer, byName)
		if found {
			group.verifiers = slices.Clone(group.verifiers)
			group.verifiers[at] = v
			return
		}
		group.verifiers = slices.Insert(slices.Clip(group.verifiers), at, v)
	})
}

// without returns them without one. With the last of a group goes what was
// removed of it, unless others cover that.
func (o openIssuers) without(v *Verifier) openIssuers {
	var removed persistent.Map[struct{}]
	o = o.change(v.template, func(group *openGroup) {
		group.verifiers = slices.DeleteFunc(slices.Clone(group.verifiers),
			func(other *Verifier) bool { return other.issuer == v.issuer })
		if len(group.verifiers) == 0 {
			removed = group.removed
		}
	})
	for issuer := range removed.All() {
		o = o.remove(issuer)
	}
	return o
}

// remove returns them with an issuer that they cover no longer trusted.
func (o openIssuers) remove(issuer string) openIssuers {
	for _, group := range o.covering(issuer, nil) {
		o = o.change(group.verifiers[0].template, func(group *openGroup) {
			group.removed = group.removed.With(issuer, struct{}{})
		})
	}
	return o
}

// restore undoes remove.
func (o openIssuers) restore(issuer string) openIssuers {
	for _, group := range o.covering(issuer, nil) {
		if group.has(issuer) {
			o = o.change(group.verifiers[0].template, func(group *openGroup) {
				group.removed = group.removed.Without(issuer)
			})
		}
	}
	return o
}

// has reports whether an issuer was removed.
func (g *openGroup) has(issuer string) bool {
	_, removed := g.removed.Get(issuer)
	return removed
}

// change returns them with a copy of one group changed.
func (o openIssuers) change(of *template, change func(*openGroup)) openIssuers {
	var bySuffix persistent.Map[*openGroup]
	if before, _ := o.byPrefix.Get(of.prefix); before != nil {
		bySuffix = *before
	}
	group := new(openGroup)
	if before, _ := bySuffix.Get(of.suffix); before != nil {
		*group = *before
	}
	if change(group); len(group.verifiers) == 0 {
		bySuffix = bySuffix.Without(of.suffix)
	} else {
		bySuffix = bySuffix.With(of.suffix, group)
	}
	if bySuffix.Len() == 0 {
		o.byPrefix = o.byPrefix.Without(of.prefix)
	} else {
		o.byPrefix = o.byPrefix.With(of.prefix, &bySuffix)
	}
	return o
}
