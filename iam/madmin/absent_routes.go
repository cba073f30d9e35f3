package madmin

// absentRoutes are the rows of what MinIO does with several machines, with tiers, jobs and other
// sites: this server has none of it.
func absentRoutes() []route {
	return []route{
		{method: post, path: "heal/", op: "Heal", rule: need("admin:Heal")},
		{method: post, path: "heal/{bucket}", op: "Heal", rule: need("admin:Heal")},
		{method: post, path: "heal/{bucket}/{prefix...}", op: "Heal", rule: need("admin:Heal")},
		{method: post, path: "background-heal/status", op: "BackgroundHealStatus", rule: need("admin:Heal")},
		{method: get, path: "pools/list", op: "ListPools", rule: oneOf("admin:ServerInfo", "admin:Decommission")},
		{method: get, path: "pools/status", query: "pool", op: "StatusPool", rule: oneOf("admin:ServerInfo", "admin:Decommission")},
		{method: post, path: "pools/decommission", query: "pool", op: "StartDecommission", rule: need("admin:Decommission")},
		{method: post, path: "pools/cancel", query: "pool", op: "CancelDecommission", rule: need("admin:Decommission")},
		{method: post, path: "rebalance/start", op: "RebalanceStart", rule: need("admin:Rebalance")},
		{method: get, path: "rebalance/status", op: "RebalanceStatus", rule: need("admin:Rebalance")},
		{method: post, path: "rebalance/stop", op: "RebalanceStop", rule: need("admin:Rebalance")},

		{method: get, path: "list-remote-targets", query: "bucket type", op: "ListRemoteTargets", rule: need("admin:GetBucketTarget")},
		{method: put, path: "set-remote-target", query: "bucket", op: "SetRemoteTarget", rule: need("admin:SetBucketTarget"), sealed: true},
		{method: remove, path: "remove-remote-target", query: "bucket arn", op: "RemoveRemoteTarget", rule: need("admin:SetBucketTarget")},
		{method: post, path: "replication/diff", query: "bucket", op: "ReplicationDiff", rule: need("admin:ReplicationDiff")},
		{method: get, path: "replication/mrf", query: "bucket", op: "ReplicationMRF", rule: need("admin:ReplicationDiff")},

		{method: post, path: "start-job", op: "StartBatchJob", rule: need("admin:StartBatchJob")},
		{method: get, path: "list-jobs", op: "ListBatchJobs", rule: need("admin:ListBatchJobs")},
		{method: get, path: "status-job", op: "BatchJobStatus", rule: need("admin:ListBatchJobs")},
		{method: get, path: "describe-job", op: "DescribeBatchJob", rule: need("admin:DescribeBatchJob")},
		{method: remove, path: "cancel-job", op: "CancelBatchJob", rule: need("admin:CancelBatchJob")},

		{method: put, path: "tier", op: "AddTier", rule: need("admin:SetTier"), sealed: true},
		{method: post, path: "tier/{tier}", op: "EditTier", rule: need("admin:SetTier"), sealed: true},
		{method: get, path: "tier", op: "ListTier", rule: need("admin:ListTier")},
		{method: remove, path: "tier/{tier}", op: "RemoveTier", rule: need("admin:SetTier")},
		{method: get, path: "tier/{tier}", op: "VerifyTier", rule: need("admin:ListTier")},
		{method: get, path: "tier-stats", op: "TierStats", rule: need("admin:ListTier")},

		{method: put, path: "site-replication/add", op: "SiteReplicationAdd", rule: need("admin:SiteReplicationAdd"), sealed: true},
		{method: put, path: "site-replication/remove", op: "SiteReplicationRemove", rule: need("admin:SiteReplicationRemove")},
		{method: get, path: "site-replication/info", op: "SiteReplicationInfo", rule: need("admin:SiteReplicationInfo")},
		{method: get, path: "site-replication/metainfo", op: "SiteReplicationMetaInfo", rule: need("admin:SiteReplicationInfo")},
		{method: get, path: "site-replication/status", op: "SiteReplicationStatus", rule: need("admin:SiteReplicationInfo")},
		{method: post, path: "site-replication/devnull", op: "SiteReplicationDevNull", rule: need("admin:SiteReplicationOperation")},
		{method: post, path: "site-replication/netperf", op: "SiteReplicationNetPerf", rule: need("admin:SiteReplicationOperation")},
		{method: put, path: "site-replication/peer/join", op: "SRPeerJoin", rule: need("admin:SiteReplicationAdd"), sealed: true},
		{method: put, path: "site-replication/peer/bucket-ops", query: "bucket operation", op: "SRPeerBucketOps", rule: need("admin:SiteReplicationOperation")},
		{method: put, path: "site-replication/peer/iam-item", op: "SRPeerReplicateIAMItem", rule: need("admin:SiteReplicationOperation")},
		{method: put, path: "site-replication/peer/bucket-meta", op: "SRPeerReplicateBucketItem", rule: need("admin:SiteReplicationOperation")},
		{method: get, path: "site-replication/peer/idp-settings", op: "SRPeerGetIDPSettings", rule: need("admin:SiteReplicationAdd")},
		{method: put, path: "site-replication/edit", op: "SiteReplicationEdit", rule: need("admin:SiteReplicationAdd")},
		{method: put, path: "site-replication/peer/edit", op: "SRPeerEdit", rule: need("admin:SiteReplicationAdd")},
		{method: put, path: "site-replication/peer/remove", op: "SRPeerRemove", rule: need("admin:SiteReplicationRemove")},
		{method: put, path: "site-replication/resync/op", query: "operation", op: "SiteReplicationResyncOp", rule: need("admin:SiteReplicationResync")},
		{method: put, path: "site-replication/state/edit", op: "SRStateEdit", rule: need("admin:SiteReplicationOperation")},
	}
}
