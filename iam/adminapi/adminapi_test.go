package adminapi

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/iamzip"
)

// TestStrict has requests that root may make and that are wrong: S-013, S-230 and S-239.
func TestStrict(t *testing.T) {
	s := newServer(t)
	s.user(t, "alice")
	s.key(t, "ALICEKEY", "alice", nil)
	if err := s.svc.AddMembers(t.Context(), "taken", "alice"); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"PUT", "users/bob", `{"secrets":"x"}`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `{"Secret":"correct horse battery"}`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `{"secret":"correct horse battery","secret":"another horse battery"}`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `{"policies":"readonly"}`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `{} {}`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `[]`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `null`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `{`, 400, "MalformedJSON"},
		{"PUT", "users/bob", "{\"secret\":\"\xff\"}", 400, "MalformedJSON"},
		{"PUT", "users/bob", strings.Repeat("[", 60000), 400, "MalformedJSON"},
		{"PUT", "users/bob", `{"secret":"` + strings.Repeat("x", usualBody) + `"}`, 413, "EntityTooLarge"},
		{"PUT", "users/bob", `{"secret":null}`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `{"policies":[null]}`, 400, "InvalidArgument"},
		{"PUT", "users/bob", `{"policies":1e400}`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `{"policies":{"a":1,"a":2}}`, 400, "MalformedJSON"},
		{"PUT", "users/bob", `{"secret":"short"}`, 400, "InvalidArgument"},
		{"PUT", "users/bob", `{"policies":["nothing"]}`, 404, "NoSuchPolicy"},
		{"PUT", "users/bob", `{"policies":["../x"]}`, 400, "InvalidArgument"},
		{"PUT", "users/alice", `{}`, 409, "EntityAlreadyExists"},
		{"PUT", "users/objroot", `{}`, 403, "ReservedName"},
		{"PUT", "users/OBJROOT", `{}`, 403, "ReservedName"},
		{"PUT", "users/root", `{}`, 403, "ReservedName"},
		{"PUT", "users/objroot%20", `{}`, 400, "InvalidArgument"},
		{"PUT", "users/ab", `{}`, 400, "InvalidArgument"},
		{"PUT", "users/" + strings.Repeat("a", 129), `{}`, 400, "InvalidArgument"},
		{"PUT", "users/...", `{}`, 400, "InvalidArgument"},
		{"PUT", "users/a%2Fb", `{}`, 400, "InvalidArgument"},
		{"PUT", "users/a%00b", `{}`, 400, "InvalidArgument"},
		{"PUT", "users/a%0Ab", `{}`, 400, "InvalidArgument"},
		{"PUT", "users/al%C3%AFce", `{}`, 400, "InvalidArgument"},
		{"PUT", "users/bob%FF", `{}`, 404, "NoSuchRoute"},
		{"PUT", "users/", `{}`, 404, "NoSuchRoute"},
		{"PUT", "users/bob/x", `{}`, 404, "NoSuchRoute"},
		{"PUT", "users//x", `{}`, 404, "NoSuchRoute"},
		{"GET", "%75sers", ``, 404, "NoSuchRoute"},
		{"PUT", "users/ldap:%20cn=x", `{}`, 400, "InvalidArgument"},
		{"PUT", "users/unknown:x", `{}`, 400, "InvalidArgument"},
		{"PUT", "groups/a%2Fb", `{}`, 400, "InvalidArgument"},
		{"PUT", "groups/" + strings.Repeat("a", 10000), `{}`, 400, "InvalidArgument"},
		{"PUT", "groups/crew", `{"members":["alice"]}`, 400, "MalformedJSON"},
		{"PUT", "groups/crew", `{"policies":["nothing"]}`, 404, "NoSuchPolicy"},
		{"PUT", "groups/taken", `{}`, 409, "EntityAlreadyExists"},
		{"PATCH", "groups/nothing", `{"enabled":true}`, 404, "NoSuchGroup"},
		{"PATCH", "groups/nothing", `{"add":["alice"]}`, 404, "NoSuchGroup"},
		{"PATCH", "groups/taken", `{"add":["alice","nobody"]}`, 404, "NoSuchUser"},
		{"PATCH", "groups/taken", `{"add":["alice"],"remove":["alice"]}`, 400, "InvalidArgument"},
		{"PATCH", "groups/taken", `{"add":["alice"],"enabled":false}`, 400, "InvalidArgument"},
		{"PATCH", "groups/taken", `{"attach":["nothing"]}`, 404, "NoSuchPolicy"},
		{"DELETE", "groups/nothing", ``, 404, "NoSuchGroup"},
		{"DELETE", "groups/taken", ``, 409, "DeleteConflict"},
		{"GET", "groups/nothing", ``, 404, "NoSuchGroup"},
		{"POST", "keys", `{"parent":"nobody"}`, 404, "NoSuchUser"},
		{"POST", "keys", `{"parent":"alice","accessKey":"alice"}`, 409, "EntityAlreadyExists"},
		{"POST", "keys", `{"parent":"alice","accessKey":"objroot"}`, 403, "ReservedName"},
		{"POST", "keys", `{"parent":"alice","accessKey":"a/b"}`, 400, "InvalidArgument"},
		{"POST", "keys", `{"parent":"alice","secret":"short"}`, 400, "InvalidArgument"},
		{"POST", "keys", `{"parent":"alice","policy":{"Statement":[]}}`, 400, "MalformedPolicy"},
		{"POST", "keys", `{"parent":"alice","policy":"readonly"}`, 400, "MalformedPolicy"},
		{"POST", "keys", `{"parent":"alice","policy":{"Statement":[{"Sid":"` + strings.Repeat("a", 4096) + `"}]}}`, 400, "InvalidArgument"},
		{"POST", "keys", `{"parent":"alice","expires":"tomorrow"}`, 400, "InvalidArgument"},
		{"POST", "keys", `{"parent":"alice","expires":"2001-01-01T00:00:00Z"}`, 400, "InvalidArgument"},
		{"POST", "keys", `{"parent":"alice","name":"` + strings.Repeat("n", 300) + `"}`, 400, "InvalidArgument"},
		{"POST", "keys", `{"targetUser":"alice"}`, 400, "MalformedJSON"},
		{"POST", "keys?parent=alice", `{}`, 400, "InvalidArgument"},
		{"GET", "keys?user=", ``, 400, "InvalidArgument"},
		{"GET", "keys?all", ``, 400, "InvalidArgument"},
		{"GET", "keys?all=false", ``, 400, "InvalidArgument"},
		{"GET", "keys?user=nobody", ``, 404, "NoSuchUser"},
		{"GET", "keys?user=%FF", ``, 400, "InvalidArgument"},
		{"GET", "keys?user=%zz", ``, 400, "InvalidArgument"},
		{"GET", "keys/objroot", ``, 404, "NoSuchAccessKey"},
		{"PATCH", "keys/objroot", `{"secret":"another secret"}`, 404, "NoSuchAccessKey"},
		{"DELETE", "keys/objroot", ``, 404, "NoSuchAccessKey"},
		{"PATCH", "keys/nothing", `{}`, 404, "NoSuchAccessKey"},
		{"PATCH", "keys/ALICEKEY", `{"policy":{"Statement":{"Effect":"Maybe"}}}`, 400, "MalformedPolicy"},
		{"PATCH", "keys/ALICEKEY", `{"expires":"never"}`, 400, "InvalidArgument"},
		{"PATCH", "keys/ALICEKEY", `{"parent":"bob"}`, 400, "MalformedJSON"},
		{"DELETE", "sessions/nothing", ``, 404, "NoSuchAccessKey"},
		{"GET", "sessions?user=nobody", ``, 404, "NoSuchUser"},
		{"POST", "sessions/revoke", `{"user":"nobody"}`, 404, "NoSuchUser"},
		{"GET", "explain/nothing", ``, 404, "NoSuchRequest"},
		{"GET", "explain?last=0", ``, 400, "InvalidArgument"},
		{"GET", "explain?last=1001", ``, 400, "InvalidArgument"},
		{"GET", "explain?last=x", ``, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"nobody","action":"s3:GetObject","resource":"b/k"}`, 404, "NoSuchUser"},
		{"POST", "simulate", `{"principal":"alice","action":"s3:Get*","resource":"b/k"}`, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"alice","action":"GetObject","resource":"b/k"}`, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"alice","action":"","resource":"b/k"}`, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"alice","action":"s3:GetObject","resource":"/k"}`, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"alice","action":"s3:GetObject","resource":"arn:aws:iam::1:user/x"}`, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"alice","action":"s3:GetObject","resource":"b/k","context":{"aws:nothing":["x"]}}`, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"alice","action":"s3:GetObject","resource":"b/k","context":{"aws:username":["bob"]}}`, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"alice","action":"s3:GetObject","resource":"b/k","context":{"jwt:sub":["bob"]}}`, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"alice","action":"s3:GetObject","resource":"b/k","context":{"aws:sourcearn":["x"]}}`, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"alice","action":"s3:GetObject","resource":"b/k","context":{"sts:durationseconds":["9"]}}`, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"alice","action":"s3:GetObject","resource":"b/k","context":{"s3:existingobjecttag/":["9"]}}`, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"alice","action":"s3:GetObjects","resource":"b/k"}`, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"alice","action":"s3:GetObject","resource":"b/k","context":{"s3:prefix":["a"],"s3:Prefix":["b"]}}`, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"alice","action":"s3:GetObject","resource":"b/k","context":{"s3:prefix":[]}}`, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"alice","action":"s3:GetObject","resource":"b/k","bucketPolicy":{}}`, 400, "MalformedPolicy"},
		{"POST", "simulate", `{"principal":"alice","action":"s3:ListAllMyBuckets","resource":"","bucketPolicy":` + bucketPolicy + `}`, 400, "InvalidArgument"},
		{"POST", "simulate", `{"principal":"alice","action":"s3:GetObject","resource":"broken/k"}`, 500, "InternalError"},
		{"POST", "simulate", ``, 400, "MalformedJSON"},
		{"POST", "import-minio-iam", ``, 400, "MalformedArchive"},
		{"POST", "import-minio-iam", `{}`, 400, "MalformedArchive"},
		{"POST", "import-minio-iam?dry-run=yes", archive(t), 400, "InvalidArgument"},
		{"POST", "import-minio-iam?dry-run", archive(t), 400, "InvalidArgument"},
		{"POST", "import-minio-iam?dry-run=true", archive(t)[:1000], 400, "MalformedArchive"},
		{"POST", "import-minio-iam", strings.Repeat("x", iamzip.MaxSize+1), 413, "EntityTooLarge"},
		{"POST", "policies/validate?kind=role", readPolicy, 400, "InvalidArgument"},
		{"GET", "policies/nothing/entities", ``, 404, "NoSuchPolicy"},
		{"PUT", "policies/p", strings.Repeat("[", 20000), 400, "MalformedPolicy"},
		{"PUT", "policies/p", `{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}` + strings.Repeat(" ", 30000), 400, "InvalidArgument"},
		{"PUT", "policies/p", `{"Version":1e400,"Statement":[]}`, 400, "MalformedPolicy"},
		{"PUT", "policies/p", readPolicy + "x", 400, "MalformedPolicy"},
		{"PUT", "policies/p", "{\"Statement\":\"\xff\"}", 400, "MalformedPolicy"},
		{"PUT", "users", `{}`, 405, "MethodNotAllowed"},
		{"POST", "users/bob", `{}`, 405, "MethodNotAllowed"},
		{"PUT", "users/bob?x=1", `{}`, 400, "InvalidArgument"},
		{"GET", "users?marker=a", "", 400, "InvalidArgument"},
		{"GET", "users", "{}", 400, "MalformedJSON"},
		{"GET", "nothing", "", 404, "NoSuchRoute"},
		{"GET", "users/nobody", "", 404, "NoSuchUser"},
		{"PATCH", "users/nobody", `{"enabled":true}`, 404, "NoSuchUser"},
		{"PATCH", "users/alice", `{"enabled":"yes"}`, 400, "MalformedJSON"},
		{"PATCH", "users/alice", ``, 400, "MalformedJSON"},
		{"PATCH", "users/alice", `{"attach":["nothing"]}`, 404, "NoSuchPolicy"},
		{"PATCH", "users/objroot", `{"enabled":false}`, 403, "ReservedName"},
		{"DELETE", "users/objroot", "", 403, "ReservedName"},
		{"DELETE", "users/nobody", "", 404, "NoSuchUser"},
		{"GET", "policies/nothing", "", 404, "NoSuchPolicy"},
		{"PUT", "policies/readonly", readPolicy, 403, "ReservedName"},
		{"PUT", "policies/p", `{"Statement":[{"Effect":"Allow","Action":"s3:GetObject"}]}`, 400, "MalformedPolicy"},
		{"PUT", "policies/a%2Cb", readPolicy, 400, "InvalidArgument"},
		{"DELETE", "policies/readonly", "", 403, "ReservedName"},
		{"DELETE", "policies/nothing", "", 404, "NoSuchPolicy"},
	}
	before := s.state(t)
	for _, tt := range tests {
		w := s.send("objroot", tt.method, tt.path, tt.body)
		if w.Code != tt.status {
			t.Errorf("%s %s %.60s: %d %s, want %d", tt.method, tt.path, tt.body, w.Code, w.Body, tt.status)
		}
		wantError(t, w, tt.code)
	}
	if s.state(t) != before {
		t.Error("a refused request has an effect")
	}
}

func TestLife(t *testing.T) {
	s := newServer(t)
	var created CreatedUser
	decodeAnswer(t, s.send("objroot", "PUT", "users/alice", `{"policies":["readonly"]}`), 201, &created)
	if cred, err := s.svc.Credential("alice", ""); err != nil || cred.Secret != created.Secret || len(created.Secret) < 32 {
		t.Errorf("made secret %q, %v", created.Secret, err)
	}
	var me WhoAmI
	decodeAnswer(t, s.send("alice", "GET", "whoami", ""), 200, &me)
	if me.Name != "alice" || me.Root || !slices.Equal(me.Policies, []string{"readonly"}) || me.ID != created.ID {
		t.Errorf("whoami %+v", me)
	}
	decodeAnswer(t, s.send("objroot", "GET", "whoami", ""), 200, &me)
	if !me.Root || me.ARN != "arn:aws:iam::"+s.svc.Account()+":root" {
		t.Errorf("whoami of root %+v", me)
	}
	var list UserList
	w := s.send("objroot", "GET", "users", "")
	decodeAnswer(t, w, 200, &list)
	if len(list.Users) != 1 || strings.Contains(w.Body.String(), created.Secret) {
		t.Errorf("users %s", w.Body)
	}
	decodeAnswer(t, s.send("objroot", "PATCH", "users/alice", `{"enabled":false}`), 200, &list)
	if w := s.send("alice", "GET", "whoami", ""); w.Code != 403 {
		t.Errorf("S-228: disabled user: %d", w.Code)
	}
	var p iam.Policy
	decodeAnswer(t, s.send("objroot", "PUT", "policies/mine", readPolicy), 200, &p)
	decodeAnswer(t, s.send("objroot", "PATCH", "users/alice", `{"attach":["mine"]}`), 200, &list)
	if w := s.send("objroot", "DELETE", "policies/mine", ""); w.Code != 409 {
		t.Errorf("policy in use: %d", w.Code)
	}
}

// TestImport: a dry run tells what an import then does, and changes nothing; the old keys and
// secrets work at once. The one failure is a key of a root by another name.
func TestImport(t *testing.T) {
	s := newServer(t)
	before := s.state(t)
	var dry, done Import
	decodeAnswer(t, s.send(root, "POST", "import-minio-iam?dry-run=true", archive(t)), 200, &dry)
	if s.state(t) != before || !dry.DryRun {
		t.Errorf("a dry run has an effect, or is none: %+v", dry)
	}
	decodeAnswer(t, s.send(root, "POST", "import-minio-iam", archive(t)), 200, &done)
	dry.DryRun = false
	if !reflect.DeepEqual(dry, done) || len(done.Report.Added.Users) != 3 || done.Report.Failed.Len() != 1 {
		t.Errorf("planned %+v, done %+v", dry, done)
	}
	if c, err := s.svc.Credential("alice", ""); err != nil || c.Secret != "alicesecret1" {
		t.Errorf("alice: %+v, %v", c, err)
	}
	if w := s.send("carol", "GET", "whoami", ""); w.Code != 403 {
		t.Errorf("a disabled user: %d", w.Code)
	}
	s.done(t, "ALICEKEY1234567890AB", "GET", "whoami", "")
}
