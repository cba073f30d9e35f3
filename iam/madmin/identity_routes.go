package madmin

import (
	"net/http"
	"unicode"
	"unicode/utf8"

	"github.com/objsrv/objsrv/iam/iamzip"
	"github.com/objsrv/objsrv/internal/strictjson"
)

const (
	get    = http.MethodGet
	put    = http.MethodPut
	post   = http.MethodPost
	remove = http.MethodDelete

	// maxJSON is more than any request about identities needs: the longest has a policy.
	maxJSON = 64 << 10
)

// identityRoutes are the rows of users, groups, policies and access keys.
func identityRoutes() []route {
	return []route{
		{method: get, path: "accountinfo", op: "AccountInfo", optional: "prefix-usage", rule: ownOr(), serve: (*call).accountInfo},
		{method: put, path: "add-user", query: "accessKey", op: "AddUser", rule: ownOr("admin:CreateUser"), sealed: true, max: maxJSON, serve: (*call).addUser},
		{method: remove, path: "remove-user", query: "accessKey", op: "RemoveUser", rule: need("admin:DeleteUser"), serve: (*call).removeUser},
		{method: put, path: "set-user-status", query: "accessKey status=enabled", op: "EnableUser", rule: need("admin:EnableUser"), serve: (*call).enableUser},
		{method: put, path: "set-user-status", query: "accessKey status=disabled", op: "DisableUser", rule: need("admin:DisableUser"), serve: (*call).disableUser},
		{method: get, path: "list-users", query: "bucket", op: "ListBucketUsers", rule: need("admin:ListUsers")},
		{method: get, path: "list-users", op: "ListUsers", rule: need("admin:ListUsers"), seals: true, serve: (*call).listUsers},
		{method: get, path: "user-info", query: "accessKey", op: "GetUserInfo", rule: ownOr("admin:GetUser"), serve: (*call).userInfo},

		{method: put, path: "update-group-members", op: "UpdateGroupMembers", rule: oneOf("admin:AddUserToGroup", "admin:RemoveUserFromGroup"), max: maxJSON, serve: (*call).updateGroupMembers},
		{method: get, path: "group", query: "group", op: "GetGroup", rule: need("admin:GetGroup"), serve: (*call).getGroup},
		{method: get, path: "groups", op: "ListGroups", rule: need("admin:ListGroups"), serve: (*call).listGroups},
		{method: put, path: "set-group-status", query: "group status=enabled", op: "EnableGroup", rule: need("admin:EnableGroup"), serve: (*call).enableGroup},
		{method: put, path: "set-group-status", query: "group status=disabled", op: "DisableGroup", rule: need("admin:DisableGroup"), serve: (*call).disableGroup},

		{method: put, path: "add-canned-policy", query: "name", op: "AddCannedPolicy", rule: need("admin:CreatePolicy"), max: maxJSON, serve: (*call).addPolicy},
		{method: get, path: "info-canned-policy", query: "name", optional: "v", op: "InfoCannedPolicy", rule: need("admin:GetPolicy"), serve: (*call).infoPolicy},
		{method: get, path: "list-canned-policies", query: "bucket", op: "ListBucketPolicies", rule: need("admin:ListUserPolicies")},
		{method: get, path: "list-canned-policies", op: "ListCannedPolicies", rule: need("admin:ListUserPolicies"), serve: (*call).listPolicies},
		{method: remove, path: "remove-canned-policy", query: "name", op: "RemoveCannedPolicy", rule: need("admin:DeletePolicy"), serve: (*call).removePolicy},
		{method: put, path: "set-user-or-group-policy", query: "policyName userOrGroup isGroup", op: "SetPolicyForUserOrGroup", rule: need("admin:AttachUserOrGroupPolicy"), serve: (*call).setPolicies},
		{method: post, path: "idp/builtin/policy/attach", op: "AttachPolicyBuiltin", rule: attachRule(), sealed: true, seals: true, max: maxJSON, serve: (*call).attachBuiltin},
		{method: post, path: "idp/builtin/policy/detach", op: "DetachPolicyBuiltin", rule: attachRule(), sealed: true, seals: true, max: maxJSON, serve: (*call).detachBuiltin},
		{method: get, path: "idp/builtin/policy-entities", optional: "user* group* policy*", op: "ListPolicyMappingEntities", rule: entitiesRule(), seals: true, serve: (*call).entitiesBuiltin},

		{method: put, path: "add-service-account", op: "AddServiceAccount", rule: ownOr("admin:CreateServiceAccount"), sealed: true, seals: true, max: maxJSON, serve: (*call).addServiceAccount},
		{method: post, path: "update-service-account", query: "accessKey", op: "UpdateServiceAccount", rule: ownOr("admin:UpdateServiceAccount"), sealed: true, max: maxJSON, serve: (*call).updateServiceAccount},
		{method: get, path: "info-service-account", query: "accessKey", op: "InfoServiceAccount", rule: ownOr("admin:ListServiceAccounts"), seals: true, serve: (*call).infoServiceAccount},
		{method: get, path: "list-service-accounts", optional: "user", op: "ListServiceAccounts", rule: ownOr("admin:ListServiceAccounts"), seals: true, serve: (*call).listServiceAccounts},
		{method: remove, path: "delete-service-account", query: "accessKey", op: "DeleteServiceAccount", rule: ownOr("admin:RemoveServiceAccount"), serve: (*call).deleteServiceAccount},
		{method: get, path: "temporary-account-info", query: "accessKey", op: "TemporaryAccountInfo", rule: need("admin:ListTemporaryAccounts"), seals: true, serve: (*call).temporaryAccountInfo},
		{method: get, path: "info-access-key", query: "accessKey", op: "InfoAccessKey", rule: ownOr("admin:ListServiceAccounts"), seals: true, serve: (*call).infoAccessKey},
		{method: get, path: "list-access-keys-bulk", query: "listType all=true", optional: "users*", op: "ListAccessKeysOfAll", rule: allOf("admin:ListUsers", "admin:ListServiceAccounts"), seals: true, serve: (*call).listKeysOfAll},
		{method: get, path: "list-access-keys-bulk", query: "listType", optional: "users* all", op: "ListAccessKeysBulk", rule: ownOr("admin:ListServiceAccounts"), seals: true, serve: (*call).listKeysBulk},
		{method: post, path: "revoke-tokens/{provider}", optional: "user tokenRevokeType fullRevoke", op: "RevokeTokens", rule: ownOr("admin:RemoveServiceAccount"), serve: (*call).revokeTokens},

		{method: put, path: "idp/ldap/add-service-account", op: "AddServiceAccountLDAP", rule: ownOr("admin:CreateServiceAccount"), sealed: true, seals: true, max: maxJSON, serve: (*call).addServiceAccountLDAP},
		{method: get, path: "idp/ldap/list-access-keys", query: "userDN listType", op: "ListAccessKeysLDAP", rule: ownOr("admin:ListServiceAccounts"), seals: true, serve: (*call).listKeysLDAP},
		{method: get, path: "idp/ldap/list-access-keys-bulk", query: "listType all=true", optional: "userDNs*", op: "ListAccessKeysOfAllLDAP", rule: allOf("admin:ListUsers", "admin:ListServiceAccounts"), seals: true, serve: (*call).listKeysOfAllLDAP},
		{method: get, path: "idp/ldap/list-access-keys-bulk", query: "listType", optional: "userDNs* all", op: "ListAccessKeysLDAPBulk", rule: ownOr("admin:ListServiceAccounts"), seals: true, serve: (*call).listKeysBulkLDAP},
		{method: get, path: "idp/ldap/policy-entities", optional: "user* group* policy*", op: "ListLDAPPolicyMappingEntities", rule: entitiesRule(), seals: true, serve: (*call).entitiesLDAP},
		{method: post, path: "idp/ldap/policy/attach", op: "AttachPolicyLDAP", rule: need("admin:UpdatePolicyAssociation"), sealed: true, seals: true, max: maxJSON, serve: (*call).attachLDAP},
		{method: post, path: "idp/ldap/policy/detach", op: "DetachPolicyLDAP", rule: need("admin:UpdatePolicyAssociation"), sealed: true, seals: true, max: maxJSON, serve: (*call).detachLDAP},
		{method: get, path: "idp/openid/list-access-keys-bulk", query: "listType all=true", optional: "users* configName allConfigs", op: "ListAccessKeysOfAllOpenID", rule: allOf("admin:ListUsers", "admin:ListServiceAccounts"), seals: true, serve: (*call).listKeysOfAllOpenID},
		{method: get, path: "idp/openid/list-access-keys-bulk", query: "listType", optional: "users* all configName allConfigs", op: "ListAccessKeysOpenIDBulk", rule: ownOr("admin:ListServiceAccounts"), seals: true, serve: (*call).listKeysOpenID},

		{method: put, path: "idp-config/{type}/{name}", op: "AddIdentityProviderCfg", rule: need("admin:ConfigUpdate"), sealed: true, max: maxJSON,
			instead: "Identity providers are set by the variables OBJSRV_IDENTITY_OPENID_... and OBJSRV_IDENTITY_LDAP_..."},
		{method: post, path: "idp-config/{type}/{name}", op: "UpdateIdentityProviderCfg", rule: need("admin:ConfigUpdate"), sealed: true, max: maxJSON, serve: (*call).changeProvider},
		{method: get, path: "idp-config/{type}", op: "ListIdentityProviderCfg", rule: need("admin:ConfigUpdate"), seals: true, serve: (*call).listProviders},
		{method: get, path: "idp-config/{type}/{name}", op: "GetIdentityProviderCfg", rule: need("admin:ConfigUpdate"), seals: true, serve: (*call).getProvider},
		{method: remove, path: "idp-config/{type}/{name}", op: "DeleteIdentityProviderCfg", rule: need("admin:ConfigUpdate"), serve: (*call).changeProvider},

		{method: get, path: "export-iam", op: "ExportIAM", rule: need("admin:ExportIAM"), serve: (*call).exportIAM},
		{method: put, path: "import-iam", op: "ImportIAM", rule: need("admin:ImportIAM"), max: iamzip.MaxSize, serve: (*call).importIAM},
		{method: put, path: "import-iam-v2", op: "ImportIAMV2", rule: need("admin:ImportIAM"), max: iamzip.MaxSize, serve: (*call).importIAMv2},
	}
}

func attachRule() rule {
	return oneOf("admin:UpdatePolicyAssociation", "admin:AttachUserOrGroupPolicy")
}

func entitiesRule() rule {
	return oneOf("admin:ListGroups", "admin:ListUsers", "admin:ListUserPolicies")
}

// decode reads the body strictly.
func (c *call) decode(v any) error {
	if err := strictjson.Decode(c.body, v); err != nil {
		return &Refusal{http.StatusBadRequest, "XMinioAdminConfigBadJSON", "The body is not what is expected: " + err.Error() + "."}
	}
	return nil
}

// maxName is longer than any name of a user, group or policy, those of directories included.
const maxName = 1024

// name returns a parameter that names something, which must be a name at all: whether it is one
// of the right form, package iam knows.
func (c *call) name(param string) (string, error) {
	return checkName(c.param(param))
}

func checkName(s string) (string, error) {
	switch {
	case s == "" || len(s) > maxName || !utf8.ValidString(s):
		return "", invalid("A name has 1 to 1024 bytes of UTF-8.")
	case s == "." || s == "..":
		return "", invalid("A name consists of more than dots.")
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return "", invalid("A name has no control characters.")
		}
	}
	return s, nil
}
