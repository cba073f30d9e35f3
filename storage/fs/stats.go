package fs

// Stats are figures of a store for its operator.
type Stats struct {
	Syncs         int64 // syncs of files and directories since the store was opened
	Damaged       int64 // reads that found damage since the store was opened
	Commits       int64 // index commits that were waited for
	BlobsCreated  int64 // blob files made since the store was opened
	BlobsReclaim  int64 // blobs that wait to be unlinked
	IndexBytes    int64 // size of the index on the disk
	IndexFiles    int64 // files of the index
	CacheBytes    int64 // block cache in use
	CacheHits     int64
	CacheMisses   int64
	MemTableBytes int64
	WALBytes      int64 // size of the log
	Compactions   int64
	CompactedIn   int64 // bytes that compactions have written
	ReadAmp       int64 // levels that a read may have to look at
	FreeBytes     int64 // free on the disk, as last asked; 0 when not known
	ReserveBytes  int64 // kept free from writes
	Available     bool  // false once the index's log could not be written
}

// Stats reads the figures; it costs some microseconds.
func (s *Store) Stats() Stats {
	st := Stats{
		Syncs: s.gate.syncs.Load(), Damaged: s.damage.Load(), Commits: s.committed.Load(), BlobsCreated: s.created.Load(),
		FreeBytes: s.space.free.Load(), ReserveBytes: s.space.reserve, Available: s.gate.err() == nil,
	}
	st.BlobsReclaim = int64(s.reclaim.waiting())
	if s.enter() != nil {
		return st
	}
	defer s.leave()
	m := s.db.Metrics()
	st.IndexBytes = int64(m.DiskSpaceUsage())
	for _, l := range m.Levels {
		st.IndexFiles += l.TablesCount
		st.ReadAmp += int64(l.Sublevels)
		st.CompactedIn += int64(l.TableBytesCompacted + l.BlobBytesCompacted)
	}
	st.CacheBytes, st.CacheHits, st.CacheMisses = m.BlockCache.Size, m.BlockCache.Hits, m.BlockCache.Misses
	st.MemTableBytes = int64(m.MemTable.Size)
	st.WALBytes = int64(m.WAL.PhysicalSize)
	st.Compactions = m.Compact.Count
	return st
}
