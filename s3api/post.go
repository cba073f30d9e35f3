package s3api

func postObject(c *call) error { return errorf("NotImplemented", "PostObject") }
