package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"slices"
	"strings"
)

// generated tells whether a file was made by a program.
func generated(f *file) bool { return ast.IsGenerated(f.ast) }

// checkPackageComments wants exactly one comment for each package.
func checkPackageComments(x *tree) (failures []string) {
	for dir, files := range x.packages() {
		var with []string
		for _, f := range files {
			if f.ast.Doc != nil && strings.TrimSpace(f.ast.Doc.Text()) != "" {
				with = append(with, f.name)
			}
		}
		slices.Sort(with)
		switch len(with) {
		case 1:
		case 0:
			failures = append(failures, fmt.Sprintf("package %s has no comment that says what it is for, what it may import, and where its rules come from", dir))
		default:
			failures = append(failures, fmt.Sprintf("package %s has comments in %v: one place, or they will differ", dir, with))
		}
	}
	return failures
}

// checkInit looks for init functions.
func checkInit(x *tree) (failures []string) {
	for _, f := range x.files {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				failures = append(failures, fmt.Sprintf("%s: func init: importing a package must do nothing; two servers run in one test process", x.at(fn.Pos())))
			}
		}
	}
	return failures
}

// checkVariables looks for package-level variables that could change.
func checkVariables(x *tree) (failures []string) {
	for dir, files := range x.packages() {
		if under(dir, tests) && !strings.HasPrefix(dir, "storage/") {
			continue
		}
		changed := assigned(files)
		for _, f := range files {
			for _, d := range f.ast.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok || g.Tok != token.VAR {
					continue
				}
				for _, s := range g.Specs {
					failures = append(failures, x.checkVariable(dir, g, s.(*ast.ValueSpec), changed)...)
				}
			}
		}
	}
	return failures
}

// checkVariable judges one declaration.
func (x *tree) checkVariable(dir string, g *ast.GenDecl, s *ast.ValueSpec, changed map[string]token.Pos) (failures []string) {
	const why = "package-level variables are errors, tables and compiled patterns; two servers run in one test process"
	for i, name := range s.Names {
		_, waived := variables[dir+"."+name.Name]
		switch {
		case name.Name == "_" || waived:
		case changed[name.Name].IsValid():
			failures = append(failures, fmt.Sprintf("%s: %s is changed at %s: %s", x.at(name.Pos()), name.Name, x.at(changed[name.Name]), why))
		case embedded(g, s):
		case i >= len(s.Values):
			failures = append(failures, fmt.Sprintf("%s: %s has no value, so it is meant to change: %s", x.at(name.Pos()), name.Name, why))
		case isPool(s.Values[i]):
			if s.Doc == nil && g.Doc == nil && s.Comment == nil {
				failures = append(failures, fmt.Sprintf("%s: the pool %s has no comment with the reason for it", x.at(name.Pos()), name.Name))
			}
		case isError(name.Name, s.Values[i]):
		case !constant(s.Values[i]):
			failures = append(failures, fmt.Sprintf("%s: %s is no table, error or compiled pattern: %s", x.at(name.Pos()), name.Name, why))
		}
	}
	return failures
}

// embedded tells whether a variable holds an embedded file.
func embedded(g *ast.GenDecl, s *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{g.Doc, s.Doc} {
		if doc == nil {
			continue
		}
		for _, c := range doc.List {
			if strings.HasPrefix(c.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

// isPool tells whether a value is a sync.Pool.
func isPool(e ast.Expr) bool {
	if u, ok := e.(*ast.UnaryExpr); ok {
		e = u.X
	}
	lit, ok := e.(*ast.CompositeLit)
	return ok && lit.Type != nil && selector(lit.Type) == "sync.Pool"
}

// isError tells whether a variable is an error of a type of its own.
func isError(name string, e ast.Expr) bool {
	if !strings.HasPrefix(name, "err") && !strings.HasPrefix(name, "Err") {
		return false
	}
	u, ok := e.(*ast.UnaryExpr)
	if ok {
		_, ok = u.X.(*ast.CompositeLit)
	}
	return ok
}

// constant tells whether a value is one that nobody has a reason to change.
func constant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.CompositeLit, *ast.BasicLit, *ast.Ident, *ast.SelectorExpr:
		return true
	case *ast.BinaryExpr:
		return constant(e.X) && constant(e.Y)
	case *ast.ParenExpr:
		return constant(e.X)
	case *ast.IndexExpr:
		return constant(e.X)
	case *ast.CallExpr:
		if _, conversion := e.Fun.(*ast.ArrayType); conversion {
			return true
		}
		if fn, ok := e.Fun.(*ast.FuncLit); ok { // a table that is worked out
			return fn != nil
		}
		if s, ok := e.Fun.(*ast.SelectorExpr); ok && (s.Sel.Name == "Lookup" || s.Sel.Name == "Strict") {
			return true
		}
		name := selector(e.Fun)
		return constructors[name] || name != "" && !strings.Contains(name, ".") && name != "new" && name != "make"
	}
	return false
}

// assigned finds the names that a package's functions assign to, whole or in part.
// Names that a function declares for itself are told apart by file position only as
// far as needed: a local name that hides a package-level one is bad style anyway.
func assigned(files []*file) map[string]token.Pos {
	out := map[string]token.Pos{}
	for _, f := range files {
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			local := declared(fn)
			note := func(e ast.Expr) {
				for {
					switch v := e.(type) {
					case *ast.IndexExpr:
						e = v.X
						continue
					case *ast.SelectorExpr:
						e = v.X
						continue
					case *ast.StarExpr:
						e = v.X
						continue
					case *ast.Ident:
						if !local[v.Name] {
							out[v.Name] = v.Pos()
						}
					}
					return
				}
			}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.AssignStmt:
					if n.Tok != token.DEFINE {
						for _, l := range n.Lhs {
							note(l)
						}
					}
				case *ast.IncDecStmt:
					note(n.X)
				case *ast.CallExpr:
					if name := selector(n.Fun); (name == "delete" || name == "clear") && len(n.Args) > 0 {
						note(n.Args[0])
					}
				}
				return true
			})
		}
	}
	return out
}

// declaredAtTop collects the names of functions and variables of a file.
func declaredAtTop(f *file) map[string]bool {
	out := map[string]bool{}
	for _, d := range f.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			out[d.Name.Name] = true
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok {
					for _, name := range v.Names {
						out[name.Name] = true
					}
				}
			}
		}
	}
	return out
}

// declared collects the names that a function declares.
func declared(fn *ast.FuncDecl) map[string]bool {
	out := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, name := range n.Names {
				out[name.Name] = true
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, l := range n.Lhs {
					if id, ok := l.(*ast.Ident); ok {
						out[id.Name] = true
					}
				}
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE {
					out[id.Name] = true
				}
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				out[name.Name] = true
			}
		}
		return true
	})
	return out
}

// checkLengths measures files and functions.
func checkLengths(x *tree) (failures []string) {
	var all []int
	for _, f := range x.files {
		if generated(f) {
			continue
		}
		n := bytes.Count(f.source, []byte("\n"))
		all = append(all, n)
		if _, waived := longFiles[f.name]; n > maxFile && !waived {
			failures = append(failures, fmt.Sprintf("%s has %d lines, %d are allowed: a file is about one subject", f.name, n, maxFile))
		}
		if f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if _, waived := longFunctions[f.dir+"."+fn.Name.Name]; waived {
				continue
			}
			if n := x.lines(fn.Pos(), fn.End()) - x.tableLines(fn); n > maxFunction {
				failures = append(failures, fmt.Sprintf("%s: %s has %d lines without its tables, %d are allowed: a function fits a screen", x.at(fn.Pos()), fn.Name.Name, n, maxFunction))
			}
		}
	}
	slices.Sort(all)
	if len(all) > 0 && all[len(all)*9/10] > usualFile {
		failures = append(failures, fmt.Sprintf("one file in ten has more than %d lines, %d are usual: a file is about one subject", all[len(all)*9/10], usualFile))
	}
	return failures
}

// tableLines counts the lines of a function that are composite literals.
func (x *tree) tableLines(fn *ast.FuncDecl) (n int) {
	ast.Inspect(fn, func(node ast.Node) bool {
		if lit, ok := node.(*ast.CompositeLit); ok {
			n += x.lines(lit.Pos(), lit.End()) - 1
			return false
		}
		return true
	})
	return n
}

// checkDocs wants a comment for each exported name.
func checkDocs(x *tree) (failures []string) {
	for _, f := range x.files {
		if f.test || generated(f) || f.ast.Name.Name == "main" {
			continue
		}
		for _, d := range f.ast.Decls {
			for _, name := range undocumented(d) {
				failures = append(failures, fmt.Sprintf("%s: %s has no comment that says what it takes and returns, its units, limits and errors", x.at(d.Pos()), name))
			}
		}
	}
	return failures
}

// undocumented lists the exported names of a declaration that have no comment.
func undocumented(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d.Recv.List[0].Type))) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				if s.Doc != nil || s.Comment != nil || d.Doc != nil {
					continue
				}
				for _, name := range s.Names {
					if name.IsExported() {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

// receiver names the type of a method.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// unfinished are words that mark what is left to do.
var unfinished = []string{"TO" + "DO", "FIX" + "ME"}

// checkUnfinished looks for notes of what is left to do.
func checkUnfinished(x *tree) (failures []string) {
	for _, f := range x.files {
		for _, group := range f.ast.Comments {
			for _, c := range group.List {
				for _, word := range unfinished {
					if strings.Contains(c.Text, word) {
						failures = append(failures, fmt.Sprintf("%s: %s: what is not done is an issue, not a comment", x.at(c.Pos()), word))
					}
				}
			}
		}
	}
	return failures
}

// checkFormat compares with gofmt.
func checkFormat(x *tree) (failures []string) {
	for _, f := range x.files {
		if out, err := format.Source(f.source); err != nil || !bytes.Equal(out, f.source) {
			failures = append(failures, fmt.Sprintf("%s is not formatted: run gofmt -w on it", f.name))
		}
	}
	return failures
}
