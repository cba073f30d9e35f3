package iam

import (
	"container/heap"
	"time"

	"github.com/objsrv/objsrv/iam/store"
)

// expiries are the sessions in memory by their end, the earliest first. Expired ones leave the
// memory along with the next change: an idle server needs no timer for it, and nobody is
// answered from them meanwhile.
type expiries []expiry

type expiry struct {
	at   int64 // nanoseconds since 1970
	name string
}

// note remembers a session's end.
func (e *expiries) note(r *store.Record) {
	if r.Kind == kindSession && !r.Expires.IsZero() {
		heap.Push(e, expiry{r.Expires.UnixNano(), r.Name})
	}
}

// sweep takes what has expired out of a thawed snapshot.
func (e *expiries) sweep(sn *snapshot, now time.Time) {
	for len(*e) > 0 && (*e)[0].at <= now.UnixNano() {
		x := heap.Pop(e).(expiry)
		if ss, ok := sn.sessions.get(x.name); ok && !now.Before(ss.Expires) {
			sn.remove(kindSession, x.name)
		}
	}
}

// Len implements heap.Interface.
func (e expiries) Len() int { return len(e) }

// Less implements heap.Interface.
func (e expiries) Less(i, j int) bool { return e[i].at < e[j].at }

// Swap implements heap.Interface.
func (e expiries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push implements heap.Interface.
func (e *expiries) Push(x any) { *e = append(*e, x.(expiry)) }

// Pop implements heap.Interface.
func (e *expiries) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}
