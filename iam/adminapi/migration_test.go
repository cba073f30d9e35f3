package adminapi

// testMigration is a migration in the middle.
type testMigration struct{}

func (testMigration) Status() MigrationStatus {
	return MigrationStatus{Source: "http://old", State: "copying", Buckets: []MigrationBucket{}, Failures: []MigrationFailure{}}
}

func (testMigration) Verify() error { return nil }
