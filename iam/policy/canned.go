package policy

// Canned is a built-in policy: its name and document.
type Canned struct {
	Name     string
	Document string
}

// CannedPolicies returns the built-in policies in byte order of their names. They have
// MinIO's names and grant what MinIO's grant: readonly can't list.
func CannedPolicies() []Canned {
	return []Canned{
		{"consoleAdmin", `{
 "Version": "2012-10-17",
 "Statement": [
  {"Effect": "Allow", "Action": ["admin:*"]},
  {"Effect": "Allow", "Action": ["kms:*"]},
  {"Effect": "Allow", "Action": ["sts:*"]},
  {"Effect": "Allow", "Action": ["iam:*"]},
  {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}
 ]
}`},
		{"diagnostics", `{
 "Version": "2012-10-17",
 "Statement": [
  {"Effect": "Allow", "Action": [
   "admin:Profiling", "admin:ServerTrace", "admin:ConsoleLog", "admin:ServerInfo",
   "admin:TopLocksInfo", "admin:OBDInfo", "admin:BandwidthMonitor", "admin:Prometheus"
  ], "Resource": ["arn:aws:s3:::*"]}
 ]
}`},
		{"readonly", `{
 "Version": "2012-10-17",
 "Statement": [
  {"Effect": "Allow", "Action": ["s3:GetBucketLocation", "s3:GetObject"], "Resource": ["arn:aws:s3:::*"]}
 ]
}`},
		{"readwrite", `{
 "Version": "2012-10-17",
 "Statement": [
  {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}
 ]
}`},
		{"writeonly", `{
 "Version": "2012-10-17",
 "Statement": [
  {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": ["arn:aws:s3:::*"]}
 ]
}`},
	}
}
