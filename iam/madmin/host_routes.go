package madmin

// hostRoutes are the rows of the server itself: its state, logs, settings and buckets' settings.
func hostRoutes() []route {
	return []route{
		{method: post, path: "service", query: "action=restart", optional: "type dry-run by-node", op: "ServiceRestart", rule: need("admin:ServiceRestart"), serve: (*call).restartService},
		{method: post, path: "service", query: "action=stop", optional: "type dry-run by-node", op: "ServiceStop", rule: need("admin:ServiceStop"), serve: (*call).stopService},
		{method: post, path: "service", query: "action=freeze", optional: "type", op: "ServiceFreeze", rule: need("admin:ServiceFreeze")},
		{method: post, path: "service", query: "action=unfreeze", optional: "type", op: "ServiceUnfreeze", rule: need("admin:ServiceFreeze")},
		{method: post, path: "update", query: "updateURL", op: "ServerUpdate", rule: need("admin:ServerUpdate")},

		{method: get, path: "info", optional: "metrics no-cache", op: "ServerInfo", rule: need("admin:ServerInfo"), serve: (*call).serverInfo},
		{method: get, path: "storageinfo", op: "StorageInfo", rule: need("admin:StorageInfo"), serve: (*call).storageInfo},
		{method: get, path: "datausageinfo", optional: "capacity", op: "DataUsageInfo", rule: need("admin:DataUsageInfo"), serve: (*call).dataUsageInfo},
		{method: get, path: "metrics", op: "Metrics", rule: need("admin:ServerInfo")},
		{method: get, path: "inspect-data", op: "InspectData", rule: need("admin:InspectData")},
		{method: post, path: "inspect-data", op: "InspectData", rule: need("admin:InspectData")},
		{method: get, path: "trace", optional: traceParams, op: "Trace", rule: need("admin:ServerTrace"), serve: (*call).trace},
		{method: get, path: "log", optional: "node limit logType", op: "ConsoleLog", rule: need("admin:ConsoleLog"), serve: (*call).consoleLog},
		{method: get, path: "obdinfo", op: "HealthInfo", rule: need("admin:OBDInfo")},
		{method: get, path: "healthinfo", op: "HealthInfo", rule: need("admin:OBDInfo")},
		{method: get, path: "top/locks", optional: "count stale", op: "TopLocks", rule: need("admin:TopLocksInfo"), serve: (*call).topLocks},
		{method: post, path: "force-unlock", query: "paths", op: "ForceUnlock", rule: need("admin:ForceUnlock")},

		{method: post, path: "profiling/start", query: "profilerType", op: "StartProfiling", rule: need("admin:Profiling")},
		{method: get, path: "profiling/download", op: "DownloadProfiling", rule: need("admin:Profiling")},
		{method: post, path: "profile", op: "Profile", rule: need("admin:Profiling")},
		{method: post, path: "speedtest", op: "ObjectSpeedTest", rule: need("admin:OBDInfo")},
		{method: post, path: "speedtest/object", op: "ObjectSpeedTest", rule: need("admin:OBDInfo")},
		{method: post, path: "speedtest/drive", op: "DriveSpeedtest", rule: need("admin:OBDInfo")},
		{method: post, path: "speedtest/net", op: "Netperf", rule: need("admin:OBDInfo")},
		{method: post, path: "speedtest/site", op: "SitePerf", rule: need("admin:OBDInfo")},
		{method: post, path: "speedtest/client/devnull", op: "ClientDevNull", rule: need("admin:BandwidthMonitor")},
		{method: post, path: "speedtest/client/devnull/extratime", op: "ClientDevNullExtraTime", rule: need("admin:BandwidthMonitor")},

		{method: get, path: "get-config-kv", query: "key", optional: "env", op: "GetConfigKV", rule: need("admin:ConfigUpdate"), seals: true, serve: (*call).getConfigKV},
		{method: put, path: "set-config-kv", op: "SetConfigKV", rule: need("admin:ConfigUpdate"), sealed: true, max: maxConfig, serve: (*call).setConfigKV},
		{method: remove, path: "del-config-kv", op: "DelConfigKV", rule: need("admin:ConfigUpdate"), sealed: true, max: maxConfig, serve: (*call).delConfigKV},
		{method: get, path: "help-config-kv", query: "subSys key", optional: "env", op: "HelpConfigKV", rule: need("admin:ConfigUpdate"), serve: (*call).helpConfigKV},
		{method: get, path: "list-config-history-kv", query: "count", op: "ListConfigHistoryKV", rule: need("admin:ConfigUpdate"), seals: true, serve: (*call).listConfigHistory},
		{method: remove, path: "clear-config-history-kv", query: "restoreId", op: "ClearConfigHistoryKV", rule: need("admin:ConfigUpdate"), serve: (*call).clearConfigHistory},
		{method: put, path: "restore-config-history-kv", query: "restoreId", op: "RestoreConfigHistoryKV", rule: need("admin:ConfigUpdate"), serve: (*call).restoreConfigHistory},
		{method: get, path: "config", op: "GetConfig", rule: need("admin:ConfigUpdate"), seals: true, serve: (*call).getConfig},
		{method: put, path: "config", op: "SetConfig", rule: need("admin:ConfigUpdate"), sealed: true, max: maxConfig, serve: (*call).setConfig},

		{method: get, path: "get-bucket-quota", query: "bucket", op: "GetBucketQuotaConfig", rule: need("admin:GetBucketQuota"), serve: (*call).getBucketQuota},
		{method: put, path: "set-bucket-quota", query: "bucket", op: "PutBucketQuotaConfig", rule: need("admin:SetBucketQuota"), max: 4 << 10, serve: (*call).setBucketQuota},
		{method: get, path: "export-bucket-metadata", optional: "bucket", op: "ExportBucketMetadata", rule: need("admin:ExportBucketMetadata"), serve: (*call).exportBuckets},
		{method: put, path: "import-bucket-metadata", optional: "bucket", op: "ImportBucketMetadata", rule: need("admin:ImportBucketMetadata"), max: maxArchive, serve: (*call).importBuckets},
	}
}
