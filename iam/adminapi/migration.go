package adminapi

import (
	"net/http"
	"time"
)

// Migration is a move from another store that is under way. Errors are a *Refusal where the client is to know why.
type Migration interface {
	// Status says how far it is.
	Status() MigrationStatus
	// Verify compares both sides in the background; Status has what it finds.
	Verify() error
}

// MigrationStatus is the answer to GET migration.
type MigrationStatus struct {
	Source   string     `json:"source"`
	State    string     `json:"state"` // copying, waiting, incomplete, complete
	Begun    time.Time  `json:"begun"`
	Complete *time.Time `json:"complete,omitempty"`
	Waiting  string     `json:"waiting,omitempty"` // what for, in the words of the last error

	Done    MigrationAmount `json:"done"`
	Copied  MigrationAmount `json:"copied"` // of it by the copier
	Total   MigrationAmount `json:"total"`
	Counted bool            `json:"counted"` // total is known

	VersionsPerSecond float64 `json:"versionsPerSecond"`
	BytesPerSecond    float64 `json:"bytesPerSecond"`
	SecondsLeft       int64   `json:"secondsLeft,omitempty"` // 0 when that is not known

	Buckets  []MigrationBucket  `json:"buckets"`
	Failures []MigrationFailure `json:"failures"` // the first 1000
	Failed   int                `json:"failed"`   // how many there are
	Verify   *MigrationVerify   `json:"verify,omitempty"`
}

// MigrationAmount counts versions, delete markers among them, and their bytes.
type MigrationAmount struct {
	Versions int64 `json:"versions"`
	Bytes    int64 `json:"bytes"`
}

// MigrationBucket is how far a bucket is.
type MigrationBucket struct {
	Name       string          `json:"name"`
	State      string          `json:"state"` // settings, copying, done, foreign, gone
	Done       MigrationAmount `json:"done"`
	Total      MigrationAmount `json:"total"`
	Counted    bool            `json:"counted"`
	Failed     int             `json:"failed"`
	NotCarried []string        `json:"notCarried,omitempty"`
	Unproven   int64           `json:"unproven,omitempty"`   // contents that could not be compared with their ETags
	Whole      int64           `json:"whole,omitempty"`      // multipart objects without their parts
	InTheClear int64           `json:"inTheClear,omitempty"` // contents that are encrypted there and not here
}

// MigrationFailure is a key that could not be copied.
type MigrationFailure struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	Reason string `json:"reason"`
}

// MigrationVerify is the last comparison of both sides.
type MigrationVerify struct {
	Running    bool       `json:"running"`
	Begun      time.Time  `json:"begun"`
	Ended      *time.Time `json:"ended,omitempty"`
	Compared   int64      `json:"compared"`
	Same       int64      `json:"same"`
	Changed    int64      `json:"changed"` // by requests here
	NotYet     int64      `json:"notYet"`
	Different  int64      `json:"different"`
	Problems   []string   `json:"problems"` // the first 1000
	Incomplete string     `json:"incomplete,omitempty"`
}

var errNoMigration = &Refusal{Status: http.StatusNotFound, Code: "NoSuchMigration", Message: "The server was started without --migrate-from."}

func (c *call) migration() (Migration, error) {
	if c.config.Migration == nil {
		return nil, errNoMigration
	}
	return c.config.Migration, nil
}

func (c *call) migrationStatus() error {
	m, err := c.migration()
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, m.Status())
}

func (c *call) verifyMigration() error {
	if err := c.noBody(); err != nil {
		return err
	}
	m, err := c.migration()
	if err != nil {
		return err
	}
	if err := m.Verify(); err != nil {
		return err
	}
	return c.reply(http.StatusAccepted, m.Status())
}
