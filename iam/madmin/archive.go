package madmin

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/iamzip"
)

// exportIAM answers with the archive of all identities. It is complete before anything is sent.
func (c *call) exportIAM() error {
	var out bytes.Buffer
	ex := iamzip.Exporter{IAM: c.handler.IAM, By: c.id}
	if err := ex.Export(&out, time.Now()); err != nil {
		if errors.Is(err, iamzip.ErrRestricted) {
			return c.refuse("admin:ExportIAM", iam.Decision{Statement: err.Error()})
		}
		return err
	}
	return c.send(http.StatusOK, "application/zip", out.Bytes())
}

// importIAMv2 brings in an archive and answers with the report.
func (c *call) importIAMv2() error {
	report, err := c.bringIn()
	if err != nil {
		return err
	}
	return c.reply(report)
}

// importIAM brings in an archive for clients that know no report. What has failed is an error,
// though the rest has been brought in.
func (c *call) importIAM() error {
	report, err := c.bringIn()
	if err != nil {
		return err
	}
	if n := report.Failed.Len(); n > 0 {
		return invalid(fmt.Sprintf("%d entries were not imported, the others were; import-iam-v2 tells which.", n))
	}
	return c.replyEmpty(http.StatusOK)
}

func (c *call) bringIn() (*iamzip.Report, error) {
	im := iamzip.Importer{IAM: c.handler.IAM, By: c.id}
	report, err := im.Apply(c.ctx, c.body)
	switch {
	case errors.Is(err, iamzip.ErrArchive):
		return nil, invalid("The " + err.Error() + ".")
	case errors.Is(err, iamzip.ErrRestricted):
		return nil, c.refuse("admin:ImportIAM", iam.Decision{Statement: err.Error()})
	}
	return report, err
}
