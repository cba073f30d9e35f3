package main

import (
	"net/http"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/internal/httpd"
	"github.com/spf13/cobra"
)

// fsckPath is where a running server takes the order to check its store.
const fsckPath = adminapi.Prefix + "fsck"

func newFsckCommand(env environ) *cobra.Command { return &cobra.Command{Use: "fsck DIR"} }

func (s *services) serveFsck(w http.ResponseWriter, r *http.Request) {
	httpd.Text(w, 501, "no")
}
