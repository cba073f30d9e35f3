package madmin

// serviceResult is the answer to a ServiceRestart or ServiceStop.
type serviceResult struct {
	Action  string       `json:"action"`
	DryRun  bool         `json:"dryRun"`
	Results []peerResult `json:"results"`
}

type peerResult struct {
	Host string `json:"host"`
}

func (c *call) restartService() error { return c.endService("restart", true) }
func (c *call) stopService() error    { return c.endService("stop", false) }

// endService answers, and then ends the server: the answer is one of those that the drain waits for.
func (c *call) endService(action string, restart bool) error {
	dry, err := c.flag("dry-run")
	if err != nil {
		return err
	}
	if _, err := c.flag("by-node"); err != nil { // there is one node
		return err
	}
	switch c.param("type") {
	case "", "2":
	default:
		return invalid("The parameter type is 2.")
	}
	s, err := c.Host.Server(c.ctx)
	if err != nil {
		return err
	}
	if err := c.reply(serviceResult{Action: action, DryRun: dry, Results: []peerResult{{s.Node}}}); err != nil || dry {
		return err
	}
	c.Host.End(restart)
	return nil
}
