package iamzip

// Report is what an import has done, or would do, in the form of MinIO's import-iam-v2. The
// reasons of failures are under a name that the client of mc does not know: it can't read the
// one that it has for them.
type Report struct {
	Skipped Entities `json:"skipped"` // they are here already, or have expired
	Removed Entities `json:"removed"` // policies that are empty in the archive
	Added   Entities `json:"added"`   // or replaced
	Failed  Failures `json:"failed"`
	Notes   []string `json:"notes,omitempty"` // what an administrator should know besides
}

// Entities are names, by what they name.
type Entities struct {
	Policies        []string              `json:"policies,omitempty"`
	Users           []string              `json:"users,omitempty"`
	Groups          []string              `json:"groups,omitempty"`
	ServiceAccounts []string              `json:"serviceAccounts,omitempty"`
	UserPolicies    []map[string][]string `json:"userPolicies,omitempty"`
	GroupPolicies   []map[string][]string `json:"groupPolicies,omitempty"`
	STSPolicies     []map[string][]string `json:"stsPolicies,omitempty"`
}

// Failures are what was not taken.
type Failures struct {
	Policies        []Failure `json:"policies,omitempty"`
	Users           []Failure `json:"users,omitempty"`
	Groups          []Failure `json:"groups,omitempty"`
	ServiceAccounts []Failure `json:"serviceAccounts,omitempty"`
	UserPolicies    []Failure `json:"userPolicies,omitempty"`
	GroupPolicies   []Failure `json:"groupPolicies,omitempty"`
	STSPolicies     []Failure `json:"stsPolicies,omitempty"`
}

// Failure is one entry that was not taken, and why.
type Failure struct {
	Name     string   `json:"name"`
	Policies []string `json:"policies,omitempty"`
	Reason   string   `json:"reason"`
}

// Len returns how many entries failed.
func (f *Failures) Len() int {
	return len(f.Policies) + len(f.Users) + len(f.Groups) + len(f.ServiceAccounts) +
		len(f.UserPolicies) + len(f.GroupPolicies) + len(f.STSPolicies)
}

// All returns the entries that failed, by kind.
func (f *Failures) All() map[string][]Failure {
	return map[string][]Failure{
		"policy": f.Policies, "user": f.Users, "group": f.Groups, "access key": f.ServiceAccounts,
		"policies of the user": f.UserPolicies, "policies of the group": f.GroupPolicies, "policies of the external user": f.STSPolicies,
	}
}
