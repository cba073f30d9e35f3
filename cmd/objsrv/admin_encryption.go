package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam/adminapi"
)

func newAdminEncryptionCommand(f *adminFlags) *cobra.Command {
	return group("encryption", "Manage the keys of server-side encryption",
		group("key", "Manage keys", newEncryptionKeyListCommand(f), newEncryptionKeyAddCommand(f), newEncryptionKeyRotateCommand(f)),
		newResealCommand(f))
}

func newEncryptionKeyListCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the keys",
		Long:    "List the keys of server-side encryption, never what they are. Needs kms:ListKeys.",
		Example: "  objsrv admin encryption key list",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var out adminapi.EncryptionKeys
			return f.show(cmd, "GET", "encryption-keys", nil, &out, func(w io.Writer) {
				fmt.Fprintln(w, "NAME\tDEFAULT\tVERSIONS\tCREATED\tROTATED")
				for _, k := range out.Keys {
					created, rotated := "by a setting", "-"
					if k.Created != nil {
						created = moment(*k.Created)
					}
					if k.Rotated != nil && k.Versions > 1 {
						rotated = moment(*k.Rotated)
					}
					fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", printable(k.Name), yes(k.Default), k.Versions, created, rotated)
				}
			})
		},
	}
}

func newEncryptionKeyAddCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "add NAME",
		Short:   "Make a key",
		Long:    "Make a key for SSE-KMS. Needs kms:CreateKey.",
		Example: "  objsrv admin encryption key add team-a",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.show(cmd, "PUT", "encryption-keys/"+url.PathEscape(args[0]), nil, nil, func(w io.Writer) {
				fmt.Fprintf(w, "Made the key %s.\n", printable(args[0]))
			})
		},
	}
}

func newEncryptionKeyRotateCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "rotate NAME",
		Short:   "Give a key a new version",
		Long:    `Give a key a new version, which is used from now on. What older versions have sealed stays readable; ` + "`objsrv admin\nencryption reseal`" + ` seals it anew. Needs kms:KeyRotate.`,
		Example: "  objsrv admin encryption key rotate objsrv-default",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.show(cmd, "POST", "encryption-keys/"+url.PathEscape(args[0])+"/rotate", nil, nil, func(w io.Writer) {
				fmt.Fprintf(w, "The key %s has a new version.\n", printable(args[0]))
			})
		},
	}
}

func newResealCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "reseal",
		Short: "Seal the keys of objects with the newest versions",
		Long: `Look at all versions of all objects, and seal anew the keys of those that an older version of a key has sealed. No content
is read or written. Objects with customers' keys stay as they are. May be ended and begun again. Needs kms:KeyRotate.`,
		Example: "  objsrv admin encryption reseal",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all adminapi.Resealed
			for next := (&adminapi.Reseal{}); next != nil; {
				raw, err := f.call(cmd, "POST", "encryption/reseal", next)
				if err != nil {
					return fmt.Errorf("after %d objects, of which %d were sealed anew; the others are as they were, begin again later: %w", all.Looked, all.Resealed, err)
				}
				var page adminapi.Resealed
				if err := json.Unmarshal(raw, &page); err != nil {
					return fmt.Errorf("read the answer: %w", err)
				}
				all.Looked, all.Resealed, all.Failed, next = all.Looked+page.Looked, all.Resealed+page.Resealed, all.Failed+page.Failed, page.Next
				if all.First == "" {
					all.First = page.First
				}
			}
			var err error
			if f.json {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(all)
			} else {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "Looked at %d objects and sealed the keys of %d anew.\n", all.Looked, all.Resealed)
			}
			if err == nil && all.Failed > 0 {
				err = fmt.Errorf("the keys of %d objects do not open and stay as they are; the first is %s", all.Failed, printable(all.First))
			}
			return err
		},
	}
}
