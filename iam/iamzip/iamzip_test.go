package iamzip

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/store/mem"
)

const secret = "correct horse battery"

func newService(t *testing.T) *iam.Service {
	t.Helper()
	st := mem.Open()
	svc, err := iam.Open(st, iam.Options{RootUser: "objroot", RootPassword: secret, Report: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { svc.Close(); st.Close() })
	return svc
}

// pack makes an archive of documents by their plain names.
func pack(t testing.TB, docs map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	zw := zip.NewWriter(&out)
	for _, name := range sorted(docs) {
		w, err := zw.Create(dir + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(docs[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func apply(t *testing.T, im Importer, data []byte) *Report {
	t.Helper()
	r, err := im.Apply(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// may asks for an action of whoever has an access key.
func may(t *testing.T, svc *iam.Service, accessKey, wantSecret, action, bucket string) bool {
	t.Helper()
	c, err := svc.Credential(accessKey, "")
	if err != nil || c.Secret != wantSecret {
		t.Fatalf("%s: %v, secret is as it was: %v", accessKey, err, c.Secret == wantSecret)
	}
	return svc.Authorize(&iam.Request{Identity: c.Identity, Action: action, Bucket: bucket, Key: "k"}).Allowed
}

// TestMinIO brings in what a MinIO server has exported: users, groups, policies, mappings and
// service accounts, disabled ones as disabled, with their secrets.
func TestMinIO(t *testing.T) {
	data, err := os.ReadFile("testdata/minio.zip")
	if err != nil {
		t.Fatal(err)
	}
	svc := newService(t)
	im := Importer{IAM: svc}
	plan, err := im.Plan(data)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(svc.Users()) + len(svc.Groups()) + len(svc.AccessKeys("")); n > 0 {
		t.Fatalf("the plan has made %d things", n)
	}
	r := apply(t, im, data)
	if !reflect.DeepEqual(plan, r) {
		t.Errorf("planned %+v, done %+v", plan, r)
	}
	want := Entities{
		Policies: []string{"readb"}, Users: []string{"alice", "bob", "carol"}, Groups: []string{"devs", "ops"}, ServiceAccounts: []string{"ALICEKEY1234567890AB", "ALICEKEY3"},
		UserPolicies:  []map[string][]string{{"alice": {"readb"}}, {"bob": {"diagnostics", "readwrite"}}},
		GroupPolicies: []map[string][]string{{"devs": {"readonly"}}},
	}
	if !reflect.DeepEqual(r.Added, want) {
		t.Errorf("added %+v", r.Added)
	}
	if len(r.Failed.ServiceAccounts) != 1 || r.Failed.Len() != 1 || r.Failed.ServiceAccounts[0].Name != "ROOTKEY1" {
		t.Errorf("failed %+v", r.Failed)
	}
	if !may(t, svc, "alice", "alicesecret1", "s3:GetObject", "b") || may(t, svc, "alice", "alicesecret1", "s3:PutObject", "b") {
		t.Error("alice has other rights")
	}
	if !may(t, svc, "bob", "bobsecret123", "s3:PutObject", "x") {
		t.Error("bob has other rights")
	}
	if key := "ALICEKEY1234567890AB"; !may(t, svc, key, "aliceSvcSecret1234567890", "s3:GetObject", "b") || may(t, svc, key, "aliceSvcSecret1234567890", "s3:GetObject", "other") {
		t.Error("a key has lost its policy")
	}
	for _, off := range []string{"carol", "ALICEKEY3"} {
		if _, err := svc.Credential(off, ""); !errors.Is(err, iam.ErrDisabled) {
			t.Errorf("%s: %v", off, err)
		}
	}
	if g, err := svc.Group("ops"); err != nil || g.Enabled || !slices.Equal(g.Members, []string{"carol"}) {
		t.Errorf("%+v %v", g, err)
	}
	// Root's key comes in where root has the name that it had, and again all is as it was.
	if r := apply(t, Importer{IAM: svc}, rename(t, data, "refroot", "objroot")); r.Failed.Len() > 0 || !slices.Contains(r.Added.ServiceAccounts, "ROOTKEY1") {
		t.Errorf("%+v", r)
	}
	if !may(t, svc, "ROOTKEY1", "rootSvcSecret1", "admin:ServerInfo", "") {
		t.Error("root's key is no key of root")
	}
}

// rename replaces a name in all documents.
func rename(t *testing.T, data []byte, from, to string) []byte {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	docs := map[string]string{}
	for _, f := range zr.File {
		b, err := content(f, MaxContent)
		if err != nil {
			t.Fatal(err)
		}
		docs[strings.TrimSuffix(strings.TrimPrefix(f.Name, dir), ".json")] = strings.ReplaceAll(string(b), from, to)
	}
	return pack(t, docs)
}

// key is one service account as it stands in an archive.
func key(name, parent, more string) string {
	return fmt.Sprintf(`{%q:{"parent":%q,"accessKey":%[1]q,"secretKey":"a chosen secret","status":"on"%[3]s}}`, name, parent, more)
}

// TestBackdoors is S-089 and S-018: what an archive says of parents, claims and keys opens nothing that is
// root's, and nothing that it does not say twice alike. Each entry is refused, and reported, by
// itself.
func TestBackdoors(t *testing.T) {
	svc := newService(t)
	if _, _, err := svc.CreateUser(t.Context(), iam.NewUser{Name: "importer", Secret: secret, Policies: []string{"consoleAdmin"}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := svc.CreateUser(t.Context(), iam.NewUser{Name: "alice", Secret: secret}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := svc.CreateAccessKey(t.Context(), iam.NewAccessKey{Parent: "objroot", AccessKey: "ROOTSOLDKEY", Secret: secret}); err != nil {
		t.Fatal(err)
	}
	by, err := svc.Credential("importer", "")
	if err != nil {
		t.Fatal(err)
	}
	im := Importer{IAM: svc, By: by.Identity}
	for what, doc := range map[string]string{
		"parent is root":          key("BACKDOOR", "objroot", ""),
		"root in other letters":   key("BACKDOOR", "ObjRoot", ""),
		"root and a space":        key("BACKDOOR", "objroot ", ""),
		"root with a claim":       key("BACKDOOR", "objroot", `,"claims":{"parent":"objroot","sub":"x","ldapUser":"cn=x"}`),
		"claims of root":          key("BACKDOOR", "alice", `,"claims":{"parent":"objroot"}`),
		"claims of another":       key("BACKDOOR", "alice", `,"claims":{"parent":"importer"}`),
		"claims of another key":   key("BACKDOOR", "alice", `,"claims":{"accessKey":"other"}`),
		"another key":             `{"BACKDOOR":{"parent":"alice","accessKey":"other","secretKey":"a chosen secret","status":"on"}}`,
		"root's name":             key("objroot", "alice", ""),
		"root's name in capitals": key("OBJROOT", "alice", ""),
		"a user's name":           key("importer", "alice", ""),
		"root's old key":          key("ROOTSOLDKEY", "alice", ""),
		"nobody":                  key("BACKDOOR", "nobody", ""),
		"no policy":               key("BACKDOOR", "alice", `,"claims":{"sa-policy":"embedded-policy"},"sessionPolicy":null`),
		"a bad policy":            key("BACKDOOR", "alice", `,"sessionPolicy":{"Statement":"all"}`),
		"a bad state":             strings.Replace(key("BACKDOOR", "alice", ""), `"on"`, `"enabled"`, 1),
		"a short secret":          strings.Replace(key("BACKDOOR", "alice", ""), "a chosen secret", "short", 1),
	} {
		r := apply(t, im, pack(t, map[string]string{"svcaccts": doc}))
		if len(r.Failed.ServiceAccounts) != 1 || len(r.Added.ServiceAccounts) > 0 {
			t.Errorf("%s: %+v", what, r)
		}
	}
	r := apply(t, im, pack(t, map[string]string{
		"users": `{"objroot":{"secretKey":"a chosen secret","status":"enabled"},"OBJROOT":{"secretKey":"a chosen secret","status":"enabled"},"ROOTSOLDKEY":{"secretKey":"a chosen secret","status":"enabled"},
			"x/../y":{"secretKey":"a chosen secret","status":"enabled"},"ldap:cn=x":{"secretKey":"a chosen secret","status":"enabled"},"fine":{"secretKey":"a chosen secret","status":"enabled"}}`,
		"user_mappings":    `{"objroot":{"policy":"readonly"},"nobody":{"policy":"readonly"}}`,
		"stsuser_mappings": `{"tls:":{"policy":"readonly"},"objroot":{"policy":"readonly"},"custom:ObjRoot":{"policy":"readonly"}}`,
		"group_mappings":   `{"nogroup":{"policy":"readonly"}}`,
	}))
	if len(r.Failed.Users) != 5 || !slices.Equal(r.Added.Users, []string{"fine"}) || len(r.Failed.UserPolicies) != 2 || len(r.Failed.STSPolicies) != 3 || len(r.Failed.GroupPolicies) != 1 {
		t.Errorf("%+v", r)
	}
	if c, err := svc.Credential("objroot", ""); err != nil || c.Secret != secret {
		t.Error("root was changed")
	}
	for _, k := range svc.AccessKeys("") {
		if s, _ := svc.Secret(k.AccessKey); s == "a chosen secret" && k.AccessKey != "fine" {
			t.Errorf("%+v works", k)
		}
	}
	// A restricted credential brings in nothing at all.
	k, _, err := svc.CreateAccessKey(t.Context(), iam.NewAccessKey{Parent: "importer", Policy: json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"admin:ImportIAM"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	if by, err = svc.Credential(k.AccessKey, ""); err != nil {
		t.Fatal(err)
	}
	im.By = by.Identity
	if _, err := im.Apply(t.Context(), pack(t, map[string]string{"users": `{}`})); !errors.Is(err, ErrRestricted) {
		t.Error(err)
	}
}

// TestFailsClosed: who has a policy that did not come in gets none of the others, since it may
// have denied what they allow; a policy that is nowhere did nothing there either.
func TestFailsClosed(t *testing.T) {
	svc := newService(t)
	r := apply(t, Importer{IAM: svc}, pack(t, map[string]string{
		"policies": `{"broken":{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Nonsense":{"x":"y"}}}]},
			"good":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]},"empty":{"Version":"","Statement":null}}`,
		"users":          `{"alice":{"secretKey":"a good secret","status":"enabled"},"bob":{"secretKey":"a good secret","status":"enabled"}}`,
		"user_mappings":  `{"alice":{"policy":"good,broken"},"bob":{"policy":"good,nowhere,empty"}}`,
		"groups":         `{"g":{"version":1,"status":"enabled","members":["alice","ghost"]}}`,
		"group_mappings": `{"g":{"policy":"broken"}}`,
	}))
	if len(r.Failed.Policies) != 1 || len(r.Failed.UserPolicies) != 1 || len(r.Failed.GroupPolicies) != 1 || len(r.Removed.Policies) != 1 {
		t.Errorf("%+v", r)
	}
	if may(t, svc, "alice", "a good secret", "s3:GetObject", "b") || !may(t, svc, "bob", "a good secret", "s3:GetObject", "b") {
		t.Error("the rights are others")
	}
	if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, "ghost") || !strings.Contains(notes, "nowhere") {
		t.Error(notes)
	}
}

// TestExternal: mappings and keys of LDAP and OpenID identities land with external users, with the
// groups and claims that the provider has told.
func TestExternal(t *testing.T) {
	svc := newService(t)
	dn, group := "uid=ann,ou=people,dc=example,dc=org", "cn=staff,ou=groups,dc=example,dc=org"
	r := apply(t, Importer{IAM: svc}, pack(t, map[string]string{
		"stsuser_mappings": `{"` + dn + `":{"policy":"readonly"},"aGFzaG9mYXBlcnNvbg":{"policy":"writeonly"},"tls:backup":{"policy":"readwrite"}}`,
		"group_mappings":   `{"` + group + `":{"policy":"writeonly"}}`,
		"svcaccts": `{"LDAPKEY":{"parent":"` + dn + `","accessKey":"LDAPKEY","secretKey":"a good secret","status":"on","groups":["` + group + `"],"claims":{"ldapUser":"` + dn + `","ldapUsername":"ann"}},
			"OIDCKEY":{"parent":"aGFzaG9mYXBlcnNvbg","accessKey":"OIDCKEY","secretKey":"a good secret","status":"on","groups":null,"claims":{"sub":"42","iss":"https://idp","policy":"readonly"}}}`,
	}))
	if r.Failed.Len() > 0 || len(r.Added.STSPolicies) != 3 || len(r.Added.ServiceAccounts) != 2 {
		t.Fatalf("%+v", r)
	}
	if !may(t, svc, "LDAPKEY", "a good secret", "s3:GetObject", "b") || !may(t, svc, "LDAPKEY", "a good secret", "s3:PutObject", "b") {
		t.Error("a key of the directory lacks the rights of its user or group")
	}
	if !may(t, svc, "OIDCKEY", "a good secret", "s3:GetObject", "b") || !may(t, svc, "OIDCKEY", "a good secret", "s3:PutObject", "b") {
		t.Error("a key of an OpenID person lacks rights")
	}
	for _, name := range []string{"ldap:" + dn, "openid:aGFzaG9mYXBlcnNvbg", "tls:backup"} {
		if u, err := svc.User(name); err != nil || len(u.Policies) != 1 {
			t.Errorf("%s: %+v %v", name, u, err)
		}
	}
	roundTrip(t, svc)
}

// roundTrip exports a service, brings the archive into another, and exports that one.
func roundTrip(t *testing.T, svc *iam.Service) {
	t.Helper()
	var first, second bytes.Buffer
	now := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	if err := (&Exporter{IAM: svc}).Export(&first, now); err != nil {
		t.Fatal(err)
	}
	other := newService(t)
	if r := apply(t, Importer{IAM: other}, first.Bytes()); r.Failed.Len() > 0 {
		t.Errorf("%+v", r.Failed)
	}
	if err := (&Exporter{IAM: other}).Export(&second, now); err != nil {
		t.Fatal(err)
	}
	a, err := read(first.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	b, err := read(second.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []*archive{a, b} { // times of the last change are not brought in
		for k, g := range x.groups {
			g.UpdatedAt = now
			x.groups[k] = g
		}
		for _, m := range []map[string]mapping{x.userPolicies, x.groupPolicies, x.stsPolicies} {
			for k, v := range m {
				v.UpdatedAt = now
				m[k] = v
			}
		}
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("exported %+v, then %+v", a, b)
	}
}

// TestRoundTrip: what is exported comes back as it was; keys that a restricted credential has
// made are left out, since they would come back with more rights.
func TestRoundTrip(t *testing.T) {
	svc := newService(t)
	data, err := os.ReadFile("testdata/minio.zip")
	if err != nil {
		t.Fatal(err)
	}
	apply(t, Importer{IAM: svc}, data)
	if _, _, err := svc.CreateAccessKey(t.Context(), iam.NewAccessKey{Parent: "objroot", AccessKey: "ROOTSKEY"}); err != nil {
		t.Fatal(err)
	}
	roundTrip(t, svc)
	by, err := svc.Credential("ALICEKEY1234567890AB", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := svc.CreateAccessKey(t.Context(), iam.NewAccessKey{By: by.Identity, Parent: "alice", AccessKey: "BOUNDED"}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (&Exporter{IAM: svc}).Export(&out, time.Now()); err != nil {
		t.Fatal(err)
	}
	a, err := read(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := a.keys["BOUNDED"]; ok || len(a.keys) == 0 {
		t.Errorf("%v", sorted(a.keys))
	}
}

// TestExportOfRoots is S-084: the archive has no secret of root's for anybody but root, and a
// restricted credential gets no archive.
func TestExportOfRoots(t *testing.T) {
	svc := newService(t)
	by := importer(t, svc)
	if _, _, err := svc.CreateAccessKey(t.Context(), iam.NewAccessKey{Parent: "objroot", AccessKey: "ROOTSKEY"}); err != nil {
		t.Fatal(err)
	}
	k, _, err := svc.CreateAccessKey(t.Context(), iam.NewAccessKey{Parent: "objroot", Policy: json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"admin:ExportIAM"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	root, err := svc.Credential("objroot", "")
	if err != nil {
		t.Fatal(err)
	}
	restricted, err := svc.Credential(k.AccessKey, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []struct {
		by   *iam.Identity
		keys int
		err  error
	}{{by, 0, nil}, {root.Identity, 2, nil}, {nil, 2, nil}, {restricted.Identity, 0, ErrRestricted}} {
		var out bytes.Buffer
		ex := Exporter{IAM: svc, By: who.by}
		if err := ex.Export(&out, time.Now()); !errors.Is(err, who.err) {
			t.Fatal(err)
		}
		if who.err != nil {
			continue
		}
		a, err := read(out.Bytes())
		if err != nil || len(a.keys) != who.keys {
			t.Errorf("%+v: %v %v", who.by, err, a.keys)
		}
	}
}

// importer makes a user who may import, and returns it.
func importer(t *testing.T, svc *iam.Service) *iam.Identity {
	t.Helper()
	_, cred, err := svc.CreateUser(t.Context(), iam.NewUser{Name: "importer", Secret: secret, Policies: []string{"consoleAdmin"}})
	if err != nil {
		t.Fatal(err)
	}
	return cred.Identity
}
