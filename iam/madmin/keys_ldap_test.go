package madmin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
)

// TestKeysOfDirectory: administrators make keys for people by their login names, and attach policies to
// distinguished names in any spelling (S-212).
func TestKeysOfDirectory(t *testing.T) {
	s := newServer(t)
	const user, group = "ldap:uid=ann,dc=test", "ldap:cn=crew,dc=test"
	s.h.(*handler).Directory = func(_ context.Context, name string) (string, *iam.Grants, error) {
		switch name {
		case "ann":
			return user, &iam.Grants{Groups: []string{group}, Claims: map[string][]string{"ldap:username": {"ann"}}}, nil
		case "down":
			return "", nil, errors.New("secret detail")
		}
		return "", nil, iam.ErrNoSuchUser
	}
	s.want(request{as: "objroot", method: post, path: "idp/ldap/policy/attach", body: `{"policies":["readonly"],"group":"CN=Crew, DC=Test"}`}, 200, "readonly")
	s.want(request{as: "objroot", method: post, path: "idp/ldap/policy/attach", body: `{"policies":["readonly"],"group":"cn=\\43rew,dc=test"}`}, 400, "PolicyChangeAlreadyApplied")
	if g, err := s.svc.Group(group); err != nil || !slices.Equal(g.Policies, []string{"readonly"}) {
		t.Errorf("%+v, %v", g, err)
	}
	ask := func(target string) request {
		return request{as: "objroot", method: put, path: "idp/ldap/add-service-account", body: `{"targetUser":"` + target + `","accessKey":"` + strings.ToUpper(target) + `KEY","secretKey":"a secret of a key"}`}
	}
	s.want(ask("nobody"), 404, "XMinioAdminNoSuchUser")
	if code, body := s.send(ask("down")); code != 500 || strings.Contains(body, "secret detail") {
		t.Errorf("the directory is down: %d %s", code, body)
	}
	for _, u := range s.svc.Users() {
		if u.Source == iam.SourceLDAP {
			t.Errorf("%s was made by a refused request", u.Name)
		}
	}
	s.want(ask("ann"), 200, "ANNKEY")
	k, err := s.svc.AccessKey("ANNKEY")
	if err != nil || k.Parent != user || k.Grants == nil || !slices.Equal(k.Grants.Groups, []string{group}) {
		t.Fatalf("%+v, %v", k, err)
	}
	c, err := s.svc.Credential("ANNKEY", "")
	if err != nil || !s.svc.Authorize(&iam.Request{Identity: c.Identity, Action: "s3:GetObject", Bucket: "b", Key: "k"}).Allowed {
		t.Errorf("the key has no rights of the group: %v", err)
	}
	s.want(request{as: "objroot", method: put, path: "idp/ldap/add-service-account", body: `{"targetUser":"UID=Ann,DC=test","accessKey":"SECONDKEY","secretKey":"a secret of a key"}`}, 200, "SECONDKEY")
	if k, err := s.svc.AccessKey("SECONDKEY"); err != nil || k.Parent != user {
		t.Errorf("by the distinguished name: %+v, %v", k, err)
	}
}
