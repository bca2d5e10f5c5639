package claims_test

import (
	"context"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// cognitoCases: docs.aws.amazon.com/cognito/latest/developerguide,
// amazon-cognito-user-pools-using-the-access-token.html and -id-token.html
func cognitoCases() []profileCase {
	const issuer = "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_example"
	const subject, client = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "xxxxxxxxxxxxexample"
	user := dated(`{"sub":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
		"device_key":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","cognito:groups":["testgroup"],
		"iss":"https://cognito-idp.us-west-2.amazonaws.com/us-west-2_example","version":2,
		"client_id":"xxxxxxxxxxxxexample","origin_jti":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
		"event_id":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","token_use":"access",
		"scope":"phone openid orders/read email","auth_time":$iat,"exp":$exp,"iat":$iat,
		"jti":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","username":"my-test-user"}`)
	bound := changed(user, m{"aud": "https://api.example.com"})
	machine := dated(`{"sub":"xxxxxxxxxxxxexample","token_use":"access","scope":"orders/read",
		"auth_time":$iat,"iss":"https://cognito-idp.us-west-2.amazonaws.com/us-west-2_example",
		"exp":$exp,"iat":$iat,"version":2,"jti":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
		"client_id":"xxxxxxxxxxxxexample"}`)
	id := dated(`{"sub":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","cognito:groups":["testgroup"],
		"aud":"xxxxxxxxxxxxexample","email_verified":true,"token_use":"id","auth_time":$iat,
		"iss":"https://cognito-idp.us-west-2.amazonaws.com/us-west-2_example",
		"cognito:username":"janedoe","exp":$exp,"given_name":"Jane","iat":$iat,
		"email":"janedoe@example.com","jti":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
		"origin_jti":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"}`)
	idForAPI := changed(id, m{"aud": "https://api.example.com"})
	scopes := []string{"phone", "openid", "orders/read", "email"}
	return []profileCase{
		{
			name: "Cognito by client",
			config: claims.Config{
				Issuer: issuer, ClientIDs: []string{client}, Profile: claims.Cognito,
			},
			tokens: []issuedToken{
				{
					name: "user", header: untyped, payload: user, subject: subject, clientID: client,
					scopes: scopes, permissions: []string{"testgroup"},
				},
				{
					name: "user, signed in by the SDK", header: untyped, subject: subject,
					payload: changed(user, m{
						"scope": "aws.cognito.signin.user.admin", "cognito:groups": claimstest.Omit,
					}),
					clientID: client, scopes: []string{"aws.cognito.signin.user.admin"},
				},
				{
					name: "client credentials", header: untyped, payload: machine, subject: client,
					clientID: client, scopes: []string{"orders/read"},
				},
				{
					name: "another client", header: untyped, reason: claims.ReasonClient,
					payload: changed(user, m{"client_id": "yyyyyyyyyyyyexample"}),
				},
				{name: "ID token", header: untyped, payload: id, reason: claims.ReasonType},
				{
					name: "ID token with the client", header: untyped, reason: claims.ReasonType,
					payload: changed(id, m{"client_id": client}),
				},
				{
					name: "ID token without token_use", header: untyped, reason: claims.ReasonType,
					payload: changed(id, m{"token_use": claimstest.Omit, "client_id": client}),
				},
			},
		},
		{
			name: "Cognito by audience",
			config: claims.Config{
				Issuer: issuer, Audiences: []string{"https://api.example.com"}, Profile: claims.Cognito,
			},
			tokens: []issuedToken{
				{
					name: "resource binding", header: untyped, payload: bound, subject: subject,
					clientID: client, scopes: scopes, permissions: []string{"testgroup"},
				},
				{name: "no audience", header: untyped, payload: user, reason: claims.ReasonAudience},
				{
					name: "client credentials", header: untyped, payload: machine,
					reason: claims.ReasonAudience,
				},
				{
					name: "another API", header: untyped, reason: claims.ReasonAudience,
					payload: changed(user, m{"aud": "https://other.example.com"}),
				},
				{name: "ID token", header: untyped, payload: idForAPI, reason: claims.ReasonType},
				{
					name: "ID token, federated", header: untyped, reason: claims.ReasonType,
					payload: changed(idForAPI, m{"nonce": "x", "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q"}),
				},
			},
		},
	}
}

// googleCases: developers.google.com/identity/openid-connect/openid-connect,
// developers.google.com/identity/gsi/web/reference/js-reference and
// cloud.google.com/docs/authentication/token-types
func googleCases() []profileCase {
	const account, number = "caller@project.iam.gserviceaccount.com", "107691503500061507151"
	service := dated(`{"aud":"https://my-service.run.app","azp":"107691503500061507151",
		"email":"caller@project.iam.gserviceaccount.com","email_verified":true,"exp":$exp,"iat":$iat,
		"iss":"https://accounts.google.com","sub":"107691503500061507151"}`)
	user := dated(`{"iss":"https://accounts.google.com","azp":"1234.apps.googleusercontent.com",
		"aud":"https://my-service.run.app","sub":"10769150350006150715113082367",
		"at_hash":"HK6E_P6Dh8Y93mRNtsDB1Q","hd":"example.com","email":"jsmith@example.com",
		"email_verified":true,"iat":$iat,"exp":$exp,"nonce":"0394852-3190485-2490358"}`)
	button := dated(`{"iss":"https://accounts.google.com","nbf":$iat,
		"aud":"https://my-service.run.app","sub":"3141592653589793238",
		"email":"elisa.g.beckett@gmail.com","email_verified":true,
		"azp":"314159265-pi.apps.googleusercontent.com","name":"Elisa Beckett",
		"picture":"https://lh3.googleusercontent.com/a-/e2718281828459045235360uler",
		"given_name":"Elisa","family_name":"Beckett","iat":$iat,"exp":$exp,
		"jti":"abc161803398874def"}`)
	config := claims.Config{
		Issuer: "https://accounts.google.com", Audiences: []string{"https://my-service.run.app"},
		Profile: claims.Google,
	}
	byAccount, byCheck := config, config
	byAccount.ClientIDs = []string{account}
	byCheck.Check = func(context.Context, *claims.Claims) error { return nil }
	users := []issuedToken{
		{name: "user's ID token", header: typedJWT, payload: user, reason: claims.ReasonType},
		{
			name: "user's ID token without nonce", header: typedJWT, reason: claims.ReasonType,
			payload: changed(user, m{"nonce": claimstest.Omit}),
		},
		{
			name: "user's ID token with hd alone", header: typedJWT, reason: claims.ReasonType,
			payload: changed(user, m{"nonce": claimstest.Omit, "at_hash": claimstest.Omit}),
		},
		{
			name: "user's ID token, not of a Workspace", header: typedJWT, reason: claims.ReasonType,
			payload: changed(user, m{"nonce": claimstest.Omit, "hd": claimstest.Omit}),
		},
		{
			name: "user's ID token, from the button, of a Workspace", header: typedJWT,
			payload: changed(button, m{"hd": "example.com"}), reason: claims.ReasonType,
		},
		{
			name: "user's ID token, from the button", header: typedJWT, payload: button,
			reason: claims.ReasonType,
		},
		{
			name: "made without the e-mail", header: typedJWT, reason: claims.ReasonType,
			payload: changed(service, m{"email": claimstest.Omit, "email_verified": claimstest.Omit}),
		},
		{
			name: "for another service", header: typedJWT, reason: claims.ReasonAudience,
			payload: changed(service, m{"aud": "https://other.run.app"}),
		},
	}
	accepted := issuedToken{
		name: "service account", header: typedJWT, payload: service, subject: number,
		clientID: account,
	}
	machine := accepted
	machine.name = "service account on a virtual machine"
	machine.payload = changed(service, m{
		"azp":    account,
		"google": m{"compute_engine": m{"project_id": "project", "instance_id": "152986662232938449"}},
	})
	other := issuedToken{
		name: "another service account", header: typedJWT, reason: claims.ReasonClient,
		payload: changed(service, m{"email": "anybody@elsewhere.iam.gserviceaccount.com"}),
	}
	return []profileCase{
		{
			name: "Google by account", config: byAccount,
			tokens: append([]issuedToken{accepted, machine, other}, users...),
		},
		{
			name: "Google by Check", config: byCheck,
			tokens: append([]issuedToken{accepted, machine}, users...),
		},
	}
}
