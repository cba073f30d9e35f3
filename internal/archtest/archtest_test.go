package archtest

import (
	"go/token"
	"slices"
	"strings"
	"testing"
)

// rules are all that is checked; each returns its failures, which say the reason.
var rules = map[string]func(*tree) []string{
	"imports":          checkImports,
	"libraries":        checkOwners,
	"modules":          checkModules,
	"contexts":         checkContexts,
	"package-comments": checkPackageComments,
	"init":             checkInit,
	"variables":        checkVariables,
	"lengths":          checkLengths,
	"comments":         checkDocs,
	"unfinished":       checkUnfinished,
	"format":           checkFormat,
	"actions":          checkActions,
	"secrets":          checkSecrets,
}

func TestArchitecture(t *testing.T) {
	x := loadTree(t)
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			failures := rule(x)
			slices.Sort(failures)
			for _, f := range slices.Compact(failures) {
				t.Error(f)
			}
		})
	}
}

// TestWaivers wants each waiver to name something that is there.
func TestWaivers(t *testing.T) {
	x := loadTree(t)
	there := map[string]bool{}
	for _, f := range x.files {
		there[f.name] = true
		for name := range declaredAtTop(f) {
			there[f.dir+"."+name] = true
		}
	}
	for _, table := range []map[string]string{variables, longFunctions, longFiles, comparedSecrets} {
		for name, why := range table {
			if !there[name] {
				t.Errorf("the waiver for %s names nothing", name)
			}
			if len(why) < 10 {
				t.Errorf("the waiver for %s has no reason", name)
			}
		}
	}
}

// TestRulesCanFail gives each rule sources that break it, and some that nearly do.
func TestRulesCanFail(t *testing.T) {
	long := strings.Repeat("\t_ = 0\n", maxFunction)
	for _, c := range []struct {
		rule, file, source string
		want               string // part of the one failure; "" for none
	}{
		{"imports", "storage/x.go", "package storage\nimport _ \"github.com/objsrv/objsrv/internal/checksum\"", "vocabulary"},
		{"imports", "storage/fs/x.go", "package fs\nimport _ \"net/http\"", "knows nothing of HTTP"},
		{"imports", "storage/fs/x.go", "package fs\nimport _ \"github.com/objsrv/objsrv/internal/checksum\"", ""},
		{"imports", "storage/fs/x.go", "package fs\nimport _ \"github.com/objsrv/objsrv/storage/mem\"", "the model is for tests"},
		{"imports", "storage/fs/x_test.go", "package fs\nimport _ \"github.com/objsrv/objsrv/storage/mem\"", ""},
		{"imports", "iam/x.go", "package iam\nimport _ \"github.com/objsrv/objsrv/storage\"", "without a look"},
		{"imports", "iam/x.go", "package iam\nimport _ \"net/http\"", "faces of iam"},
		{"imports", "iam/x.go", "package iam\nimport _ \"net/http/httptrace\"", ""},
		{"imports", "iam/adminapi/x.go", "package adminapi\nimport _ \"net/http\"", ""},
		{"imports", "iam/x.go", "package iam\nimport _ \"github.com/objsrv/objsrv/iam/store/bolt\"", "put together"},
		{"imports", "sts/oidc/x.go", "package oidc\nimport _ \"github.com/objsrv/objsrv/s3api\"", "credentials are issued"},
		{"imports", "s3api/x.go", "package s3api\nimport _ \"github.com/objsrv/objsrv/storage/fs\"", "put together"},
		{"imports", "cmd/objsrv/x.go", "package main\nimport _ \"github.com/objsrv/objsrv/storage/fs\"", ""},
		{"imports", "s3api/x.go", "package s3api\nimport _ \"github.com/objsrv/objsrv/cmd/objsrv\"", "depends on a program"},
		{"imports", "sigv4/x.go", "package sigv4\nimport _ \"golang.org/x/sync/errgroup\"", "standard library only"},
		{"libraries", "s3api/x.go", "package s3api\nimport _ \"go.etcd.io/bbolt\"", "belongs to"},
		{"libraries", "s3api/x.go", "package s3api\nimport _ \"example.com/new\"", "has no owner"},
		{"libraries", "s3api/x_test.go", "package s3api\nimport _ \"github.com/minio/minio-go/v7\"", ""},
		{"libraries", "storage/fs/x.go", "package fs\nimport _ \"github.com/cockroachdb/pebble/v2/vfs\"", ""},
		{"libraries", "cmd/objsrv/x.go", "package main\nimport _ \"github.com/rogpeppe/go-internal/testscript\"", "belongs to"},
		{"modules", "s3api/x.go", "package s3api\nimport _ \"github.com/minio/madmin-go/v3\"", "AGPL"},
		{"modules", "s3api/x.go", "package s3api\nimport _ \"github.com/minio/minio-go/v7\"", ""},
		{"contexts", "s3api/x.go", "package s3api\nvar _ = context.WithValue(nil, 1, 2)", "is a parameter"},
		{"contexts", "internal/reqlog/x.go", "package reqlog\nvar _ = context.WithValue(nil, 1, 2)", ""},
		{"package-comments", "x/x.go", "package x", "has no comment"},
		{"package-comments", "x/x.go", "// Package x is one.\npackage x", ""},
		{"init", "x/x.go", "package x\nfunc init() {}", "must do nothing"},
		{"init", "x/x.go", "package x\nfunc (t) init() {}", ""},
		{"variables", "x/x.go", "package x\nvar count int", "meant to change"},
		{"variables", "x/x.go", "package x\nvar table = map[string]int{\"a\": 1}", ""},
		{"variables", "x/x.go", "package x\nvar table = map[string]int{\"a\": 1}\nfunc f() { table[\"b\"] = 2 }", "is changed at"},
		{"variables", "x/x.go", "package x\nvar table = map[string]int{\"a\": 1}\nfunc f() { table := table; table[\"b\"] = 2 }", ""},
		{"variables", "x/x.go", "package x\nvar table = map[string]int{\"a\": 1}\nfunc f() { delete(table, \"a\") }", "is changed at"},
		{"variables", "x/x.go", "package x\nvar n = 1\nfunc f() { n++ }", "is changed at"},
		{"variables", "x/x.go", "package x\nvar m = make(map[string]int)", "no table"},
		{"variables", "x/x.go", "package x\nvar n = new(atomic.Int64)", "no table"},
		{"variables", "x/x.go", "package x\nvar n = time.Now()", "no table"},
		{"variables", "x/x.go", "package x\nvar p = &config{}", "no table"},
		{"variables", "x/x.go", "package x\nvar (\n\tErrA = errors.New(\"a\")\n\tre = regexp.MustCompile(`a`)\n\t_ I = (*t)(nil)\n)", ""},
		{"variables", "x/x.go", "package x\nvar errA = &myError{1}", ""},
		{"variables", "x/x.go", "package x\nvar pool = sync.Pool{}", "reason for it"},
		{"variables", "x/x.go", "package x\n// pool saves much.\nvar pool = sync.Pool{}", ""},
		{"variables", "x/x.go", "package x\n//go:embed a\nvar page []byte", ""},
		{"lengths", "x/x.go", "package x\nfunc f() {\n" + long + "}\n", "fits a screen"},
		{"lengths", "x/x.go", "package x\nfunc f() {\n" + long[:len(long)-7*3] + "}\n", ""},
		{"lengths", "x/x.go", "package x\nfunc f() {\n\t_ = []int{\n" + strings.Repeat("\t\t0,\n", 200) + "\t}\n}\n", ""},
		{"lengths", "x/x_test.go", "package x\nfunc f() {\n" + long + "}\n", ""},
		{"comments", "x/x.go", "package x\nfunc F() {}", "F has no comment"},
		{"comments", "x/x.go", "package x\ntype T int", "T has no comment"},
		{"comments", "x/x.go", "package x\nconst A = 1", "A has no comment"},
		{"comments", "x/x.go", "package x\nfunc (*T) M() {}", "M has no comment"},
		{"comments", "x/x.go", "package x\nfunc (t) M() {}", ""},
		{"comments", "x/x.go", "package x\n// All of them.\nconst (\n\tA = 1\n\tB = 2\n)", ""},
		{"unfinished", "x/x.go", "package x\n// " + unfinished[0] + ": later", "is an issue"},
		{"unfinished", "x/x.go", "package x\nconst a = \"" + unfinished[0] + "\"", ""},
		{"format", "x/x.go", "package x\nvar  a = 1", "gofmt"},
		{"secrets", "x/x.go", "package x\nvar _ = c.Secret == given", "crypto/subtle"},
		{"secrets", "x/x.go", "package x\nvar _ = given != string(sessionToken)", "crypto/subtle"},
		{"secrets", "x/x.go", "package x\nvar _ = bytes.Equal(mac[:], want)", "crypto/subtle"},
		{"secrets", "x/x.go", "package x\nvar _ = strings.EqualFold(want, r.signature())", "crypto/subtle"},
		{"secrets", "x/x.go", "package x\nvar _ = password == \"\" || mac == nil || hasToken == y", ""},
		{"secrets", "x/x.go", "package x\nvar _ = subtle.ConstantTimeCompare(mac, want) == 1", ""},
		{"secrets", "x/x_test.go", "package x\nvar _ = c.Secret == given", ""},
		{"actions", "x/x.go", "package x\nconst a = \"s3:GetObjekt\"", "no policy can name s3:GetObjekt"},
		{"actions", "x/x.go", "package x\nconst a = \"s3:GetObject\"", ""},
	} {
		x := &tree{fset: token.NewFileSet()}
		if err := x.add(c.file, []byte(c.source)); err != nil {
			t.Errorf("%q: %v", c.source, err)
			continue
		}
		got := rules[c.rule](x)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s of %s %q: got %q, want one about %q", c.rule, c.file, c.source[:min(100, len(c.source))], got, c.want)
		}
	}
	for mod, want := range map[string]string{
		"module x\n\nreplace a => b\n": "replacements", "require github.com/minio/pkg/v3 v3.0.0\n": "AGPL", "require (\n\tgithub.com/minio/minio v1\n)\n": "AGPL",
		"require github.com/minio/minio-go/v7 v7.0.0\n": "",
	} {
		got := checkModules(&tree{fset: token.NewFileSet(), mods: map[string]string{"go.mod": mod}})
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || !strings.Contains(got[0], want)) {
			t.Errorf("modules of %q: got %q, want one about %q", mod, got, want)
		}
	}
	files, two := 0, &tree{fset: token.NewFileSet()}
	for _, name := range []string{"x/a.go", "x/b.go"} {
		if err := two.add(name, []byte("// Package x is one.\npackage x")); err == nil {
			files++
		}
	}
	if got := checkPackageComments(two); files != 2 || len(got) != 1 {
		t.Errorf("two package comments: %q", got)
	}
}
