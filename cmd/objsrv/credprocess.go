package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/objsrv/objsrv/internal/stsclient"
)

// cacheMargin is how long before their end kept credentials are not used any more.
const cacheMargin = time.Minute

// newCredentialProcessCommand returns the login commands as credential_process of the AWS SDKs
// wants them (AWS SDKs and Tools Reference Guide, "Process credential provider").
func newCredentialProcessCommand() *cobra.Command {
	cmd := group("credential-process", "Log in for the AWS command line and SDKs, by credential_process in their profile")
	cmd.Long = `Log in for the AWS command line and the AWS SDKs. A profile in ~/.aws/config names the command:

  [profile work]
  credential_process = objsrv credential-process ldap --user alice --sts-ep https://s3.example.com
  endpoint_url = https://s3.example.com

Credentials are kept below the user's cache directory, readable by that user alone, until a
minute before they expire. Where somebody has to log in or to type a password and there is no
terminal, the command fails: run it in a terminal first.`
	for _, k := range loginKinds() {
		cmd.AddCommand(newProcessLogin(k))
	}
	return cmd
}

func newProcessLogin(k loginKind) *cobra.Command {
	var renew bool
	example := strings.ReplaceAll(k.example, "objsrv "+k.use, "objsrv credential-process "+k.use)
	cmd := k.command(example, func(l login, r *loginRun) error { return credentialProcess(l, r, renew) })
	cmd.Flags().BoolVar(&renew, "renew", false, "do not use credentials that were kept")
	return cmd
}

// processCredentials is what SDKs read.
type processCredentials struct {
	Version         int
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

// credentialProcess prints credentials that were kept, or logs in and keeps what comes.
func credentialProcess(l login, r *loginRun, renew bool) error {
	r.process = true
	r.page = func(context.Context, *stsclient.Credentials) (string, []byte) {
		return "text/plain; charset=utf-8", []byte("You are logged in. You may close this page.\n")
	}
	file, err := cacheFile(l, r)
	if err != nil {
		return err
	}
	doc := []byte(nil)
	if !renew {
		doc = readCache(file, time.Now())
	}
	if doc == nil {
		cred, err := l.assume(r.cmd.Context(), r)
		if err != nil {
			return err
		}
		if doc, err = json.Marshal(processCredentials{1, cred.AccessKeyID, cred.SecretAccessKey, cred.SessionToken, cred.Expiration}); err != nil {
			return err
		}
		doc = append(doc, '\n')
		if err := writeCache(file, doc); err != nil {
			fmt.Fprintf(r.cmd.ErrOrStderr(), "objsrv: the credentials are not kept: %v\n", err)
		}
	}
	_, err = r.cmd.OutOrStdout().Write(doc)
	return err
}

// cacheFile is the place of the credentials that a command line stands for, "" without a cache
// directory. Secrets have no part in it, so that nobody can guess them from its name.
func cacheFile(l login, r *loginRun) (string, error) {
	identity, err := l.identity(r)
	if err != nil {
		return "", err
	}
	parts := append([]string{r.cmd.Name(), r.client.Endpoint, r.client.Region}, identity...)
	if r.policyFile != "" {
		doc, err := os.ReadFile(r.policyFile)
		if err != nil {
			return "", usagef("--policy-file: %v", err)
		}
		parts = append(parts, string(doc))
	}
	r.cmd.Flags().VisitAll(func(f *pflag.Flag) {
		value := f.Value.String()
		switch f.Name {
		case "csec", "secret-key", "renew", "open":
			return
		case "cert", "key":
			value = absolute(value)
		}
		if strings.HasSuffix(f.Name, "-file") {
			value = absolute(value)
		}
		parts = append(parts, f.Name, value)
	})
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", nil
	}
	name, err := json.Marshal(parts)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(name)
	return filepath.Join(dir, "objsrv", "credentials", hex.EncodeToString(sum[:16])+".json"), nil
}

// absolute makes a file's name mean the same in every directory.
func absolute(file string) string {
	if abs, err := filepath.Abs(file); err == nil && file != "" {
		return abs
	}
	return file
}

// readCache returns kept credentials, nil when there are none that may be used: others may have
// read, or written, a file that is open to them. Windows has no such bits.
func readCache(file string, now time.Time) []byte {
	info, err := os.Lstat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSecret || info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return nil
	}
	doc, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var c processCredentials
	if json.Unmarshal(doc, &c) != nil || c.Version != 1 || c.AccessKeyID == "" || c.SecretAccessKey == "" || c.Expiration.Sub(now) <= cacheMargin {
		return nil
	}
	return doc
}

// writeCache replaces kept credentials as a whole: several SDKs may ask at the same time.
func writeCache(file string, doc []byte) (err error) {
	if file == "" {
		return errors.New("this user has no cache directory: HOME is not set")
	}
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "new-*"+tempSuffix) // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(doc)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
