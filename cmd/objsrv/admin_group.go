package main

import (
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
)

func groupPath(name string) string { return "groups/" + url.PathEscape(name) }

func newAdminGroupCommand(f *adminFlags) *cobra.Command {
	return group("group", "Manage groups of users",
		newGroupAddCommand(f), newGroupRmCommand(f), newGroupLsCommand(f), newGroupInfoCommand(f),
		newGroupStatusCommand(f, "enable", "Let a group's members in again", true),
		newGroupStatusCommand(f, "disable", "Lock a group's members out until it is enabled", false),
		newGroupPoliciesCommand(f, "attach", "Attach policies to a group"),
		newGroupPoliciesCommand(f, "detach", "Detach policies from a group"),
		group("member", "Add and remove members of a group",
			newGroupMembersCommand(f, "add", "Add users to a group"),
			newGroupMembersCommand(f, "rm", "Remove users from a group")))
}

func newGroupAddCommand(f *adminFlags) *cobra.Command {
	var in adminapi.CreateGroup
	cmd := &cobra.Command{
		Use:     "add NAME",
		Short:   "Create a group without members",
		Example: "  objsrv admin group add backups --policy readwrite\n  objsrv admin group member add backups alice bob",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.showGroup(cmd, "PUT", args[0], in)
		},
	}
	cmd.Flags().StringSliceVar(&in.Policies, "policy", nil, "policy to attach; may be repeated")
	cmd.Flags().BoolVar(&in.Disabled, "disabled", false, "create the group disabled")
	cmd.Flags().StringVar(&in.Account, "account", "", "`account` that the group belongs to, 12 digits (default one's own)")
	return cmd
}

func newGroupRmCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "rm NAME",
		Short:   "Delete a group that has no members",
		Example: "  objsrv admin group rm backups",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.show(cmd, "DELETE", groupPath(args[0]), nil, nil, func(w io.Writer) {
				fmt.Fprintf(w, "Group %s is deleted.\n", printable(args[0]))
			})
		},
	}
}

func newGroupLsCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "ls",
		Short:   "List the groups",
		Example: "  objsrv admin group ls",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list adminapi.GroupList
			return f.show(cmd, "GET", "groups", nil, &list, func(w io.Writer) {
				fmt.Fprintln(w, "NAME\tSTATUS\tMEMBERS\tPOLICIES\tCREATED")
				for i := range list.Groups {
					g := &list.Groups[i]
					fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", printable(g.Name), state(g.Enabled, g.Damaged), len(g.Members), names(g.Policies), day(g.Created))
				}
			})
		},
	}
}

func newGroupInfoCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "info NAME",
		Short:   "Show a group and its members",
		Example: "  objsrv admin group info backups",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.showGroup(cmd, "GET", args[0], nil)
		},
	}
}

func (f *adminFlags) showGroup(cmd *cobra.Command, method, name string, in any) error {
	var g iam.Group
	return f.show(cmd, method, groupPath(name), in, &g, func(w io.Writer) {
		fmt.Fprintf(w, "Name:\t%s\nAccount:\t%s\nARN:\t%s\nID:\t%s\nStatus:\t%s\nPolicies:\t%s\nMembers:\t%s\nCreated:\t%s\nUpdated:\t%s\n",
			printable(g.Name), printable(g.Account), printable(g.ARN), printable(g.ID), state(g.Enabled, g.Damaged), names(g.Policies), names(g.Members),
			moment(g.Created), moment(g.Updated))
	})
}

func newGroupStatusCommand(f *adminFlags, use, short string, enabled bool) *cobra.Command {
	return &cobra.Command{
		Use:     use + " NAME",
		Short:   short,
		Example: "  objsrv admin group " + use + " backups",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.showGroup(cmd, "PATCH", args[0], adminapi.UpdateGroup{Enabled: &enabled})
		},
	}
}

func newGroupPoliciesCommand(f *adminFlags, use, short string) *cobra.Command {
	return &cobra.Command{
		Use:     use + " NAME POLICY...",
		Short:   short,
		Example: "  objsrv admin group " + use + " backups readwrite",
		Args:    argCount(2, iam.MaxPolicies+1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := adminapi.UpdateGroup{Attach: args[1:]}
			if use == "detach" {
				in = adminapi.UpdateGroup{Detach: args[1:]}
			}
			return f.showGroup(cmd, "PATCH", args[0], in)
		},
	}
}

// maxMembers is how many users one command adds or removes: their names fit a request's body.
const maxMembers = 80

func newGroupMembersCommand(f *adminFlags, use, short string) *cobra.Command {
	return &cobra.Command{
		Use:     use + " GROUP USER...",
		Short:   short,
		Example: "  objsrv admin group member " + use + " backups alice bob",
		Args:    argCount(2, maxMembers+1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := adminapi.UpdateGroup{Add: args[1:]}
			if use == "rm" {
				in = adminapi.UpdateGroup{Remove: args[1:]}
			}
			return f.showGroup(cmd, "PATCH", args[0], in)
		},
	}
}
