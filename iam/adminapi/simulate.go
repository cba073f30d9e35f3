package adminapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/policy"
)

// Simulate is the body of POST simulate: would the request be allowed?
type Simulate struct {
	Principal string `json:"principal"` // user, access key, or root's name; "" is the anonymous caller
	Action    string `json:"action"`    // "s3:GetObject"
	Resource  string `json:"resource"`  // bucket or bucket/key, also as an ARN; "" for what is of no bucket
	// Context has the condition keys of the request. Keys that speak of the caller or of the time
	// are not taken: they are the principal's own.
	Context map[string][]string `json:"context,omitempty"`
	// BucketPolicy is decided with instead of the stored one; null is none at all.
	BucketPolicy json.RawMessage `json:"bucketPolicy,omitempty"`
	Trace        bool            `json:"trace,omitempty"` // have the answer tell of every statement
}

// Simulation is the answer to POST simulate. It speaks of policies: access control lists and
// the public access block are not looked at.
type Simulation struct {
	Allowed      bool   `json:"allowed"`
	Explicit     bool   `json:"explicit"`            // a Deny decided
	Statement    string `json:"statement,omitempty"` // policy and statement that decided; "" when none matched
	BucketPolicy string `json:"bucketPolicy"`        // which was decided with: "given", "stored", "none"
	// Trace has every statement of the policies that count for the principal, when it is asked for.
	Trace []TraceStep `json:"trace,omitempty"`
}

// TraceStep is what one statement says of a request.
type TraceStep struct {
	Of        string `json:"of"` // whose policy: "user", "group NAME", "provider", "credential", "bucket"
	Statement string `json:"statement"`
	Effect    string `json:"effect"` // "Allow", "Deny"
	Matched   bool   `json:"matched"`
	Failed    string `json:"failed,omitempty"`   // the first element that does not match
	Operator  string `json:"operator,omitempty"` // of the condition, when that is it
	Key       string `json:"key,omitempty"`
	Absent    bool   `json:"absent,omitempty"` // the request has no such key
}

// BucketPolicy returns the policy of a bucket, nil for none, and the account that owns the
// bucket: nil and "" when there is no such bucket, which is simulated as one of the deployment's.
type BucketPolicy func(ctx context.Context, bucket string) (document []byte, account string, err error)

func (c *call) simulate() error {
	in := Simulate{}
	if err := parse(c.body, &in); err != nil {
		return err
	}
	q := iam.Request{Action: in.Action}
	out := Simulation{BucketPolicy: "none"}
	var err error
	if err = checkAction(in.Action); err != nil {
		return err
	}
	if q.Bucket, q.Key, err = splitResource(in.Resource); err != nil {
		return err
	}
	if q.Conditions, err = readContext(in.Action, in.Context); err != nil {
		return err
	}
	if err := c.bucketPolicy(&in, &q, &out); err != nil {
		return err
	}
	d, err := c.config.Service.Simulate(in.Principal, q)
	if err != nil {
		return err
	}
	out.Allowed, out.Explicit, out.Statement = d.Allowed, d.Explicit, d.Statement
	if in.Trace {
		if out.Trace, err = c.trace(in.Principal, q); err != nil {
			return err
		}
	}
	return c.reply(http.StatusOK, out)
}

func (c *call) trace(principal string, q iam.Request) ([]TraceStep, error) {
	steps, err := c.config.Service.Trace(principal, q)
	out := make([]TraceStep, len(steps))
	for i := range steps {
		st := &steps[i]
		out[i] = TraceStep{
			Of: st.Of, Statement: st.Statement, Effect: st.Effect.String(), Matched: st.Matched,
			Failed: st.Failed, Operator: st.Operator, Key: st.Key, Absent: st.Absent,
		}
	}
	return out, err
}

// bucketPolicy finds the policy and the owner of the bucket in question.
func (c *call) bucketPolicy(in *Simulate, q *iam.Request, out *Simulation) error {
	if q.Bucket == "" {
		if orNone(in.BucketPolicy) != nil {
			return badArgument("A bucket policy belongs to a resource.")
		}
		return nil
	}
	var document []byte
	if c.config.BucketPolicy != nil {
		var err error
		if document, q.Owner, err = c.config.BucketPolicy(c.r.Context(), q.Bucket); err != nil {
			return err
		}
	}
	switch given := orNone(in.BucketPolicy); {
	case given != nil:
		if _, err := policy.Compile("bucket policy", given, policy.Resource); err != nil {
			return err
		}
		q.Policy, out.BucketPolicy = given, "given"
	case in.BucketPolicy == nil && len(document) > 0:
		q.Policy, out.BucketPolicy = document, "stored"
	}
	return nil
}

// checkAction refuses what no policy could name, and patterns.
func checkAction(action string) error {
	if strings.ContainsAny(action, "*?") || !policy.KnownAction(action) {
		return badArgument("The action is one that policies may name, such as s3:GetObject.")
	}
	return nil
}

// splitResource reads "bucket", "bucket/key" or either as an ARN.
func splitResource(s string) (bucket, key string, err error) {
	path := strings.TrimPrefix(s, "arn:aws:s3:::")
	bucket, key, slash := strings.Cut(path, "/")
	if path == "" && s != "" || slash && (bucket == "" || key == "") || strings.Contains(bucket, ":") || len(key) > 1024 {
		return "", "", badArgument("A resource is bucket, bucket/key, or arn:aws:s3::: with one of these behind it.")
	}
	return bucket, key, nil
}

// given is the context of a simulation.
type given map[string][]string

// Values implements iam.Conditions.
func (g given) Values(key string) ([]string, bool) {
	v, ok := g[key]
	return v, ok
}

// readContext checks the condition keys that are given, which are compared without regard to
// case: those that a request for the action can have.
func readContext(action string, in map[string][]string) (given, error) {
	service, _, _ := strings.Cut(strings.ToLower(action), ":")
	known := policy.FaceKeys(service)
	out := make(given, len(in))
	for key, values := range in {
		low := strings.ToLower(key)
		if !slices.ContainsFunc(known, func(k string) bool {
			return k == low && !strings.HasSuffix(k, "/") || strings.HasSuffix(k, "/") && len(low) > len(k) && strings.HasPrefix(low, k)
		}) {
			return nil, badArgument("The condition key %q is none that a request for %s has; keys of the principal and of the time can't be given.", key, action)
		}
		if _, twice := out[low]; twice || len(values) == 0 {
			return nil, badArgument("The condition key %q has values, and is given once.", key)
		}
		out[low] = values
	}
	return out, nil
}
