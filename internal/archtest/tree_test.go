package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// module is the path of this module.
const module = "github.com/objsrv/objsrv"

// file is one Go file of the module.
type file struct {
	dir    string // of the package, relative to the module's root
	name   string // relative to the module's root
	source []byte
	ast    *ast.File
	test   bool // named *_test.go
}

// tree is the module's Go files and module files.
type tree struct {
	fset  *token.FileSet
	files []*file
	mods  map[string]string // go.mod files of this module and of those below it, by name
}

// loadTree reads the module around the working directory. Folders that are modules of
// their own, and those that the go tool ignores, are left out.
func loadTree(t *testing.T) *tree {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(root)
		if parent == root {
			t.Fatal("no go.mod above the working directory")
		}
		root = parent
	}
	x := &tree{fset: token.NewFileSet(), mods: map[string]string{}}
	err = fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return x.enter(root, name, d.Name())
		}
		if strings.HasSuffix(name, ".go") {
			source, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				return err
			}
			return x.add(name, source)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("read the module: %v", err)
	}
	return x
}

// enter decides whether a folder belongs to the module.
func (x *tree) enter(root, name, base string) error {
	mod, err := os.ReadFile(filepath.Join(root, name, "go.mod"))
	if err == nil {
		x.mods[path.Join(name, "go.mod")] = string(mod)
	}
	switch {
	case name == ".":
		return nil
	case err == nil, base == "testdata", base == "vendor", base == "node_modules", strings.HasPrefix(base, "."), strings.HasPrefix(base, "_"):
		return fs.SkipDir
	}
	return nil
}

// add parses one file.
func (x *tree) add(name string, source []byte) error {
	parsed, err := parser.ParseFile(x.fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	x.files = append(x.files, &file{dir: path.Dir(name), name: name, source: source, ast: parsed, test: strings.HasSuffix(name, "_test.go")})
	return nil
}

// packages groups the files that are no tests by folder.
func (x *tree) packages() map[string][]*file {
	out := map[string][]*file{}
	for _, f := range x.files {
		if !f.test {
			out[f.dir] = append(out[f.dir], f)
		}
	}
	return out
}

// lines counts the lines of a piece of source.
func (x *tree) lines(from, to token.Pos) int {
	return x.fset.Position(to).Line - x.fset.Position(from).Line + 1
}

// at says where a piece of source is.
func (x *tree) at(pos token.Pos) string {
	p := x.fset.Position(pos)
	p.Column = 0
	return p.String()
}

// under tells whether a package is one of dirs or below one that ends in "/..."; "..." is every package.
func under(dir string, dirs []string) bool {
	for _, d := range dirs {
		if base, all := strings.CutSuffix(d, "/..."); d == dir || d == "..." || all && (base == dir || strings.HasPrefix(dir, base+"/")) {
			return true
		}
	}
	return false
}
