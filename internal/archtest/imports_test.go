package archtest

import (
	"fmt"
	"go/ast"
	"strconv"
	"strings"
)

// imports returns the paths that a file imports.
func imports(f *file) []string {
	var out []string
	for _, i := range f.ast.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// local returns the folder of a package of ours.
func local(imported string) (dir string, ok bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

// standard tells whether a package is the standard library's.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// checkImports applies importRules and standardOnly.
func checkImports(x *tree) (failures []string) {
	for _, f := range x.files {
		if f.test || under(f.dir, tests) {
			continue
		}
		for _, p := range imports(f) {
			for _, r := range importRules {
				if r.forbids(f.dir, p) {
					failures = append(failures, fmt.Sprintf("%s imports %s: %s", f.name, p, r.why))
				}
			}
			for dir, why := range standardOnly {
				if _, is := local(p); under(f.dir, []string{dir}) && !is && !standard(p) {
					failures = append(failures, fmt.Sprintf("%s imports %s, but %s uses the standard library only: %s", f.name, p, dir, why))
				}
			}
		}
	}
	return failures
}

// forbids tells whether the rule forbids a package an import.
func (r importRule) forbids(dir, imported string) bool {
	if !under(dir, r.of) || under(dir, r.except) {
		return false
	}
	if own, ok := local(imported); ok {
		return r.never[0] == ours || under(own, r.never)
	}
	return under(imported, r.never)
}

// checkOwners applies the table of libraries.
func checkOwners(x *tree) (failures []string) {
	for _, f := range x.files {
		for _, p := range imports(f) {
			if _, is := local(p); is || standard(p) {
				continue
			}
			library := ownerOf(p)
			switch {
			case library == "":
				failures = append(failures, fmt.Sprintf("%s imports %s, which has no owner: each library has one owning package, so that it can be replaced (tables_test.go)", f.name, p))
			case f.test || under(f.dir, tests), under(f.dir, owners[library]):
			default:
				failures = append(failures, fmt.Sprintf("%s imports %s, which belongs to %v: each library has one owning package, so that it can be replaced (tables_test.go)", f.name, p, owners[library]))
			}
		}
	}
	return failures
}

// ownerOf finds the row of owners for an import.
func ownerOf(imported string) string {
	for library := range owners {
		if imported == library || strings.HasPrefix(imported, strings.TrimSuffix(library, "/")+"/") {
			return library
		}
	}
	return ""
}

// checkModules reads the module files.
func checkModules(x *tree) (failures []string) {
	for name, mod := range x.mods {
		for i, line := range strings.Split(mod, "\n") {
			fields := strings.Fields(line)
			if len(fields) == 0 || strings.HasPrefix(fields[0], "//") {
				continue
			}
			own := name == "go.mod"
			if own && (fields[0] == "replace" || fields[0] == "exclude" || strings.Contains(line, "=>")) {
				failures = append(failures, fmt.Sprintf("%s:%d: %q: `go install` of a module with replacements is refused", name, i+1, line))
			}
			for _, field := range fields {
				if deny := isAGPL(field); deny != "" {
					failures = append(failures, fmt.Sprintf("%s:%d: %s is under the AGPL, objsrv under Apache-2.0", name, i+1, field))
				}
			}
		}
	}
	for _, f := range x.files {
		for _, p := range imports(f) {
			if isAGPL(p) != "" {
				failures = append(failures, fmt.Sprintf("%s imports %s, which is under the AGPL, objsrv is under Apache-2.0", f.name, p))
			}
		}
	}
	return failures
}

// isAGPL returns the module of the deny list that a path belongs to.
func isAGPL(p string) string {
	for _, deny := range agpl {
		if p == deny || strings.HasPrefix(p, deny+"/") {
			return deny
		}
	}
	return ""
}

// checkContexts looks for values in contexts.
func checkContexts(x *tree) (failures []string) {
	for _, f := range x.files {
		if f.test || under(f.dir, contexts) || under(f.dir, tests) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && selector(call.Fun) == "context.WithValue" {
				failures = append(failures, fmt.Sprintf("%s: context.WithValue: what a function needs is a parameter; exceptions are in tables_test.go", x.at(call.Pos())))
			}
			return true
		})
	}
	return failures
}

// selector prints "pkg.Name" for a selector of an identifier, and "name" for one.
func selector(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if id, ok := e.X.(*ast.Ident); ok {
			return id.Name + "." + e.Sel.Name
		}
	case *ast.IndexExpr:
		return selector(e.X)
	}
	return ""
}
