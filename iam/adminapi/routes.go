package adminapi

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/objsrv/objsrv/iam/iamzip"
)

// The actions of the routes.
const (
	// Of users, and of accounts with their root users.
	ActionListUsers    = "admin:ListUsers"
	ActionGetUser      = "admin:GetUser"
	ActionCreateUser   = "admin:CreateUser" // and to set another's secret
	ActionDeleteUser   = "admin:DeleteUser"
	ActionEnableUser   = "admin:EnableUser"
	ActionDisableUser  = "admin:DisableUser"
	ActionAttachPolicy = "admin:AttachUserOrGroupPolicy" // attach and detach; and, with CreateUser, to make an account

	ActionListGroups   = "admin:ListGroups"
	ActionGetGroup     = "admin:GetGroup"
	ActionAddMember    = "admin:AddUserToGroup"      // and to create a group
	ActionRemoveMember = "admin:RemoveUserFromGroup" // and to delete a group
	ActionEnableGroup  = "admin:EnableGroup"
	ActionDisableGroup = "admin:DisableGroup"

	ActionListPolicies = "admin:ListUserPolicies" // and who has one
	ActionGetPolicy    = "admin:GetPolicy"
	ActionSetPolicy    = "admin:CreatePolicy" // and to validate one
	ActionDeletePolicy = "admin:DeletePolicy"

	// Of the credentials of others; see mayManage.
	ActionListKeys     = "admin:ListServiceAccounts"
	ActionCreateKey    = "admin:CreateServiceAccount"
	ActionUpdateKey    = "admin:UpdateServiceAccount"
	ActionRemoveKey    = "admin:RemoveServiceAccount" // and to revoke sessions
	ActionListSessions = "admin:ListTemporaryAccounts"

	ActionImportIAM = "admin:ImportIAM"

	// Of the keys of server-side encryption, which a policy's resource may name.
	ActionListEncryptionKeys  = "kms:ListKeys"
	ActionCreateEncryptionKey = "kms:CreateKey"
	ActionRotateEncryptionKey = "kms:KeyRotate" // and to seal anew what older versions have sealed
	// Of the server.
	ActionServer    = "admin:ServerInfo"
	ActionMetrics   = "admin:Prometheus"
	ActionTrace     = "admin:ServerTrace"
	ActionLog       = "admin:ConsoleLog"
	ActionUsage     = "admin:DataUsageInfo"
	ActionConfig    = "admin:ConfigUpdate" // and to read the settings of identity providers
	ActionRestart   = "admin:ServiceRestart"
	ActionGetQuota  = "admin:GetBucketQuota"
	ActionSetQuota  = "admin:SetBucketQuota"
	ActionLifecycle = "admin:LifecycleRun" // of objsrv's own: to have all of a bucket looked at now

	ActionExplain = "admin:Explain" // of objsrv's own: reasons of refusals, simulations, and what would become of a login
)

// usualBody is more than a request needs, but where its route says so.
const usualBody = 64 << 10

// gate says when the action of a route is asked for.
type gate uint8

const (
	always    gate = iota // before the body is read
	perChange             // by the handler: the actions depend on what the body asks for
	perOwner              // by the handler: one's own needs no action
	anybody               // never: an identity is enough
)

// route is one row of the table of routes.
type route struct {
	method  string
	pattern string // path below Prefix; an element in braces stands for a name
	op      string // operation name of the event
	gate    gate
	action  string
	serve   func(*call) error
	query   []string // query parameters that it takes
	body    int64    // most bytes of its body; 0 is usualBody
}

// routes is the table of everything this face does. Where two patterns fit, the earlier
// row counts.
func routes() []route {
	return slices.Concat(identityRoutes(), hostRoutes())
}

const get, put, patch, post, del = http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodPost, http.MethodDelete

// identityRoutes are the rows of users, groups, policies, keys and sessions.
func identityRoutes() []route {
	return []route{
		{method: get, pattern: "whoami", op: "AdminWhoAmI", gate: anybody, serve: (*call).whoami},

		{method: get, pattern: "users", op: "AdminListUsers", action: ActionListUsers, serve: (*call).listUsers},
		{method: get, pattern: "users/{name}", op: "AdminGetUser", action: ActionGetUser, serve: (*call).getUser},
		{method: put, pattern: "users/{name}", op: "AdminCreateUser", action: ActionCreateUser, serve: (*call).createUser},
		{method: patch, pattern: "users/{name}", op: "AdminUpdateUser", gate: perChange, serve: (*call).updateUser},
		{method: del, pattern: "users/{name}", op: "AdminDeleteUser", action: ActionDeleteUser, serve: (*call).deleteUser},

		{method: get, pattern: "accounts", op: "AdminListAccounts", action: ActionListUsers, serve: (*call).listAccounts},
		{method: get, pattern: "accounts/{name}", op: "AdminGetAccount", action: ActionGetUser, serve: (*call).getAccount},
		{method: put, pattern: "accounts/{name}", op: "AdminCreateAccount", action: ActionCreateUser, serve: (*call).createAccount},
		{method: del, pattern: "accounts/{name}", op: "AdminDeleteAccount", action: ActionDeleteUser, serve: (*call).deleteAccount},

		{method: get, pattern: "groups", op: "AdminListGroups", action: ActionListGroups, serve: (*call).listGroups},
		{method: get, pattern: "groups/{name}", op: "AdminGetGroup", action: ActionGetGroup, serve: (*call).getGroup},
		{method: put, pattern: "groups/{name}", op: "AdminCreateGroup", action: ActionAddMember, serve: (*call).createGroup},
		{method: patch, pattern: "groups/{name}", op: "AdminUpdateGroup", gate: perChange, serve: (*call).updateGroup},
		{method: del, pattern: "groups/{name}", op: "AdminDeleteGroup", action: ActionRemoveMember, serve: (*call).deleteGroup},

		{method: get, pattern: "policies", op: "AdminListPolicies", action: ActionListPolicies, serve: (*call).listPolicies},
		{method: post, pattern: "policies/validate", op: "AdminValidatePolicy", action: ActionSetPolicy, serve: (*call).validatePolicy, query: []string{"kind"}},
		{method: get, pattern: "policies/{name}", op: "AdminGetPolicy", action: ActionGetPolicy, serve: (*call).getPolicy},
		{method: put, pattern: "policies/{name}", op: "AdminSetPolicy", action: ActionSetPolicy, serve: (*call).setPolicy},
		{method: del, pattern: "policies/{name}", op: "AdminDeletePolicy", action: ActionDeletePolicy, serve: (*call).deletePolicy},
		{method: get, pattern: "policies/{name}/entities", op: "AdminPolicyEntities", action: ActionListPolicies, serve: (*call).policyEntities},

		{method: get, pattern: "keys", op: "AdminListKeys", gate: perOwner, action: ActionListKeys, serve: (*call).listKeys, query: []string{"all", "user"}},
		{method: post, pattern: "keys", op: "AdminCreateKey", gate: perOwner, action: ActionCreateKey, serve: (*call).createKey},
		{method: get, pattern: "keys/{name}", op: "AdminGetKey", gate: perOwner, action: ActionListKeys, serve: (*call).getKey},
		{method: patch, pattern: "keys/{name}", op: "AdminUpdateKey", gate: perOwner, action: ActionUpdateKey, serve: (*call).updateKey},
		{method: del, pattern: "keys/{name}", op: "AdminDeleteKey", gate: perOwner, action: ActionRemoveKey, serve: (*call).deleteKey},

		{method: get, pattern: "sessions", op: "AdminListSessions", gate: perOwner, action: ActionListSessions, serve: (*call).listSessions, query: []string{"all", "user", "provider"}},
		{method: post, pattern: "sessions/revoke", op: "AdminRevokeSessions", gate: perOwner, action: ActionRemoveKey, serve: (*call).revokeSessions},
		{method: del, pattern: "sessions/{name}", op: "AdminRevokeSession", gate: perOwner, action: ActionRemoveKey, serve: (*call).revokeSession},

		{method: get, pattern: "explain", op: "AdminLastRefusals", action: ActionExplain, serve: (*call).explainLast, query: []string{"last"}},
		{method: get, pattern: "explain/{name}", op: "AdminExplain", action: ActionExplain, serve: (*call).explain},
		{method: post, pattern: "simulate", op: "AdminSimulate", action: ActionExplain, serve: (*call).simulate},

		{method: post, pattern: "ldap/test", op: "AdminTestLDAP", action: ActionExplain, serve: (*call).testLDAP},
		{method: post, pattern: "openid/test", op: "AdminTestOpenID", action: ActionExplain, serve: (*call).testOpenID},

		{method: get, pattern: "encryption-keys", op: "AdminListEncryptionKeys", action: ActionListEncryptionKeys, serve: (*call).listEncryptionKeys},
		{method: put, pattern: "encryption-keys/{name}", op: "AdminCreateEncryptionKey", action: ActionCreateEncryptionKey, serve: (*call).createEncryptionKey},
		{method: post, pattern: "encryption-keys/{name}/rotate", op: "AdminRotateEncryptionKey", action: ActionRotateEncryptionKey, serve: (*call).rotateEncryptionKey},
		{method: post, pattern: "encryption/reseal", op: "AdminReseal", action: ActionRotateEncryptionKey, serve: (*call).reseal},

		{method: post, pattern: "import-minio-iam", op: "AdminImportIAM", action: ActionImportIAM, serve: (*call).importIAM, query: []string{"dry-run"}, body: iamzip.MaxSize},
	}
}

// hostRoutes are the rows of the server itself.
func hostRoutes() []route {
	return []route{
		{method: get, pattern: "server", op: "AdminServer", action: ActionServer, serve: (*call).server},
		{method: post, pattern: "restart", op: "AdminRestart", action: ActionRestart, serve: (*call).restart},
		{method: get, pattern: "metrics/history", op: "AdminHistory", action: ActionMetrics, serve: (*call).history, query: []string{"minutes"}},
		{method: get, pattern: "trace", op: "AdminTrace", action: ActionTrace, serve: (*call).watchRequests, query: []string{"op", "status", "bucket", "user", "errors", "slow", "internal", "headers"}},
		{method: get, pattern: "log", op: "AdminLog", action: ActionLog, serve: (*call).watchLog, query: []string{"last", "level", "follow"}},
		{method: get, pattern: "usage", op: "AdminUsage", action: ActionUsage, serve: (*call).usage, query: []string{"bucket", "prefix"}},

		{method: get, pattern: "migration", op: "AdminMigration", action: ActionServer, serve: (*call).migrationStatus},
		{method: post, pattern: "migration/verify", op: "AdminVerifyMigration", action: ActionConfig, serve: (*call).verifyMigration},

		{method: get, pattern: "config", op: "AdminListConfig", action: ActionConfig, serve: (*call).listConfig},
		{method: get, pattern: "config/{name}", op: "AdminGetConfig", action: ActionConfig, serve: (*call).getConfig},
		{method: put, pattern: "config/{name}", op: "AdminSetConfig", action: ActionConfig, serve: (*call).setConfig},
		{method: del, pattern: "config/{name}", op: "AdminResetConfig", action: ActionConfig, serve: (*call).resetConfig, query: []string{"key"}},

		{method: get, pattern: "providers", op: "AdminListProviders", action: ActionConfig, serve: (*call).listProviders},
		{method: get, pattern: "providers/{name}", op: "AdminGetProvider", action: ActionConfig, serve: (*call).getProvider},
		{method: post, pattern: "providers/{name}/check", op: "AdminCheckProvider", action: ActionConfig, serve: (*call).checkProvider},

		{method: get, pattern: "notifications", op: "AdminListNotifications", action: ActionServer, serve: (*call).listNotifications},
		{method: post, pattern: "notifications/{name}/test", op: "AdminTestNotification", action: ActionConfig, serve: (*call).testNotification},
		{method: get, pattern: "notifications/{name}/refused", op: "AdminListRefusedNotifications", action: ActionConfig, serve: (*call).refusedNotifications, query: []string{"limit"}},
		{method: del, pattern: "notifications/{name}/refused", op: "AdminDiscardNotifications", action: ActionConfig, serve: (*call).discardNotifications},
		{method: post, pattern: "notifications/{name}/refused/retry", op: "AdminRetryNotifications", action: ActionConfig, serve: (*call).retryNotifications},

		{method: get, pattern: "lifecycle/{name}", op: "AdminLifecycleStatus", action: ActionUsage, serve: (*call).lifecycleStatus},
		{method: post, pattern: "lifecycle/{name}", op: "AdminLifecycleRun", action: ActionLifecycle, serve: (*call).lifecycleRun},
		{method: get, pattern: "lifecycle/{name}/dry-run", op: "AdminLifecycleDryRun", action: ActionUsage, serve: (*call).lifecyclePreview, query: []string{"until", "cursor", "limit"}},

		{method: get, pattern: "buckets/{name}/quota", op: "AdminGetQuota", action: ActionGetQuota, serve: (*call).getQuota},
		{method: put, pattern: "buckets/{name}/quota", op: "AdminSetQuota", action: ActionSetQuota, serve: (*call).setQuota},
		{method: del, pattern: "buckets/{name}/quota", op: "AdminDeleteQuota", action: ActionSetQuota, serve: (*call).deleteQuota, query: []string{"of"}},
	}
}

// maxBody returns the most bytes that are read of a request to the route; nil is one that
// is not known.
func (rt *route) maxBody() int64 {
	if rt == nil || rt.body == 0 {
		return usualBody
	}
	return rt.body
}

// readQuery reads the query, which has the route's parameters only, each once.
func (rt *route) readQuery(raw string) (url.Values, error) {
	if raw == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil || !utf8.ValidString(raw) {
		return nil, badArgument("The query can't be read.")
	}
	for name, v := range values {
		if !slices.Contains(rt.query, name) || len(v) != 1 || !utf8.ValidString(v[0]) {
			if len(rt.query) == 0 {
				return nil, badArgument("The path takes no query parameters.")
			}
			return nil, badArgument("The path takes the query parameters %s, each once.", strings.Join(rt.query, ", "))
		}
	}
	return values, nil
}

// find returns the route of the request, or why there is none. Names are taken from the path
// as it was sent; everything else of the path must be spelled plainly.
func (c *call) find(table []route) (*route, error) {
	path, ok := strings.CutPrefix(c.r.URL.EscapedPath(), Prefix)
	if !ok {
		return nil, errRoute
	}
	elements := strings.Split(path, "/")
	var allowed []string
	for i := range table {
		rt := &table[i]
		name, ok := rt.match(elements)
		if !ok {
			continue
		}
		if rt.method == c.r.Method {
			c.name = name
			return rt, nil
		}
		allowed = append(allowed, rt.method)
	}
	if len(allowed) == 0 {
		return nil, errRoute
	}
	list := strings.Join(allowed, ", ")
	c.w.Header().Set("Allow", list)
	return nil, &Refusal{Status: http.StatusMethodNotAllowed, Code: "MethodNotAllowed", Message: "The path takes " + list + "."}
}

// match compares a path with the pattern and returns the name in it.
func (rt *route) match(elements []string) (name string, ok bool) {
	want := strings.Split(rt.pattern, "/")
	if len(want) != len(elements) {
		return "", false
	}
	for i, w := range want {
		switch {
		case !strings.HasPrefix(w, "{"):
			if elements[i] != w {
				return "", false
			}
		default:
			var err error
			if name, err = unescape(elements[i]); err != nil {
				return "", false
			}
		}
	}
	return name, true
}

// unescape decodes a name of the path, which must be UTF-8.
func unescape(s string) (string, error) {
	name, err := url.PathUnescape(s)
	if err != nil {
		return "", err
	}
	if name == "" || !utf8.ValidString(name) {
		return "", errors.New("empty or not UTF-8")
	}
	return name, nil
}
