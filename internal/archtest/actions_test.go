package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strconv"

	"github.com/objsrv/objsrv/iam/policy"
)

// action is the form of an action in our sources. Condition keys are lower-case in them.
var action = regexp.MustCompile(`^(s3|sts|kms|iam|admin):[A-Z][A-Za-z0-9]*$`)

// checkActions wants every action that the program asks for to be one that policies may
// name: with another, nobody but root could ever be allowed to do it.
func checkActions(x *tree) (failures []string) {
	for _, f := range x.files {
		if f.test || under(f.dir, tests) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			if s, err := strconv.Unquote(lit.Value); err == nil && action.MatchString(s) && !policy.KnownAction(s) {
				failures = append(failures, fmt.Sprintf("%s: no policy can name %s: iam/policy/actions.txt does not have it", x.at(lit.Pos()), s))
			}
			return true
		})
	}
	return failures
}
