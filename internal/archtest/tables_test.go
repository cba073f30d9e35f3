package archtest

// importRule forbids imports. Packages are given relative to the module, those of the
// standard library by their path; "/..." stands for a package and all below it.
type importRule struct {
	of     []string
	except []string // packages that the rule is not for
	never  []string
	why    string
}

// ours stands for every package of this module in importRule.never.
const ours = "(ours)/..."

// tests are folders whose programs are tests, though their files are not named so.
var tests = []string{"test/...", "storage/storagetest", "iam/store/storetest", "internal/notify/notifytest", "internal/testenv"}

var importRules = []importRule{
	{
		of: []string{"storage", "sigv4", "iam/policy", "iam/store"}, never: []string{ours},
		why: "a vocabulary package imports nothing of ours, so that everything may import it",
	},
	{
		of: []string{"storage/..."}, never: []string{"iam/...", "sigv4/...", "s3api/...", "sts/...", "webui/..."},
		why: "storage knows nothing of signatures, identities or policies",
	},
	{
		of: []string{"storage/..."}, except: []string{"storage/s3gw"}, never: []string{"net/http"},
		why: "storage knows nothing of HTTP; s3gw asks another server over it, as the disk is asked by system calls",
	},
	{
		of: []string{"iam/..."}, never: []string{"storage/..."},
		why: "identities are decided without a look at what is stored",
	},
	{
		of: []string{"iam/..."}, except: []string{"iam/iamapi/...", "iam/madmin/...", "iam/adminapi/..."}, never: []string{"net/http"},
		why: "only the faces of iam speak HTTP",
	},
	{
		of: []string{"sts/..."}, never: []string{"storage/...", "s3api/..."},
		why: "credentials are issued without a look at objects or their protocol",
	},
	{
		of: []string{"s3api/...", "sts/...", "iam/...", "webui/...", "internal/..."}, except: []string{"iam/store/..."},
		never: []string{"storage/fs/...", "storage/s3gw/...", "storage/mem/...", "iam/store/bolt/...", "iam/store/etcd/...", "iam/store/mem/..."},
		why:   "implementations are named only where the program is put together, in cmd/objsrv, and in tests",
	},
	{
		of: []string{"storage/..."}, except: []string{"storage/storagetest"}, never: []string{"storage/mem/..."},
		why: "the model is for tests; an implementation stands on the contract alone",
	},
	{
		of: []string{"..."}, except: []string{"cmd/..."}, never: []string{"cmd/..."},
		why: "nothing depends on a program",
	},
}

// standardOnly are packages that import the standard library alone.
var standardOnly = map[string]string{
	"sigv4/...":             "others should be able to use it without our dependencies",
	"storage":               "it is vocabulary",
	"iam/policy":            "the policy language is pure functions",
	"internal/archtest/...": "the rules must not depend on what they judge",
}

// owners says which packages may import a library; files that are tests may as well.
// A library that is not here has no place yet: give it one owner.
var owners = map[string][]string{
	"github.com/aws/":                                {},
	"github.com/cespare/xxhash/v2":                   {"internal/checksum", "storage/fs"}, // storage may not import internal/checksum for one hash of its locks
	"github.com/cockroachdb/pebble/v2":               {"storage/fs/..."},
	"github.com/coreos/go-oidc/v3":                   {"sts/oidc"},
	"github.com/go-jose/go-jose/v4":                  {"sts/oidc"}, // JSON Web Keys, which go-oidc keeps to itself
	"github.com/go-ldap/ldap/v3":                     {"sts/ldap"},
	"github.com/eclipse/paho.mqtt.golang":            {"internal/notify/mqtt"},
	"github.com/nats-io/nats.go":                     {"internal/notify/nats"},
	"github.com/rabbitmq/amqp091-go":                 {"internal/notify/amqp"},
	"github.com/twmb/franz-go":                       {"internal/notify/kafka"},
	"github.com/go-sql-driver/mysql":                 {"internal/notify/mysql"},
	"github.com/gomodule/redigo":                     {"internal/notify/redis"},
	"github.com/jackc/pgx/v5":                        {"internal/notify/postgresql"},
	"github.com/klauspost/compress":                  {"internal/archive", "internal/seal"},
	"github.com/minio/crc64nvme":                     {"internal/checksum"},
	"github.com/minio/md5-simd":                      {"internal/checksum"},
	"github.com/minio/minio-go/v7":                   {"storage/s3gw"},
	"github.com/prometheus/client_golang/prometheus": {"internal/metrics"},
	"github.com/rogpeppe/go-internal":                {},
	"github.com/spf13/cobra":                         {"cmd/..."},
	"github.com/spf13/pflag":                         {"cmd/..."},
	"github.com/zeebo/xxh3":                          {"internal/checksum"},
	"go.etcd.io/bbolt":                               {"iam/store/bolt"},
	"go.etcd.io/etcd/api/v3":                         {"iam/store/etcd"},
	"go.etcd.io/etcd/client/v3":                      {"iam/store/etcd"},
	"go.uber.org/zap":                                {"iam/store/etcd"}, // what etcd's client logs with; switched off
	"golang.org/x/crypto":                            {"iam/madmin"},
	"golang.org/x/oauth2":                            {"sts/oidc"},
	"golang.org/x/sync":                              {"..."},
	"golang.org/x/sys":                               {"..."},
	"golang.org/x/term":                              {"cmd/..."},
	"google.golang.org/grpc":                         {"iam/store/etcd"},
}

// agpl are modules under the AGPL, which objsrv, being under Apache-2.0, must not use.
var agpl = []string{"github.com/minio/minio", "github.com/minio/madmin-go", "github.com/minio/pkg", "github.com/minio/console", "github.com/minio/mc"}

// constructors are functions whose results, kept in a package-level variable, nobody
// changes.
var constructors = map[string]bool{
	"errors.New": true, "fmt.Errorf": true, "regexp.MustCompile": true, "strings.NewReplacer": true, "crc32.MakeTable": true, "crc64.MakeTable": true,
	"template.Must": true, "netip.MustParsePrefix": true, "netip.MustParseAddr": true, "time.Date": true, "time.Unix": true, "big.NewInt": true, "base64.NewEncoding": true,
	"slices.Concat": true, "slices.Sorted": true, "maps.Keys": true, "len": true, "string": true, "http.DetectContentType": true,
	"reflect.TypeFor": true, "reflect.TypeOf": true, "prometheus.NewDesc": true,
}

// variables are package-level variables that are no table, with the reason.
var variables = map[string]string{
	"s3api.noSettings": "the settings of a bucket that has none; given out by pointer and only read",
}

// longFunctions may have more lines than maxFunction.
var longFunctions = map[string]string{}

// longFiles may have more lines than maxFile.
var longFiles = map[string]string{}

// The lengths in lines that files and functions may have.
const (
	maxFunction = 80
	maxFile     = 800
	usualFile   = 400 // nine of ten files are no longer
)

// contexts may put values into a context.
var contexts = []string{
	"internal/reqlog", // the request's event
	"internal/httpd",  // the connection: net/http gives it to handlers in no other way (ConnContext)
}

// comparedSecrets are the files in which secrets are compared otherwise, with the reason.
var comparedSecrets = map[string]string{
	"iam/names.go": "WeakSecret tells root at the start that the password is the user name: nobody can ask for it",
}
