package claims_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// permissionsIn returns the permissions that paths find in a claims set.
func permissionsIn(t testing.TB, object string, paths ...string) []string {
	t.Helper()
	caller, err := claims.FromJSON([]byte(object), claims.Config{PermissionClaims: paths})
	require.NoError(t, err)
	return caller.Permissions()
}

// What issuers send, and the paths that authorizing.md shows for it.
func TestPermissionClaims_issuers(t *testing.T) {
	t.Parallel()
	const rpt = `{"iss":"https://sso.example/realms/shop","typ":"Bearer","azp":"web","authorization":{"permissions":[
		{"scopes":["read","list"],"rsid":"d2fe9843-6462-4bfc-baba-b5787bb6e0e7","rsname":"orders"},
		{"rsid":"3f1c9b0e-7c1a-4f0e-8d1c-0e5a8a4c9b11","rsname":"https://shop.example/carts","scopes":["write"]},
		{"rsid":"0bd0f3b1-7a1e-4d4f-9b63-0d8f6c0d7c2a","rsname":"reports"}]}}`
	const zitadel = `{"iss":"https://shop.zitadel.cloud","urn:zitadel:iam:org:project:roles":{
		"admin":{"170086824411201793":"shop.zitadel.cloud"},
		"clerk":{"170086824411201793":"shop.zitadel.cloud","170086824411201999":"acme.zitadel.cloud"}},
		"urn:zitadel:iam:org:project:170086774599581953:roles":{"admin":{"170086824411201793":"x"}}}`
	const hasura = `{"sub":"1234567890","https://hasura.io/jwt/claims":{"x-hasura-allowed-roles":["editor","user"],
		"x-hasura-default-role":"user","x-hasura-user-id":"1234567890"}}`
	for _, tt := range []struct {
		name  string
		path  string
		token string
		want  []string
	}{
		{
			name: "Auth0, by an action", path: "https://api.example/roles",
			token: `{"iss":"https://acme.eu.auth0.com/","https://api.example/roles":["admin","clerk"]}`,
			want:  []string{"admin", "clerk"},
		},
		{
			name: "Auth0, by an action, in quotes", path: `["https://api.example/roles"]`,
			token: `{"https://api.example/roles":["admin"]}`, want: []string{"admin"},
		},
		{
			name: ".NET", path: "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
			token: `{"http://schemas.microsoft.com/ws/2008/06/identity/claims/role":"Manager"}`,
			want:  []string{"Manager"},
		},
		{
			name: "Hasura", path: `["https://hasura.io/jwt/claims"].x-hasura-allowed-roles`,
			token: hasura, want: []string{"editor", "user"},
		},
		{
			name: "Hasura, every name in quotes", path: `["https://hasura.io/jwt/claims"]["x-hasura-allowed-roles"]`,
			token: hasura, want: []string{"editor", "user"},
		},
		{
			name: "ZITADEL", path: "urn:zitadel:iam:org:project:roles.@names",
			token: zitadel, want: []string{"admin", "clerk"},
		},
		{
			name: "ZITADEL, of one project", path: "urn:zitadel:iam:org:project:170086774599581953:roles.@names",
			token: zitadel, want: []string{"admin"},
		},
		{
			name: "ZITADEL, by organization", path: "urn:zitadel:iam:org:project:roles.*.@names",
			token: zitadel,
			want:  []string{"admin:170086824411201793", "clerk:170086824411201793", "clerk:170086824411201999"},
		},
		{
			name: "Keycloak, realm", path: "realm_access.roles",
			token: `{"realm_access":{"roles":["offline_access","view-books"]}}`,
			want:  []string{"offline_access", "view-books"},
		},
		{
			name: "Keycloak, clients", path: "resource_access.*.roles",
			token: `{"resource_access":{"orders":{"roles":["admin"]},"https://web.example":{"roles":["clerk"]}}}`,
			want:  []string{"orders:admin", "https%3A//web.example:clerk"},
		},
		{
			name: "Keycloak, one client that is a URL", path: `resource_access["https://web.example"].roles`,
			token: `{"resource_access":{"orders":{"roles":["admin"]},"https://web.example":{"roles":["clerk"]}}}`,
			want:  []string{"clerk"},
		},
		{
			name: "Keycloak, RPT", path: "authorization.permissions[*rsname].scopes",
			token: rpt, want: []string{"orders:read", "orders:list", "https%3A//shop.example/carts:write"},
		},
		{
			name: "Keycloak, RPT, scopes alone", path: "authorization.permissions[].scopes",
			token: rpt, want: []string{"read", "list", "write"},
		},
		{
			name: "Keycloak, RPT, resources alone", path: "authorization.permissions[].rsname",
			token: rpt, want: []string{"orders", "https://shop.example/carts", "reports"},
		},
		{
			name: "Cognito", path: "cognito:groups",
			token: `{"cognito:groups":["eu-west-1_Zz_Google","admins"]}`, want: []string{"eu-west-1_Zz_Google", "admins"},
		},
		{
			name: "SAP XSUAA", path: `["xs.system.attributes"]["xs.rolecollections"]`,
			token: `{"xs.system.attributes":{"xs.rolecollections":["orders.Admin"]}}`, want: []string{"orders.Admin"},
		},
		{
			name: "Kubernetes", path: `["kubernetes.io"].serviceaccount.name`,
			token: `{"kubernetes.io":{"namespace":"shop","serviceaccount":{"name":"importer","uid":"1"}}}`,
			want:  []string{"importer"},
		},
		{
			name: "reverse domain", path: "com.acme.roles",
			token: `{"com.acme.roles":["admin"]}`, want: []string{"admin"},
		},
		{
			name: "flags", path: "features.@names",
			token: `{"features":{"export":true,"import":false,"audit":null,"beta":1,"gamma":0,"delta":-0.0e9,` +
				`"list":[ ],"object":{ },"full":["x"],"none":"","some":"x"}}`,
			want: []string{"export", "beta", "full", "some"},
		},
		{
			name: "roles as objects", path: "roles[].name",
			token: `{"roles":[{"id":1,"name":"admin"},{"id":2},{"name":["clerk","guest"]},"x",null]}`,
			want:  []string{"admin", "clerk", "guest"},
		},
		{
			name: "arrays in arrays", path: "grants[][].may",
			token: `{"grants":[[{"may":"a"}],[{"may":"b"},{}],{"may":"c"}]}`, want: []string{"a", "b"},
		},
		{
			name: "by a name in quotes, after the values", path: `grants[*"of what"].may`,
			token: `{"grants":[{"may":"read","of what":"a:b"},{"may":"write","of what":7},{"may":"write"}]}`,
			want:  []string{"a%3Ab:read"},
		},
		{
			name: "every claim", path: "*.roles",
			token: `{"a":{"roles":"x"},"b":{"roles":["y"]},"c":"roles"}`, want: []string{"a:x", "b:y"},
		},
		{
			name: "escapes", path: `["\u0061\"b"].c`, token: `{"a\"b":{"\u0063":"x"}}`, want: []string{"x"},
		},
		{
			name: "array of arrays of strings", path: "roles", token: `{"roles":[["a"]]}`,
		},
		{
			name: "strings beside other values", path: "roles", token: `{"roles":["a","b",{"name":"c"},"d"]}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, append([]string{}, tt.want...), permissionsIn(t, tt.token, tt.path))
		})
	}
}

// Several paths, through the same objects and arrays.
func TestPermissionClaims_pathsTogether(t *testing.T) {
	t.Parallel()
	const token = `{"a":{"b":["1",{"c":"2","by":"x"}],"d":{"e":"3","f":["4"]},"g":"5"},"a.g":"6","h":["7","8"]}`
	assert.ElementsMatch(t, []string{"2", "x:2", "3", "4", "5", "6", "7", "8", "b", "d", "g"},
		permissionsIn(t, token, "h", "a.b", "a.b[].c", "a.b[*by].c", "a.d.e", "a.d.f", "a.g", "a.@names"))
	assert.Equal(t, []string{"3", "d:3", "d:4"},
		permissionsIn(t, token, "a.d.e", "a.*.e", "a.*.f"), "a name and every name")
	assert.Equal(t, []string{"5"}, permissionsIn(t, token, `a["g"]`), "no claim of the path's text")
}

// Whatever names stand before a value, no other names and value make the same
// permission.
func TestPermissionClaims_prefixesApart(t *testing.T) {
	t.Parallel()
	parts := []string{"", "a", "a:", ":", "a:b", "%3A", "a%3A", "%", "%25", "b", "3A", ":b", "::"}
	seen := map[string]string{}
	for _, outer := range parts {
		for _, inner := range parts {
			for _, value := range parts {
				if value == "" {
					continue
				}
				object, err := json.Marshal(m{"x": m{outer: m{inner: m{"y": value}}}})
				require.NoError(t, err)
				got := permissionsIn(t, string(object), "x.*.*.y")
				require.Len(t, got, 1)
				from := fmt.Sprintf("%q", []string{outer, inner, value})
				assert.Empty(t, seen[got[0]], "%s of %s", got[0], from)
				seen[got[0]] = from
			}
		}
	}
}

// What can match nothing, or more than one thing, is told at start: which, and
// where.
func TestPermissionClaims_wrongPaths(t *testing.T) {
	t.Parallel()
	deep := strings.TrimSuffix(strings.Repeat("a.", 33), ".")
	for path, want := range map[string]string{
		"":                           "is empty",
		".":                          "has an empty name",
		".a":                         "has an empty name",
		"a.":                         `has an empty name, after "a."`,
		"a..b":                       `has an empty name, after "a."`,
		`a.["b"]`:                    `has an empty name, after "a."`,
		"*":                          "must name a claim after the last",
		"a.*":                        "@names",
		"a.*.*":                      "must name a claim after the last",
		"@names":                     "must name the claim",
		"*.@names.b":                 "has something after @names",
		"a.@names.b":                 "has something after @names",
		"a.@keys":                    `begins with "@"`,
		"a.b*":                       "holds a star",
		"a]":                         "holds a star, a bracket",
		`"a"`:                        "in quotes, as in",
		" a":                         "has space around it",
		"a. b":                       "has space around it",
		"a\n":                        "has space around it",
		"a\x00b":                     "holds a control character",
		"a\xff":                      "is not UTF-8",
		"[]":                         "begins with an array",
		"[].a":                       "begins with an array",
		"[*a].b":                     "begins with an array",
		"a[]":                        `an array of strings needs no "[]"`,
		"a[*b]":                      "must name what is in the elements",
		"a[*]":                       "needs the name of a member",
		"a[*].b":                     "needs the name of a member",
		"a[*b*].c":                   "needs the name of a member",
		"a[0].b":                     `needs a name in double quotes, "]", or "*" and a name, after "a["`,
		"a[b].c":                     "needs a name in double quotes",
		"a['b'].c":                   "needs a name in double quotes",
		"a[":                         "needs a name in double quotes",
		`a["b`:                       "not a JSON string",
		`a["b"`:                      `has a "[" that is not closed, after "a"`,
		`a["b" ]`:                    "not closed",
		`a[""]`:                      "has an empty name",
		`a["\x"]`:                    "not a JSON string",
		`a["b"]c`:                    `has neither a dot nor a bracket, after "a[\"b\"]"`,
		`["https://a.example/b"]c.d`: "has neither a dot nor a bracket",
		"https://hasura.io/jwt/claims.roles": `has a URL, of which nobody knows where it ends: ` +
			`write it in quotes, as in ["https://api.example/claims"].roles`,
		"https://a.example/v1.0/roles":   "has a URL",
		`https://a.example/b["c"]`:       "has a URL",
		"https://a.example.*.roles":      "has a URL",
		"x.https://a.example.roles":      "has a URL",
		"clients[*https://a.example*].c": "needs the name of a member",
		"exp":                            "is a number of seconds",
		`["iat"]`:                        "is a number of seconds",
		"scope.read":                     `goes into "scope", which is a string or an array of strings`,
		"sub.@names":                     `goes into "sub", which is a string`,
		"aud[].x":                        `goes into "aud"`,
		"nbf.*.x":                        `goes into "nbf"`,
		deep:                             "has 33 steps, and a token has 32 levels",
	} {
		cfg := claims.Config{
			Issuer: "https://a.example", Audiences: []string{"a"}, PermissionClaims: []string{"roles", path},
		}
		place := fmt.Sprintf("claims: Config.PermissionClaims[1]: %q ", path)
		_, err := claims.NewVerifier(cfg)
		if assert.ErrorContains(t, err, want, path) {
			assert.ErrorContains(t, err, place)
		}
		_, err = claims.FromJSON([]byte(`{}`), cfg)
		assert.ErrorContains(t, err, want, path)
	}
	for _, path := range []string{
		"a", "a.b", "a-b_c", "a b", "ä.ö", "scope", "scp", "aud", "sub", "cnf.x", "a@b", "*.a.*.b",
		"https://a.example", "https://a.example/", "urn:a:b", strings.TrimSuffix(deep, ".a"),
		`["exp "]`, `["*"]`, `a["@names"]`, `["a\nb"]`, `["https://a.example/v1.0/roles"]`,
	} {
		_, err := claims.FromJSON([]byte(`{}`), claims.Config{PermissionClaims: []string{path}})
		assert.NoError(t, err, path)
	}
}

// A claim that a token must not have grants nothing.
func TestPermissionClaims_forbidden(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		profile claims.Profile
		forbid  []string
		paths   []string
		want    string
	}{
		{name: "by the Config", forbid: []string{"roles"}, paths: []string{"roles"}, want: "roles"},
		{name: "an object", forbid: []string{"realm"}, paths: []string{"x", "realm.roles"}, want: "realm.roles"},
		{name: "by the profile", profile: claims.Auth0, paths: []string{"sid"}, want: "sid"},
		{name: "always", paths: []string{"at_hash"}, want: "at_hash"},
		{name: "another", forbid: []string{"roles"}, paths: []string{"realm.roles", "*.roles"}},
		{name: "a flat name", forbid: []string{"realm"}, paths: []string{`["realm.roles"]`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := claims.NewVerifier(claims.Config{
				Issuer: "https://a.example", Audiences: []string{"a"}, Profile: tt.profile,
				ForbiddenClaims: tt.forbid, PermissionClaims: tt.paths,
			})
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, fmt.Sprintf("Config.PermissionClaims: %q is in a claim that is forbidden", tt.want))
		})
	}
}

// The longest way through a token is read to its end.
func TestPermissionClaims_deepest(t *testing.T) {
	t.Parallel()
	object := strings.Repeat(`{"a":`, 32) + `"x"` + strings.Repeat("}", 32)
	path := strings.TrimSuffix(strings.Repeat("a.", 32), ".")
	assert.Equal(t, []string{"x"}, permissionsIn(t, object, path))
	stars := strings.Repeat("*.", 31) + "a"
	assert.Equal(t, []string{strings.Repeat("a:", 31) + "x"}, permissionsIn(t, object, stars))
}

// Each row of the table in authorizing.md is true.
func TestPermissionClaims_documented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("authorizing.md")
	require.NoError(t, err)
	rows, token := 0, ""
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || !strings.Contains(cells[2], "`") {
			continue
		}
		for i, cell := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cell), "`")
		}
		if strings.HasPrefix(cells[1], `"`) { // or that of the row before
			token = "{" + cells[1] + "}"
		}
		assert.Equal(t, []string{cells[3]}, permissionsIn(t, token, cells[2]), cells[0])
		rows++
	}
	assert.GreaterOrEqual(t, rows, 14)
}
