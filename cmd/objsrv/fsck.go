package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam/adminapi"
	iamstore "github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/bolt"
	"github.com/objsrv/objsrv/internal/httpd"
	"github.com/objsrv/objsrv/internal/reqlog"
	"github.com/objsrv/objsrv/storage/fs"
)

// fsckPath is where a running server takes the order to check its store.
const fsckPath = adminapi.Prefix + "fsck"

// actionFsck is what its sender must be allowed: it tells keys of all buckets.
const actionFsck = "admin:Heal"

// finding is one line of a check, as a server sends it and --json prints it: a problem,
// and at the end the summary or why the check stopped.
type finding struct {
	Problem *problem `json:"problem,omitempty"`
	Summary *summary `json:"summary,omitempty"`
	Rebuilt *rebuilt `json:"rebuilt,omitempty"` // by --rebuild-index, instead of a summary
	Error   string   `json:"error,omitempty"`
}

// problem is one thing that is wrong.
type problem struct {
	Kind    string `json:"kind"`
	Bucket  string `json:"bucket,omitempty"`
	Key     string `json:"key,omitempty"`
	Version string `json:"version,omitempty"`
	Upload  string `json:"upload,omitempty"`
	Part    int    `json:"part,omitempty"`
	File    string `json:"file,omitempty"`
	Detail  string `json:"detail"`
}

// summary counts what has been looked at.
type summary struct {
	Buckets    int64 `json:"buckets"`
	Objects    int64 `json:"objects"`
	Versions   int64 `json:"versions"`
	Markers    int64 `json:"deleteMarkers"`
	Uploads    int64 `json:"uploads"`
	Parts      int64 `json:"parts"`
	Blobs      int64 `json:"blobFiles"`
	Bytes      int64 `json:"bytes"`
	Identities int64 `json:"identityRecords"`
	Problems   int64 `json:"problems"`
}

func (s *summary) add(c fs.CheckStats) {
	s.Buckets, s.Objects, s.Versions, s.Markers = c.Buckets, c.Objects, c.Versions, c.Markers
	s.Uploads, s.Parts, s.Blobs, s.Bytes = c.Uploads, c.Parts, c.Blobs, c.Bytes
	s.Problems += c.Problems
}

// rebuilt counts what --rebuild-index has done.
type rebuilt struct {
	Blobs    int64 `json:"blobFiles"`
	Buckets  int64 `json:"buckets"`
	Versions int64 `json:"versions"`
	Damaged  int64 `json:"damaged"`
	Left     int64 `json:"left"` // files that belong to nothing restored
}

// checkIdentities looks at every record of the identity store.
func (s *summary) checkIdentities(ctx context.Context, st iamstore.Store, report func(finding)) error {
	list, err := st.List(ctx, "")
	damaged, ok := iamstore.Damage(err)
	if err != nil && !ok {
		return fmt.Errorf("read identity store: %w", err)
	}
	s.Identities += int64(len(list.Records) + len(damaged))
	for _, d := range damaged {
		s.Problems++
		report(finding{Problem: &problem{Kind: "identity", File: iamFile, Detail: d.Error()}})
	}
	return nil
}

// reporter turns problems of the store into findings.
func reporter(report func(finding)) func(fs.Problem) {
	return func(p fs.Problem) {
		q := problem(p)
		report(finding{Problem: &q})
	}
}

// fsckFlags are the flags of the command.
type fsckFlags struct {
	rebuild, json bool
	admin         adminFlags
}

func newFsckCommand(env environ) *cobra.Command {
	f := &fsckFlags{}
	cmd := &cobra.Command{
		Use:   "fsck DIR",
		Short: "Verify every checksum and reference of a data directory",
		Long: `Verify every checksum and every reference of a data directory, and name what is wrong.
Nothing is changed. When a server is running on DIR, the check runs in that server, which
goes on serving; this needs its credentials: OBJSRV_ROOT_USER and OBJSRV_ROOT_PASSWORD, or
OBJSRV_ACCESS_KEY and OBJSRV_SECRET_KEY of a user that may do ` + actionFsck + `, or else those that
the first start stored in DIR.

Exit code 0: nothing is wrong; 1: something is, or the check could not be done.

--rebuild-index makes a new index from the blob files, while no server runs, and keeps the
old one beside it: for when the index is lost and there is no backup. What only the
index knew stays lost: small objects, delete markers, tags set later, open uploads,
and the settings of buckets, policies among them.`,
		Args: argCount(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := fsckDir(env, args)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			if f.rebuild {
				return f.rebuildIndex(ctx, cmd, dir)
			}
			return f.run(ctx, cmd, env, dir)
		},
	}
	cmd.Flags().BoolVar(&f.rebuild, "rebuild-index", false, "make a new index from the blob files")
	cmd.Flags().BoolVar(&f.json, "json", false, "print a JSON object for each problem, and one with the counts at the end")
	cmd.Flags().StringVar(&f.admin.endpoint, "endpoint", "", "`URL` of the server that runs on DIR (default: this machine, OBJSRV_ADDRESS)")
	cmd.Flags().StringVar(&f.admin.caFile, "ca-file", "", "PEM `file` of certificates to trust, beside the system's [OBJSRV_CA_FILE]")
	return cmd
}

func fsckDir(env environ, args []string) (string, error) {
	c := &Config{}
	if len(args) == 1 {
		return args[0], c.setDir(args[0])
	}
	for _, s := range settings() {
		if s.name == "VOLUMES" {
			v, _, err := s.lookup(env, map[string]bool{})
			if err != nil || v == "" {
				return "", errors.Join(err, usagef("no directory: `objsrv fsck DIR`, or OBJSRV_VOLUMES=DIR"))
			}
			return v, setDir(c, v)
		}
	}
	return "", nil
}

// run checks the directory itself, or asks the server that holds it to.
func (f *fsckFlags) run(ctx context.Context, cmd *cobra.Command, env environ, dir string) error {
	out := &fsckOutput{w: bufio.NewWriter(cmd.OutOrStdout()), json: f.json}
	err := checkOffline(ctx, dir, out.show)
	if errors.Is(err, fs.ErrInUse) {
		err = f.checkOnline(ctx, cmd, env, dir, out.show)
	}
	return out.end(err)
}

// rebuildIndex makes a new index and says what it holds. What could not be restored is a
// failure, after everything else has been.
func (f *fsckFlags) rebuildIndex(ctx context.Context, cmd *cobra.Command, dir string) error {
	out := &fsckOutput{w: bufio.NewWriter(cmd.OutOrStdout()), json: f.json}
	st, err := fs.RebuildIndex(ctx, fs.Options{Dir: dir, Known: programFiles}, reporter(out.show), nil)
	if errors.Is(err, fs.ErrInUse) {
		return fmt.Errorf("%s is in use by a server: stop it before its index is made anew", dir)
	}
	if err != nil {
		return err
	}
	done := rebuilt(st)
	out.show(finding{Rebuilt: &done})
	if done.Damaged > 0 {
		return quietError{}
	}
	return nil
}

func checkOffline(ctx context.Context, dir string, report func(finding)) error {
	sum := &summary{}
	stats, err := fs.Check(ctx, fs.Options{Dir: dir, Known: programFiles}, reporter(report))
	if err != nil {
		return err
	}
	sum.add(stats)
	name := filepath.Join(dir, iamFile)
	if _, err := os.Stat(name); err == nil {
		db, err := bolt.Open(name)
		if err != nil {
			sum.Problems++
			report(finding{Problem: &problem{Kind: "identity", File: iamFile, Detail: err.Error()}})
		} else {
			err = sum.checkIdentities(ctx, db, report)
			if err = errors.Join(err, db.Close()); err != nil {
				return err
			}
		}
	}
	report(finding{Summary: sum})
	return nil
}

// checkOnline has the server check, and passes its findings on.
func (f *fsckFlags) checkOnline(ctx context.Context, cmd *cobra.Command, env environ, dir string, report func(finding)) error {
	f.admin.fillFromDir(env, dir)
	if f.admin.endpoint == "" {
		u, err := localURL(env)
		if err != nil {
			return err
		}
		f.admin.endpoint = u
	}
	signer, err := f.admin.signer(cmd)
	if err != nil {
		return err
	}
	base, err := f.admin.base()
	if err != nil {
		return err
	}
	client, err := f.admin.client()
	if err != nil {
		return err
	}
	client.Timeout = 0 // a check takes as long as the disk does
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+fsckPath, nil)
	if err != nil {
		return usagef("endpoint: %v", err)
	}
	signer.SignHeader(r, "", time.Now())
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("%s is in use, and its server is not at %s: %w", dir, base, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 1024))
		return fmt.Errorf("%s is in use, and the server at %s answers %s: %s", dir, base, resp.Status, printable(string(b)))
	}
	dec := json.NewDecoder(resp.Body)
	for {
		var line finding
		if err := dec.Decode(&line); err != nil {
			return fmt.Errorf("the server's report was cut off: %w", err)
		}
		if line.Error != "" {
			return fmt.Errorf("the server's check stopped: %s", printable(line.Error))
		}
		report(line)
		if line.Summary != nil {
			return nil
		}
	}
}

// fillFromDir takes root's credentials from the data directory when the environment has
// none: who can read them there may do anything with it. A password without a user is the
// default user's, as it is for the server.
func (f *adminFlags) fillFromDir(env environ, dir string) {
	for _, prefix := range []string{"OBJSRV_", "MINIO_"} {
		if password := env[prefix+"ROOT_PASSWORD"]; password != "" {
			if env[prefix+"ROOT_USER"] == "" {
				f.accessKey, f.secretKey = defaultRootUser, password
			}
			return
		}
	}
	if env["OBJSRV_ACCESS_KEY"] != "" || env["AWS_ACCESS_KEY_ID"] != "" {
		return
	}
	b, err := os.ReadFile(filepath.Join(dir, rootFile))
	var stored rootCredentials
	if err == nil && json.Unmarshal(b, &stored) == nil {
		f.accessKey, f.secretKey = stored.User, stored.Password
	}
}

// fsckOutput prints findings.
type fsckOutput struct {
	w    *bufio.Writer
	json bool
	sum  *summary
}

func (o *fsckOutput) show(f finding) {
	if f.Summary != nil {
		o.sum = f.Summary
	}
	switch {
	case o.json:
		json.NewEncoder(o.w).Encode(f)
	case f.Problem != nil:
		fmt.Fprintln(o.w, fs.Problem(*f.Problem).String())
	case f.Summary != nil:
		s := f.Summary
		fmt.Fprintf(o.w, "checked: %d buckets, %d objects, %d versions, %d delete markers, %d uploads with %d parts, %d blob files, %d bytes, %d identity records\n",
			s.Buckets, s.Objects, s.Versions, s.Markers, s.Uploads, s.Parts, s.Blobs, s.Bytes, s.Identities)
		fmt.Fprintf(o.w, "problems: %d\n", s.Problems)
	case f.Rebuilt != nil:
		r := f.Rebuilt
		fmt.Fprintf(o.w, "rebuilt: %d buckets, %d versions from %d blob files; %d damaged, %d files belong to nothing restored\n",
			r.Buckets, r.Versions, r.Blobs, r.Damaged, r.Left)
	}
	o.w.Flush()
}

// end returns the command's result.
func (o *fsckOutput) end(err error) error {
	if err != nil {
		return err
	}
	if o.sum == nil || o.sum.Problems > 0 {
		return quietError{}
	}
	return nil
}

// serveFsck checks the store of the running server and answers one line of JSON for
// each finding. One check runs at a time.
func (s *services) serveFsck(w http.ResponseWriter, r *http.Request) {
	e := reqlog.From(r.Context())
	e.Op = "Fsck"
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		httpd.Text(w, http.StatusMethodNotAllowed, "method not allowed")
		return
	}
	if !s.admit(w, r, actionFsck) {
		return
	}
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 1024)); err != nil {
		httpd.Text(w, http.StatusBadRequest, "the request has a body that is too large, or not the one that was signed")
		return
	}
	if s.disk == nil {
		httpd.Text(w, http.StatusNotImplemented, "a gateway keeps no data of its own: check the server behind it")
		return
	}
	if !s.checking.TryLock() {
		httpd.Text(w, http.StatusConflict, "a check is running already")
		return
	}
	defer s.checking.Unlock()
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	send := func(f finding) {
		if json.NewEncoder(w).Encode(f) == nil {
			http.NewResponseController(w).Flush() // an error shows at the next write
		}
	}
	sum := &summary{}
	stats, err := s.disk.Check(r.Context(), reporter(send))
	sum.add(stats)
	if err == nil {
		err = sum.checkIdentities(r.Context(), s.iamDB, send)
	}
	if err != nil {
		e.Err = fmt.Errorf("check: %w", err)
		send(finding{Error: err.Error()})
		return
	}
	send(finding{Summary: sum})
}
