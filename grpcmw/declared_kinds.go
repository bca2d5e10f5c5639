package grpcmw

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw/accesspb"
	"github.com/sallyport-go/sallyport/grpcmw/internal/nearest"
)

// requirement returns what an option says, not validated yet.
func (d *declaration) requirement(option *accesspb.Requirement) (claims.Requirement, error) {
	switch kind := option.GetKind().(type) {
	case *accesspb.Requirement_Public:
		return claims.Public(), nil
	case *accesspb.Requirement_Authenticated:
		return claims.Authenticated(), nil
	case *accesspb.Requirement_Scopes:
		return claims.Scopes(kind.Scopes.GetOf()...), nil
	case *accesspb.Requirement_AnyScope:
		return claims.AnyScope(kind.AnyScope.GetOf()...), nil
	case *accesspb.Requirement_Permissions:
		return claims.Permissions(kind.Permissions.GetOf()...), nil
	case *accesspb.Requirement_AnyPermission:
		return claims.AnyPermission(kind.AnyPermission.GetOf()...), nil
	case *accesspb.Requirement_All:
		parts, err := d.requirements(kind.All)
		return claims.All(parts...), err
	case *accesspb.Requirement_AnyOf:
		parts, err := d.requirements(kind.AnyOf)
		return claims.AnyOf(parts...), err
	case *accesspb.Requirement_Acr:
		return claims.ACR(kind.Acr.GetOf()...), nil
	case *accesspb.Requirement_MaxAge:
		return claims.MaxAge(kind.MaxAge.AsDuration()), kind.MaxAge.CheckValid()
	case *accesspb.Requirement_ReportOnly:
		needs, err := d.requirement(kind.ReportOnly)
		return claims.ReportOnly(needs), err
	case *accesspb.Requirement_Named:
		return d.byName(kind.Named)
	}
	return claims.Requirement{}, errors.New(
		"the option (sallyport.v1.requirement) sets no kind of requirement")
}

func (d *declaration) requirements(list *accesspb.Requirements) ([]claims.Requirement, error) {
	var parts []claims.Requirement
	var errs []error
	for _, option := range list.GetOf() {
		part, err := d.requirement(option)
		parts, errs = append(parts, part), append(errs, err)
	}
	return parts, errors.Join(errs...)
}

func (d *declaration) byName(name string) (claims.Requirement, error) {
	needs, ok := d.named[name]
	if !ok {
		names := nearest.Of(slices.Collect(maps.Keys(d.named)))
		return claims.Requirement{}, fmt.Errorf("DeclaredConfig.Named has no %q%s",
			name, didYouMean(names.To(name)))
	}
	d.used[name] = true
	return needs, nil
}
