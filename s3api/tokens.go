package s3api

import (
	"strconv"
	"sync"

	"github.com/objsrv/objsrv/storage"
)

// maxTokens bounds the tokens that are remembered, at some 300 bytes each. SDKs make one for each RenameObject.
const maxTokens = 10_000

// tokens remembers what was done with the tokens of clients, in one bucket each, the last maxTokens of them. A restart
// forgets them; what a renaming has made tells by itself as long as it is there (propRenamed). It is safe for concurrent use.
type tokens struct {
	mu   sync.Mutex
	done map[string]string
	ring []string // the keys of done, in the order of their coming from next on
	next int
}

func tokenOf(b *storage.Bucket, token string) string {
	return b.Name + " " + strconv.FormatInt(b.Created.UnixNano(), 36) + " " + token
}

// find returns what was done with a token, "" when nothing is known of it.
func (t *tokens) find(b *storage.Bucket, token string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.done[tokenOf(b, token)]
}

// add remembers what was done with a token.
func (t *tokens) add(b *storage.Bucket, token, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done == nil {
		t.done = map[string]string{}
	}
	key := tokenOf(b, token)
	_, known := t.done[key]
	t.done[key] = what
	switch {
	case known:
	case len(t.ring) < maxTokens:
		t.ring = append(t.ring, key)
	default:
		delete(t.done, t.ring[t.next])
		t.ring[t.next] = key
		t.next = (t.next + 1) % maxTokens
	}
}
