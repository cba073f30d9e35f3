package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/storage/migrate"
)

// migrationFace is the migration as administrators see it; nil without one.
func (s *services) migrationFace() adminapi.Migration {
	if s.moving == nil {
		return nil
	}
	return migrationFace{s.moving}
}

type migrationFace struct{ s *migrate.Store }

// Verify implements adminapi.Migration.
func (m migrationFace) Verify() error {
	err := m.s.Verify()
	if errors.Is(err, migrate.ErrRunning) {
		return &adminapi.Refusal{Status: http.StatusConflict, Code: "OperationAborted", Message: "A comparison is running already."}
	}
	return err
}

// Status implements adminapi.Migration.
func (m migrationFace) Status() adminapi.MigrationStatus {
	st := m.s.Status()
	out := adminapi.MigrationStatus{
		Source: st.Source, State: "copying", Begun: st.Begun, Waiting: st.Waiting,
		Done: adminapi.MigrationAmount(st.Done), Copied: adminapi.MigrationAmount(st.Copied), Total: adminapi.MigrationAmount(st.Total), Counted: st.Counted,
		VersionsPerSecond: st.Versions, BytesPerSecond: st.Bytes, SecondsLeft: int64(st.Left / time.Second),
		Buckets: []adminapi.MigrationBucket{}, Failures: []adminapi.MigrationFailure{}, Failed: st.FailureCount,
	}
	switch {
	case !st.Complete.IsZero():
		out.State, out.Complete = "complete", &st.Complete
	case !st.Copying:
		out.State = "incomplete"
	case st.Waiting != "":
		out.State = "waiting"
	}
	for _, b := range st.Buckets {
		out.Buckets = append(out.Buckets, adminapi.MigrationBucket{
			Name: b.Name, State: b.State, Done: adminapi.MigrationAmount(b.Done), Total: adminapi.MigrationAmount(b.Total), Counted: b.Counted,
			Failed: b.Failed, NotCarried: b.NotCarried, Unproven: b.Unproven, Whole: b.Whole, InTheClear: b.InTheClear,
		})
	}
	for _, f := range st.Failures {
		out.Failures = append(out.Failures, adminapi.MigrationFailure(f))
	}
	if v := st.Verification; !v.Begun.IsZero() {
		out.Verify = &adminapi.MigrationVerify{
			Running: v.Running, Begun: v.Begun, Compared: v.Compared, Same: v.Same, Changed: v.Changed, NotYet: v.NotYet,
			Different: v.Different, Problems: append([]string{}, v.Problems...), Incomplete: v.Incomplete,
		}
		if !v.Ended.IsZero() {
			out.Verify.Ended = &v.Ended
		}
	}
	return out
}
