package grpcmw_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/grpcmw/accesspb"
	"github.com/sallyport-go/sallyport/grpcmw/internal/notespb"
)

// register makes a service known whose methods, M0 and so on, have these
// options, encoded.
func register(t *testing.T, service string, options ...[]byte) {
	t.Helper()
	if _, err := protoregistry.GlobalFiles.FindFileByPath(service + ".proto"); err == nil {
		return // by go test -count
	}
	pkg, name, _ := strings.Cut(service, ".")
	file := &descriptorpb.FileDescriptorProto{
		Name:       proto.String(service + ".proto"),
		Package:    proto.String(pkg),
		Syntax:     proto.String("proto3"),
		Dependency: []string{"notes/v1/notes.proto"},
		Service:    []*descriptorpb.ServiceDescriptorProto{{Name: proto.String(name)}},
	}
	for i, encoded := range options {
		method := &descriptorpb.MethodDescriptorProto{
			Name:       proto.String("M" + string(rune('0'+i))),
			InputType:  proto.String(".notes.v1.GetNoteRequest"),
			OutputType: proto.String(".notes.v1.GetNoteResponse"),
		}
		if encoded != nil {
			method.Options = &descriptorpb.MethodOptions{}
			// As a program decodes it that does not have the extension.
			require.NoError(t, proto.UnmarshalOptions{Resolver: &protoregistry.Types{}}.Unmarshal(
				encoded, method.Options))
		}
		file.Service[0].Method = append(file.Service[0].Method, method)
	}
	built, err := protodesc.NewFile(file, protoregistry.GlobalFiles)
	require.NoError(t, err)
	require.NoError(t, protoregistry.GlobalFiles.RegisterFile(built))
}

// option returns encoded options with a requirement, and with more bytes in it.
func option(needs *accesspb.Requirement, more ...byte) []byte {
	encoded, err := proto.Marshal(needs)
	if err != nil {
		panic(err)
	}
	field := protowire.AppendTag(nil, accesspb.E_Requirement.TypeDescriptor().Number(),
		protowire.BytesType)
	return protowire.AppendBytes(field, append(encoded, more...))
}

func scopes(of ...string) *accesspb.Requirement {
	return &accesspb.Requirement{Kind: &accesspb.Requirement_Scopes{
		Scopes: &accesspb.Strings{Of: of},
	}}
}

func all(of ...*accesspb.Requirement) *accesspb.Requirement {
	return &accesspb.Requirement{Kind: &accesspb.Requirement_All{
		All: &accesspb.Requirements{Of: of},
	}}
}

func anyOf(of ...*accesspb.Requirement) *accesspb.Requirement {
	return &accesspb.Requirement{Kind: &accesspb.Requirement_AnyOf{
		AnyOf: &accesspb.Requirements{Of: of},
	}}
}

func named(name string) *accesspb.Requirement {
	return &accesspb.Requirement{Kind: &accesspb.Requirement_Named{Named: name}}
}

func maxAge(d *durationpb.Duration) *accesspb.Requirement {
	return &accesspb.Requirement{Kind: &accesspb.Requirement_MaxAge{MaxAge: d}}
}

func TestDeclaredPolicy_faults(t *testing.T) {
	t.Parallel()
	const unknown = "the option (sallyport.v1.requirement) has a field " +
		"that this version of grpcmw does not know"
	const none = "the option (sallyport.v1.requirement) sets no kind of requirement"
	newer := protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), 1)
	with := func(needs *accesspb.Requirement, unknown func(*accesspb.Requirement)) []byte {
		unknown(needs)
		return option(needs)
	}
	public := &accesspb.Requirement{
		Kind: &accesspb.Requirement_Public{Public: &emptypb.Empty{}},
	}
	needs := map[string]claims.Requirement{
		"forOthers": claims.RequestFunc("path",
			func(context.Context, *claims.Claims, *notespb.PingRequest) (bool, error) { return true, nil }),
		"wrong":     claims.Scopes(),
		"everybody": claims.Public(),
	}
	for name, row := range map[string]struct {
		option []byte
		want   string
	}{
		"no kind":                       {option(&accesspb.Requirement{}), none},
		"no kind in a part":             {option(all(scopes("a"), &accesspb.Requirement{})), none},
		"newer kind":                    {option(&accesspb.Requirement{}, newer...), unknown},
		"newer field":                   {option(scopes("a"), newer...), unknown},
		"newer field in a part":         {option(all(scopes("a"), unknownIn(scopes("b"), newer))), unknown},
		"newer field in the first part": {option(all(unknownIn(scopes("b"), newer), scopes("a"))), unknown},
		"newer field in a list": {with(scopes("a"), func(r *accesspb.Requirement) {
			r.GetScopes().ProtoReflect().SetUnknown(newer)
		}), unknown},
		"newer field in the last part": {with(all(scopes("a"), maxAge(durationpb.New(time.Second))),
			func(r *accesspb.Requirement) {
				r.GetAll().GetOf()[1].GetMaxAge().ProtoReflect().SetUnknown(newer)
			}), unknown},
		"another extension of that number": {protowire.AppendVarint(protowire.AppendTag(nil,
			accesspb.E_Requirement.TypeDescriptor().Number(), protowire.VarintType), 1), unknown},
		"no requirement at all": {
			protowire.AppendBytes(protowire.AppendTag(nil,
				accesspb.E_Requirement.TypeDescriptor().Number(), protowire.BytesType), []byte{0xff}),
			"proto",
		},
		"no scope":            {option(scopes()), "claims: Scopes needs at least one scope"},
		"not a scope":         {option(anyOf(scopes("a"), scopes("b c"))), `"b c" is not a scope`},
		"nothing in all":      {option(all()), "claims: All needs at least one requirement"},
		"public in all":       {option(all(scopes("a"), public)), "Public cannot be part of All"},
		"age of nothing":      {option(maxAge(nil)), "not a whole number of seconds"},
		"age with a half":     {option(maxAge(durationpb.New(1500 * time.Millisecond))), "whole number"},
		"negative age":        {option(maxAge(durationpb.New(-time.Second))), "whole number"},
		"age of ages":         {option(maxAge(&durationpb.Duration{Seconds: 1 << 60})), "exceeds"},
		"age that is long":    {option(maxAge(&durationpb.Duration{Seconds: 1 << 38})), "whole number"},
		"unknown name":        {option(named("staff")), `DeclaredConfig.Named has no "staff"`},
		"misspelt name":       {option(named("wrongs")), `has no "wrongs" (did you mean wrong?)`},
		"unknown name of one": {option(anyOf(scopes("a"), named("staff"))), `DeclaredConfig.Named has no "staff"`},
		"unknown name in a trial": {
			option(&accesspb.Requirement{Kind: &accesspb.Requirement_ReportOnly{ReportOnly: named("staff")}}),
			`DeclaredConfig.Named has no "staff"`,
		},
		"no name":           {option(named("")), `DeclaredConfig.Named has no ""`},
		"invalid by name":   {option(named("wrong")), "claims: Scopes needs at least one scope"},
		"public by name":    {option(all(named("everybody"))), "Public cannot be part of All"},
		"for other methods": {option(named("forOthers")), `RequestFunc("path") wants a *notespb.PingRequest`},
		"several": {
			option(all(named("staff"), &accesspb.Requirement{})), `DeclaredConfig.Named has no "staff"` + "\n" + none,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := "faults." + strings.ReplaceAll(strings.ReplaceAll(name, " ", "_"), ".", "_")
			register(t, service, row.option, option(scopes("a")))
			policy, err := grpcmw.DeclaredPolicy(grpcmw.DeclaredConfig{Services: []string{service}, Named: needs})
			require.ErrorContains(t, err, "grpcmw: /"+service+"/M0: ")
			assert.ErrorContains(t, err, row.want)
			assert.NotContains(t, err.Error(), "/M1")
			assert.Nil(t, policy)
		})
	}
}

func unknownIn(needs *accesspb.Requirement, more []byte) *accesspb.Requirement {
	needs.ProtoReflect().SetUnknown(more)
	return needs
}

func TestDeclaredPolicy_reportsEverything(t *testing.T) {
	t.Parallel()
	register(t, "every.Fault", option(&accesspb.Requirement{}), option(scopes()), nil, option(named("b")))
	_, err := grpcmw.DeclaredPolicy(grpcmw.DeclaredConfig{
		Services: []string{
			"notes.v1.Note", "every.Fault", "every.Fault", "notes.v1.GetNoteRequest",
			"/notes.v1.Notes", "nothing.like.It", "",
		},
		Named: map[string]claims.Requirement{
			"b": claims.Authenticated(), "z": claims.Authenticated(), "unused": claims.Scopes(),
		},
	})
	assert.EqualError(t, err, strings.Join([]string{
		`grpcmw: DeclaredConfig.Services: the program has no service `,
		`grpcmw: DeclaredConfig.Services: the program has no service /notes.v1.Notes ` +
			`(did you mean notes.v1.Notes?)`,
		`grpcmw: /every.Fault/M0: the option (sallyport.v1.requirement) sets no kind of requirement`,
		`grpcmw: /every.Fault/M1: claims: Scopes needs at least one scope`,
		`grpcmw: DeclaredConfig.Services: the program has no service notes.v1.GetNoteRequest`,
		`grpcmw: DeclaredConfig.Services: the program has no service notes.v1.Note ` +
			`(did you mean notes.v1.Notes?)`,
		`grpcmw: DeclaredConfig.Services: the program has no service nothing.like.It`,
		`grpcmw: DeclaredConfig.Named: no method needs "unused"`,
		`grpcmw: DeclaredConfig.Named: no method needs "z"`,
	}, "\n"))

	policy, err := grpcmw.DeclaredPolicy(grpcmw.DeclaredConfig{})
	assert.EqualError(t, err, "grpcmw: DeclaredConfig.Services is empty")
	assert.Nil(t, policy)
}

// Options that a program decoded before it had the extension count all the
// same.
func TestDeclaredPolicy_options(t *testing.T) {
	t.Parallel()
	deprecated, err := proto.Marshal(&descriptorpb.MethodOptions{Deprecated: proto.Bool(true)})
	require.NoError(t, err)
	// What another extension says is not about access.
	other := protowire.AppendVarint(protowire.AppendTag(nil, 50001, protowire.VarintType), 1)
	register(t, "options.Late",
		append(append(deprecated, other...), option(scopes("a"))...), other, nil, option(named("own")))
	policy, err := grpcmw.DeclaredPolicy(grpcmw.DeclaredConfig{
		Services: []string{"options.Late"},
		Named: map[string]claims.Requirement{"own": claims.RequestFunc("note",
			func(context.Context, *claims.Claims, *notespb.GetNoteRequest) (bool, error) { return true, nil })},
	})
	require.NoError(t, err)
	require.Len(t, policy, 2)
	assert.Equal(t, `Scopes("a")`, policy["/options.Late/M0"].String())
	assert.Equal(t, `RequestFunc("note")`, policy["/options.Late/M3"].String())
}
