package sts

import (
	"context"
	"errors"
)

// Directory proves who somebody is by a name and a password.
type Directory interface {
	// Login returns the entry of the person. Errors: ErrWrongLogin, which takes the same time whatever
	// was wrong; ErrTooManyGroups; others say that the directory can't be asked.
	Login(ctx context.Context, name, password string) (*DirectoryEntry, error)
	// Review asks for people that were there once: their DN, and Name unless it is "". It tells each
	// of the place in the list and of what the person is now, nil for somebody who has gone; what
	// each returns ends it. An error says that the directory can't be asked, or gives no answer that
	// can be relied on.
	Review(ctx context.Context, people []DirectoryEntry, each func(i int, now *DirectoryEntry) error) error
}

// DirectoryEntry is a person as the directory knows it.
type DirectoryEntry struct {
	DN         string              // of the entry
	Name       string              // with which the person has logged in
	Groups     []string            // distinguished names
	Attributes map[string][]string // those that are set for policies, by their names
}

// Errors of Directory.
var (
	ErrWrongLogin    = errors.New("user name or password wrong")
	ErrTooManyGroups = errors.New("too many groups")
)
