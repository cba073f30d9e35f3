package loadgen

import "slices"

// encryptionPhases are the names of the phases that measure what encryption costs.
var encryptionPhases = []string{"PUT 4 KiB", "GET 4 KiB", "PUT 16 MiB", "GET 16 MiB"}

// EncryptionPhases returns the phases that tell what encryption costs, small objects and large ones.
func EncryptionPhases() []Phase {
	return slices.DeleteFunc(Phases(), func(p Phase) bool { return !slices.Contains(encryptionPhases, p.Name) })
}

// Encrypted returns t as a second target, called SSE-S3, whose bucket encrypts by default with keys
// of the server (PutBucketEncryption, AES256).
func (t *Target) Encrypted() *Target {
	e := *t
	e.Name = "SSE-S3"
	e.Settings = map[string]string{
		"encryption": `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`,
	}
	return &e
}

// Share returns the throughput of the target with as a share of that of the target without in a
// phase, both medians; ok is false when one of them was not measured.
func (r *Report) Share(phase, with, without string) (share float64, ok bool) {
	a, okA := r.Median(phase, with)
	b, okB := r.Median(phase, without)
	if !okA || !okB || b.PerSecond == 0 {
		return 0, false
	}
	return a.PerSecond / b.PerSecond, true
}
