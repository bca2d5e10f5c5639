package httpauth_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims/httpauth"
)

func TestResourceMetadataURL(t *testing.T) {
	t.Parallel()
	for resource, want := range map[string]string{
		"https://api.example":           "https://api.example/.well-known/oauth-protected-resource",
		"https://api.example/":          "https://api.example/.well-known/oauth-protected-resource",
		"https://api.example/orders":    "https://api.example/.well-known/oauth-protected-resource/orders",
		"https://api.example/orders/":   "https://api.example/.well-known/oauth-protected-resource/orders/",
		"https://api.example:8443/a/b":  "https://api.example:8443/.well-known/oauth-protected-resource/a/b",
		"https://api.example/a%2Fb":     "https://api.example/.well-known/oauth-protected-resource/a%2Fb",
		"https://[2001:db8::1]/mcp":     "https://[2001:db8::1]/.well-known/oauth-protected-resource/mcp",
		"http://127.0.0.1:8080":         "http://127.0.0.1:8080/.well-known/oauth-protected-resource",
		"http://[::1]:8080/mcp":         "http://[::1]:8080/.well-known/oauth-protected-resource/mcp",
		"http://localhost/mcp":          "http://localhost/.well-known/oauth-protected-resource/mcp",
		"http://api.example":            "",
		"http://localhost.example":      "",
		"ftp://api.example":             "",
		"urn:api":                       "",
		"https:api.example":             "",
		"https:///orders":               "",
		"/orders":                       "",
		"":                              "",
		"https://user@api.example":      "",
		"https://api.example?a=b":       "",
		"https://api.example/?":         "",
		"https://api.example/#":         "",
		"https://api.example/#a":        "",
		"https://api.example/\u00fc":    "",
		`https://api.example/"`:         "",
		`https://api.example/\`:         "",
		"https://api.example/a b":       "",
		"https://api.example/a/../b":    "",
		"https://api.example/./b":       "",
		"https://api.example//b":        "",
		"https://api.example/a//":       "",
		"https://api.example/\x7f":      "",
		"https://api.example/%zz":       "",
		"https://api.example\r\nX: y":   "",
		"https://api.example/\r\nX: y":  "",
		"https://api.example:port/":     "",
		"HTTPS://api.example/orders":    "https://api.example/.well-known/oauth-protected-resource/orders",
		"https://API.example/orders":    "https://API.example/.well-known/oauth-protected-resource/orders",
		"https://api.example/.well/a.b": "https://api.example/.well-known/oauth-protected-resource/.well/a.b",
	} {
		got, err := httpauth.ResourceMetadataURL(resource)
		assert.Equal(t, want, got, resource)
		assert.Equal(t, want == "", err != nil, "%s: %v", resource, err)
	}
}

func FuzzResourceMetadataURL(f *testing.F) {
	f.Add("https://api.example/orders")
	f.Add("http://[::1]:8080/a%2Fb/")
	f.Add("https://api.example/\"\\\r\n")
	f.Fuzz(func(t *testing.T, resource string) {
		got, err := httpauth.ResourceMetadataURL(resource)
		if err != nil {
			return
		}
		// What is sent in a field cannot end its quotes or its line.
		assert.NotRegexp(t, `[^!#-\[\]-~]`, got)
		assert.Regexp(t, `\Ahttps?://[^/]+/\.well-known/oauth-protected-resource(/|\z)`, got)
	})
}
