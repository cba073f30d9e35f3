package madmin

import (
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/objsrv/objsrv/internal/live"
)

// logEntry is one line of the server's log.
type logEntry struct {
	DeploymentID string    `json:"deploymentid"`
	Level        string    `json:"level"`
	Kind         string    `json:"errKind"`
	Time         string    `json:"time"`
	API          *logAPI   `json:"api,omitempty"`
	RemoteHost   string    `json:"remotehost,omitempty"`
	RequestID    string    `json:"requestID,omitempty"`
	Message      string    `json:"message,omitempty"`
	Error        *logError `json:"error,omitempty"`
	NodeName     string    `json:"node"`
}

type logAPI struct {
	Name string `json:"name,omitempty"`
	Args struct {
		Bucket string `json:"bucket,omitempty"`
		Object string `json:"object,omitempty"`
	} `json:"args"`
}

type logError struct {
	Message   string            `json:"message,omitempty"`
	Variables map[string]string `json:"variables,omitempty"`
}

// logLevel is the name of a level in MinIO's logs.
func logLevel(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "ERROR"
	case l >= slog.LevelWarn:
		return "WARNING"
	}
	return "INFO"
}

// logFilter reads logType: one of MinIO's kinds, or a word for all of them.
func logFilter(kind string) (func(*live.Line) bool, error) {
	switch kind = strings.ToUpper(kind); kind {
	case "", "ALL", "MINIO", "APPLICATION":
		return nil, nil
	case "FATAL", "ERROR", "WARNING", "EVENT", "INFO": // of the first and the fourth there are none
		return func(l *live.Line) bool { return logLevel(l.Level) == kind }, nil
	}
	return nil, invalid("The parameter logType is all, minio, application, fatal, error, warning, event or info.")
}

func (c *call) consoleLog() error {
	keep, err := logFilter(c.param("logType"))
	if err != nil {
		return err
	}
	limit := 0
	if v := c.param("limit"); v != "" {
		if limit, err = strconv.Atoi(v); err != nil || limit < 0 {
			return invalid("The parameter limit is a number of lines; 0 is all that are kept.")
		}
	}
	s, err := c.Host.Server(c.ctx)
	if err != nil {
		return err
	}
	if node := c.param("node"); node != "" && !strings.EqualFold(node, s.Node) {
		return invalid("There is no node " + quote(node) + "; this server is " + s.Node + ".")
	}
	last, w, err := c.Host.Log().Watch(c.id.ID, limit, keep)
	if err != nil {
		return watchError(err)
	}
	return stream(c, "admin:ConsoleLog", last, w, func(l *live.Line) any { return newLogEntry(l, &s) })
}

func newLogEntry(l *live.Line, s *Server) logEntry {
	e := logEntry{DeploymentID: s.Deployment, NodeName: s.Node, Level: logLevel(l.Level), Time: l.Time.UTC().Format(time.RFC3339Nano), Message: l.Message}
	e.Kind = e.Level
	api := func() *logAPI {
		if e.API == nil {
			e.API = &logAPI{}
		}
		return e.API
	}
	cause := func() *logError {
		if e.Error == nil {
			e.Error = &logError{Variables: map[string]string{}}
		}
		return e.Error
	}
	for _, a := range l.Attrs {
		switch a.Name {
		case "request":
			e.RequestID = a.Value
		case "remote":
			e.RemoteHost = a.Value
		case "op":
			api().Name = a.Value
		case "bucket":
			api().Args.Bucket = a.Value
		case "key":
			api().Args.Object = a.Value
		case "error":
			cause().Message = a.Value
		default:
			cause().Variables[a.Name] = a.Value
		}
	}
	return e
}
