package adminapi

import (
	"errors"
	"net/http"

	"github.com/objsrv/objsrv/iam/iamzip"
)

// Import is the answer to POST import-minio-iam, whose body is the archive that `mc admin cluster
// iam export` writes: what was brought in, or, with ?dry-run=true, would be.
type Import struct {
	DryRun bool          `json:"dryRun"`
	Report iamzip.Report `json:"report"`
}

func (c *call) importIAM() error {
	dry := c.query.Get("dry-run")
	if c.query.Has("dry-run") && dry != "true" && dry != "false" {
		return badArgument("The parameter dry-run is true or false.")
	}
	im := iamzip.Importer{IAM: c.config.Service, By: c.id}
	out := Import{DryRun: dry == "true"}
	var report *iamzip.Report
	var err error
	if out.DryRun {
		report, err = im.Plan(c.body)
	} else {
		report, err = im.Apply(c.r.Context(), c.body)
	}
	switch {
	case errors.Is(err, iamzip.ErrRestricted):
		return c.refuse(ActionImportIAM, err.Error())
	case errors.Is(err, iamzip.ErrArchive):
		return &Refusal{Status: http.StatusBadRequest, Code: "MalformedArchive", Message: err.Error()}
	case err != nil:
		return err
	}
	out.Report = *report
	return c.reply(http.StatusOK, out)
}
