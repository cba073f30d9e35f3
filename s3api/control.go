package s3api

import (
	"net/http"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/s3api/s3xml"
)

// S3 Control (API reference, "Actions: Amazon S3 Control") is a second API on the same addresses: its paths begin with a
// version, and each request names an account in a header, which no operation of S3 has. Only both together make a request
// S3 Control's: "/v20180820/..." without the header is a key in a bucket of that name. As every x-amz-*
// header it must be signed. SDKs put the account in front of the host's name as well, which means nothing here.
const (
	accountHeader = "X-Amz-Account-Id"
	controlPrefix = "/v20180820/"
	controlPath   = controlPrefix + "configuration/publicAccessBlock"
)

// controlTarget is what a request of S3 Control is about.
func controlTarget(path string) target {
	if path == controlPath {
		return target{level: accountLevel}
	}
	return target{level: controlLevel}
}

// account returns the account that the request names.
func (c *call) account() (string, error) {
	account := c.r.Header.Get(accountHeader)
	if iam.CheckAccount(account) != nil {
		return "", errorf("InvalidRequest", "x-amz-account-id must be an AWS account ID of 12 digits.")
	}
	return account, nil
}

func getAccountPublicAccessBlock(c *call) error {
	account, err := c.account()
	if err != nil {
		return err
	}
	p, ok := c.s.IAM.PublicAccess(account)
	if !ok {
		return errorf("NoSuchPublicAccessBlockConfiguration", "%s", notConfiguredText["NoSuchPublicAccessBlockConfiguration"]).with("AccountId", account)
	}
	block := publicAccessBlock{BlockPublicAcls: p.BlockPublicAcls, IgnorePublicAcls: p.IgnorePublicAcls,
		BlockPublicPolicy: p.BlockPublicPolicy, RestrictPublicBuckets: p.RestrictPublicBuckets}
	var doc s3xml.Writer
	doc.StartIn("PublicAccessBlockConfiguration", s3xml.ControlNamespace)
	block.write(&doc)
	return c.replyXML(http.StatusOK, doc.End("PublicAccessBlockConfiguration"))
}

func putAccountPublicAccessBlock(c *call) error {
	account, err := c.account()
	if err != nil {
		return err
	}
	var p publicAccessBlock
	if err := c.readXML(maxXML, false, &p); err != nil {
		return err
	}
	err = c.s.IAM.SetPublicAccess(c.ctx, account, &iam.PublicAccess{BlockPublicAcls: p.BlockPublicAcls, IgnorePublicAcls: p.IgnorePublicAcls,
		BlockPublicPolicy: p.BlockPublicPolicy, RestrictPublicBuckets: p.RestrictPublicBuckets})
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK)
}

func deleteAccountPublicAccessBlock(c *call) error {
	account, err := c.account()
	if err != nil {
		return err
	}
	if err := c.s.IAM.SetPublicAccess(c.ctx, account, nil); err != nil {
		return err
	}
	return c.reply(http.StatusNoContent)
}
