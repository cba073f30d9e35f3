package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
)

// secretName is what variables, fields and functions are called that hold a secret or what proves one.
var secretName = regexp.MustCompile(`(?i)(secret|passw(or)?d|signature|token|hmac|mac)$`)

// plainName is what looks like it and is none: whether there is one, which kind of thing it is, tokens of
// documents that are parsed.
var plainName = regexp.MustCompile(`(?i)^(has|is|no|continuation|next)`)

// checkSecrets looks for secrets that are compared byte by byte, whose time tells how many bytes are right
// (S-001, S-086, S-142). Comparisons with constants ask whether there is one.
func checkSecrets(x *tree) (failures []string) {
	constants := x.constants()
	isConstant := func(e ast.Expr) bool {
		if s, ok := e.(*ast.SelectorExpr); ok {
			e = s.Sel
		}
		name, ok := e.(*ast.Ident)
		_, literal := e.(*ast.BasicLit)
		return literal || ok && (name.Name == "nil" || constants[name.Name])
	}
	for _, f := range x.files {
		if _, waived := comparedSecrets[f.name]; waived || f.test || under(f.dir, tests) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if (n.Op == token.EQL || n.Op == token.NEQ) && (isSecret(n.X) || isSecret(n.Y)) && !isConstant(n.X) && !isConstant(n.Y) {
					failures = append(failures, fmt.Sprintf("%s: a secret is compared in a time that depends on it: crypto/subtle", x.at(n.Pos())))
				}
			case *ast.CallExpr:
				if comparing(n) && (isSecret(n.Args[0]) || isSecret(n.Args[1])) && !isConstant(n.Args[0]) && !isConstant(n.Args[1]) {
					failures = append(failures, fmt.Sprintf("%s: a secret is compared in a time that depends on it: crypto/subtle", x.at(n.Pos())))
				}
			}
			return true
		})
	}
	return failures
}

// isSecret tells whether an expression is called like a secret.
func isSecret(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return secretName.MatchString(e.Name) && !plainName.MatchString(e.Name)
	case *ast.SelectorExpr:
		if pkg, ok := e.X.(*ast.Ident); ok && pkg.Name == "token" {
			return false // of package go/token
		}
		return isSecret(e.Sel)
	case *ast.CallExpr:
		return isSecret(e.Fun) || len(e.Args) == 1 && isSecret(e.Args[0]) // a conversion
	case *ast.ParenExpr:
		return isSecret(e.X)
	case *ast.StarExpr:
		return isSecret(e.X)
	case *ast.SliceExpr:
		return isSecret(e.X)
	}
	return false
}

// constants are the names of all constants that packages declare.
func (x *tree) constants() map[string]bool {
	out := map[string]bool{}
	for _, f := range x.files {
		for _, d := range f.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				for _, name := range s.(*ast.ValueSpec).Names {
					out[name.Name] = true
				}
			}
		}
	}
	return out
}

// comparing tells whether a call compares two values byte by byte.
func comparing(c *ast.CallExpr) bool {
	s, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || len(c.Args) != 2 {
		return false
	}
	pkg, ok := s.X.(*ast.Ident)
	return ok && (pkg.Name == "bytes" || pkg.Name == "strings" || pkg.Name == "slices") && (s.Sel.Name == "Equal" || s.Sel.Name == "EqualFold" || s.Sel.Name == "Compare")
}
