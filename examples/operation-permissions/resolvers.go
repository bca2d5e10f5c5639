package main

import (
	"context"

	"github.com/graph-gophers/graphql-go"
)

// resolvers answer the queries of the schema.
type resolvers struct{}

type workspaceArgs struct{ ID graphql.ID }

func (*resolvers) Workspace(args workspaceArgs) *workspace { return &workspace{string(args.ID)} }

func (*resolvers) AddProperty(ctx context.Context, args struct {
	Workspace graphql.ID
	Name      string
}) (*string, error) {
	if err := mayDo(ctx, "addProperty", string(args.Workspace)); err != nil {
		return nil, err
	}
	return &args.Name, nil
}

// workspace is one, whether it exists or not: nobody is told who may not see
// it.
type workspace struct{ id string }

func (w *workspace) ID() graphql.ID { return graphql.ID(w.id) }

func (w *workspace) Properties(ctx context.Context) (*[]string, error) {
	if err := mayDo(ctx, "properties", w.id); err != nil {
		return nil, err
	}
	return &[]string{"flat 1 in " + w.id, "flat 2 in " + w.id}, nil
}

func (w *workspace) Revenue(ctx context.Context) (*int32, error) {
	if err := mayDo(ctx, "revenue", w.id); err != nil {
		return nil, err
	}
	revenue := int32(1200)
	return &revenue, nil
}
