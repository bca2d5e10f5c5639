package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/sallyport-go/sallyport/claims"
)

// realm names the service in its challenges, on all APIs.
const realm = "orders"

// inPath is what an HTTP operation needs in the workspace that its path names.
func inPath(permission string) claims.Requirement {
	return claims.InWorkspaceOf("path", func(r *http.Request) string {
		return r.PathValue("workspace")
	}, claims.Permissions(permission))
}

// workspaceMessage is a request message of the gRPC API.
type workspaceMessage interface{ GetWorkspace() string }

// inMessage is what a gRPC method needs in the workspace that its request
// names, or that the first of its requests does.
func inMessage(permission string) claims.Requirement {
	return claims.InWorkspaceOf("message", workspaceMessage.GetWorkspace,
		claims.Permissions(permission))
}

// in is what a part of a request needs.
func in(workspace, permission string) claims.Requirement {
	return claims.InWorkspace(workspace, claims.Permissions(permission))
}

// seesMargins reports whether the caller may see the margins of a workspace. An
// error means that it cannot be decided.
func seesMargins(ctx context.Context, workspace string) (bool, error) {
	err := claims.Allowed(ctx, in(workspace, readMargins))
	if errors.Is(err, claims.ErrForbidden) {
		return false, nil
	}
	return err == nil, err
}
