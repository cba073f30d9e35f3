package sts

import "slices"

// op is one row of the table of actions.
type op struct {
	name string
	// unsigned actions prove who asks by what their form holds, and take it in the query as well,
	// as MinIO does. The others are signed.
	unsigned bool
	serve    func(*call) error // nil for what is not implemented
	// params are what the action takes; of lists, the name with ".member".
	params []string
	// lacks are parameters of the AWS model that it is refused with as not implemented.
	lacks  []string
	limits string // in words, for the documentation
}

// Limits that several actions have.
const (
	sessionLimits = "900 s to 365 days; a policy of 2 048 characters, 10 policies by ARN"
	tokenLimits   = "900 s to 36 hours, of root one hour"
)

// Parameters that several actions take.
var (
	sessionParams = []string{"DurationSeconds", "Policy", "PolicyArns.member", "TokenRevokeType"}
	namedParams   = slices.Concat(sessionParams, []string{"RoleSessionName"})
	tokenParams   = slices.Concat(namedParams, []string{"WebIdentityToken", "Token", "WebIdentityAccessToken", "WebIdentityRefreshToken", "RoleArn"})
)

// ops is everything that STS has, and MinIO's further actions.
var ops = []op{
	{name: "AssumeRole", serve: (*call).assumeRole,
		params: slices.Concat(namedParams, []string{"RoleArn", "ExternalId", "Tags.member", "TransitiveTagKeys.member", "SourceIdentity"}),
		lacks:  []string{"SerialNumber", "TokenCode", "ProvidedContexts.member"}, limits: sessionLimits + ", 50 tags; RoleArn names the session, there are no roles"},
	{name: "GetSessionToken", serve: (*call).getSessionToken, params: []string{"DurationSeconds"}, lacks: []string{"SerialNumber", "TokenCode"}, limits: tokenLimits},
	{name: "GetFederationToken", serve: (*call).getFederationToken, params: []string{"DurationSeconds", "Name", "Policy", "PolicyArns.member", "Tags.member"}, limits: tokenLimits + "; a policy of 2 048 characters, 10 policies by ARN, 50 tags"},
	{name: "GetCallerIdentity", serve: (*call).getCallerIdentity},
	{name: "GetAccessKeyInfo", serve: (*call).getAccessKeyInfo, params: []string{"AccessKeyId"}},
	{name: "AssumeRoleWithWebIdentity", unsigned: true, serve: (*call).assumeRoleWithWebIdentity, params: tokenParams, lacks: []string{"ProviderId"}, limits: "a token of 20 000 characters; " + sessionLimits},
	{name: "AssumeRoleWithClientGrants", unsigned: true, serve: (*call).assumeRoleWithClientGrants, params: tokenParams, limits: "as AssumeRoleWithWebIdentity"},
	{name: "AssumeRoleWithLDAPIdentity", unsigned: true, serve: (*call).assumeRoleWithLDAPIdentity, params: slices.Concat(sessionParams, []string{"LDAPUsername", "LDAPPassword"}), limits: sessionLimits},
	{name: "AssumeRoleWithCertificate", unsigned: true, serve: (*call).assumeRoleWithCertificate, params: namedParams, limits: "as long as the certificate at most; " + sessionLimits},
	{name: "AssumeRoleWithCustomToken", unsigned: true, serve: (*call).assumeRoleWithCustomToken, params: slices.Concat(namedParams, []string{"Token", "RoleArn"}), limits: "a token of 20 000 bytes; " + sessionLimits},
	{name: "AssumeRoleWithSAML", unsigned: true},
	{name: "AssumeRoot"},
	{name: "DecodeAuthorizationMessage"},
	{name: "GetDelegatedAccessToken"},
	{name: "GetWebIdentityToken"},
}

// opOf returns the row of an action, nil when there is none.
func opOf(name string) *op {
	for i := range ops {
		if ops[i].name == name {
			return &ops[i]
		}
	}
	return nil
}

// Action describes one row of the table of actions to documentation.
type Action struct {
	Name        string   // of the AWS model, or MinIO's
	Signed      bool     // the request is signed; the others prove who asks by a parameter
	Implemented bool     // else it answers 501 NotImplemented
	Limits      string   // in words; "" for none
	Refused     []string // parameters of the AWS model that are answered with 501
}

// Actions returns the table of actions in its order.
func Actions() []Action {
	out := make([]Action, len(ops))
	for i := range ops {
		o := &ops[i]
		out[i] = Action{Name: o.name, Signed: !o.unsigned, Implemented: o.serve != nil, Limits: o.limits}
		for _, p := range o.lacks {
			out[i].Refused = append(out[i].Refused, familyOf(p))
		}
	}
	return out
}
