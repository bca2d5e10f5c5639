package claims_test

import (
	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

const typedX5T = `{"typ":"JWT","alg":"RS256","x5t":"i6lGk3FZzxRcUb2C3nEQ7syHJlY","kid":"rs256"}`

// entraCases: learn.microsoft.com/en-us/entra/identity-platform,
// access-token-claims-reference, id-token-claims-reference and access-tokens
func entraCases() []profileCase {
	return append(entraV1Cases(), entraV2Cases()...)
}

func entraV1Cases() []profileCase {
	const tenant = "fa15d692-e9c7-4460-a743-29f2956fd429"
	const api = "ef1da9d4-ff77-4c3e-a005-840c3f830745"
	const client = "75dbe77f-10a3-4e59-85fd-8c127544f17c"
	user := dated(`{"aud":"ef1da9d4-ff77-4c3e-a005-840c3f830745",
		"iss":"https://sts.windows.net/fa15d692-e9c7-4460-a743-29f2956fd429/","iat":$iat,"nbf":$iat,
		"exp":$exp,"acr":"1","aio":"AXQAi/8I","amr":["wia"],
		"appid":"75dbe77f-10a3-4e59-85fd-8c127544f17c","appidacr":"0","family_name":"Lincoln",
		"given_name":"Abe (MSFT)",
		"idp":"https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd0122247/",
		"ipaddr":"222.222.222.22","name":"abeli","oid":"02223b6b-aa1d-42d4-9ec0-1b2bb9194438",
		"rh":"I","scp":"user_impersonation","sub":"l3_roISQU222bULS9yi2k0XpqpOiMz5H3ZACo1GeXA",
		"tid":"fa15d692-e9c7-4460-a743-29f2956fd429","unique_name":"abeli@microsoft.com",
		"uti":"FVsGxYXI30-TuikuUoFAA","ver":"1.0"}`)
	app := dated(`{"aud":"api://orders",
		"iss":"https://sts.windows.net/fa15d692-e9c7-4460-a743-29f2956fd429/","iat":$iat,"nbf":$iat,
		"exp":$exp,"aio":"E2BgYGj","appid":"75dbe77f-10a3-4e59-85fd-8c127544f17c","appidacr":"1",
		"idp":"https://sts.windows.net/fa15d692-e9c7-4460-a743-29f2956fd429/",
		"oid":"690222be-ff1a-4d56-abd1-7e4f7d38e474","rh":"0.A","roles":["Orders.Read.All"],
		"sub":"690222be-ff1a-4d56-abd1-7e4f7d38e474","tid":"fa15d692-e9c7-4460-a743-29f2956fd429",
		"uti":"fqiBqXLPj0eQa82S","ver":"1.0"}`)
	id := dated(`{"aud":"ef1da9d4-ff77-4c3e-a005-840c3f830745",
		"iss":"https://sts.windows.net/fa15d692-e9c7-4460-a743-29f2956fd429/","iat":$iat,"nbf":$iat,
		"exp":$exp,"amr":["pwd"],"family_name":"Lincoln","given_name":"Abe","ipaddr":"222.222.222.22",
		"name":"abeli","nonce":"12345","oid":"02223b6b-aa1d-42d4-9ec0-1b2bb9194438","rh":"I",
		"sub":"YkZpfaHyWadeOouYlitjrI","tid":"fa15d692-e9c7-4460-a743-29f2956fd429",
		"unique_name":"abeli@microsoft.com","uti":"FVsGxYXI30","ver":"1.0"}`)
	return []profileCase{{
		name: "EntraV1",
		config: claims.Config{
			Issuer: "https://sts.windows.net/" + tenant + "/", Audiences: []string{api, "api://orders"},
			Profile: claims.EntraV1,
		},
		tokens: []issuedToken{
			{
				name: "user", header: typedX5T, payload: user, clientID: client,
				subject: "l3_roISQU222bULS9yi2k0XpqpOiMz5H3ZACo1GeXA",
				scopes:  []string{"user_impersonation"},
			},
			{
				name: "application", header: typedX5T, payload: app, clientID: client,
				subject:     "690222be-ff1a-4d56-abd1-7e4f7d38e474",
				permissions: []string{"Orders.Read.All"},
			},
			{
				name: "application without role", header: typedX5T, reason: claims.ReasonClaims,
				payload: changed(app, m{"roles": claimstest.Omit}),
			},
			{name: "ID token", header: typedX5T, payload: id, reason: claims.ReasonType},
			{
				name: "ID token without nonce", header: typedX5T, reason: claims.ReasonClaims,
				payload: changed(id, m{"nonce": claimstest.Omit}),
			},
			{
				name: "ID token with roles", header: typedX5T, reason: claims.ReasonClaims,
				payload: changed(id, m{"nonce": claimstest.Omit, "roles": []string{"Orders.Read"}}),
			},
		},
	}}
}

func entraV2Cases() []profileCase {
	const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	const api = "6e74172b-be56-4843-9ff4-e66a39bb12e3" // a web app of this API has it too
	const client = "75dbe77f-10a3-4e59-85fd-8c127544f17c"
	const foreign = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
	user := dated(`{"aud":"6e74172b-be56-4843-9ff4-e66a39bb12e3",
		"iss":"https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
		"iat":$iat,"nbf":$iat,"exp":$exp,"aio":"AXQAi/8I",
		"azp":"6e74172b-be56-4843-9ff4-e66a39bb12e3","azpacr":"0","name":"Abe Lincoln",
		"oid":"690222be-ff1a-4d56-abd1-7e4f7d38e474","preferred_username":"abeli@microsoft.com",
		"rh":"I","scp":"access_as_user","sub":"HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
		"tid":"72f988bf-86f1-41af-91ab-2d7cd011db47","uti":"fqiBqXLPj0eQa82S-IYFAA","ver":"2.0"}`)
	app := dated(`{"aud":"6e74172b-be56-4843-9ff4-e66a39bb12e3",
		"iss":"https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
		"iat":$iat,"nbf":$iat,"exp":$exp,"aio":"ASQA2/8X",
		"azp":"75dbe77f-10a3-4e59-85fd-8c127544f17c","azpacr":"1","idtyp":"app",
		"oid":"02223b6b-aa1d-42d4-9ec0-1b2bb9194438","rh":"0.A","roles":["Catalog.ReadWrite"],
		"sub":"02223b6b-aa1d-42d4-9ec0-1b2bb9194438","tid":"72f988bf-86f1-41af-91ab-2d7cd011db47",
		"uti":"fqiBqXLPj0eQa82S","ver":"2.0"}`)
	id := dated(`{"aud":"6e74172b-be56-4843-9ff4-e66a39bb12e3",
		"iss":"https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
		"iat":$iat,"nbf":$iat,"exp":$exp,"aio":"AXQAi/8I",
		"idp":"https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/","name":"Abe Lincoln",
		"nonce":"12345","oid":"690222be-ff1a-4d56-abd1-7e4f7d38e474",
		"preferred_username":"abeli@microsoft.com","rh":"I","sid":"1d4e2f",
		"sub":"HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
		"tid":"72f988bf-86f1-41af-91ab-2d7cd011db47","uti":"fqiBqXLPj0eQa82S-IYFAA","ver":"2.0"}`)
	config := claims.Config{
		Issuer:    "https://login.microsoftonline.com/" + tenant + "/v2.0",
		Audiences: []string{api}, Profile: claims.EntraV2,
	}
	tenants := config
	tenants.Issuer = "https://login.microsoftonline.com/{tenantid}/v2.0"
	tenants.TrustTenant = func(id string) bool { return id == tenant }
	tokens := []issuedToken{
		{
			name: "user, whose client is the API's own", header: typedJWT, payload: user, clientID: api,
			subject: "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ", scopes: []string{"access_as_user"},
		},
		{
			name: "user with roles and optional claims", header: typedJWT,
			payload: changed(user, m{
				"roles": []string{"Orders.Clerk"}, "sid": "1d4e2f", "auth_time": 1, "acct": 0,
				"_claim_names": m{"groups": "src1"}, "_claim_sources": m{"src1": m{"endpoint": "x"}},
			}),
			subject: "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ", clientID: api,
			scopes: []string{"access_as_user"}, permissions: []string{"Orders.Clerk"},
		},
		{
			name: "application", header: typedJWT, payload: app, clientID: client,
			subject:     "02223b6b-aa1d-42d4-9ec0-1b2bb9194438",
			permissions: []string{"Catalog.ReadWrite"},
		},
		{
			name: "application without role", header: typedJWT, reason: claims.ReasonClaims,
			payload: changed(app, m{"roles": claimstest.Omit}),
		},
		{
			name: "another tenant", header: typedJWT, reason: claims.ReasonIssuer,
			payload: changed(user, m{"iss": foreign}),
		},
		{
			name: "the template as the issuer", header: typedJWT, reason: claims.ReasonIssuer,
			payload: changed(user, m{"iss": "https://login.microsoftonline.com/{tenantid}/v2.0"}),
		},
		{
			name: "of version 1.0", header: typedX5T, reason: claims.ReasonIssuer,
			payload: changed(user, m{"iss": "https://sts.windows.net/" + tenant + "/", "ver": "1.0"}),
		},
		{name: "ID token", header: typedJWT, payload: id, reason: claims.ReasonType},
		{
			name: "ID token without nonce", header: typedJWT, reason: claims.ReasonClaims,
			payload: changed(id, m{"nonce": claimstest.Omit}),
		},
		{
			name: "ID token with roles", header: typedJWT, reason: claims.ReasonClaims,
			payload: changed(id, m{"nonce": claimstest.Omit, "roles": []string{"Orders.Clerk"}}),
		},
		{
			name: "ID token of the authorization endpoint", header: typedJWT, reason: claims.ReasonType,
			payload: changed(id, m{"nonce": claimstest.Omit, "c_hash": "LDktKdoQak3Pk0cnXxCltA"}),
		},
	}
	return []profileCase{
		{name: "EntraV2", config: config, tokens: tokens},
		{name: "EntraV2 for several tenants", config: tenants, tokens: tokens},
	}
}
