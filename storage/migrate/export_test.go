package migrate

// Ready does of Start what requests need, without copying.
func (s *Store) Ready(settings Settings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settings = settings
}

// CopyOne moves the cursor of a bucket over the next key, as the copier does.
func (s *Store) CopyOne(name string) (more bool, err error) {
	s.mu.Lock()
	b := s.buckets[name]
	s.mu.Unlock()
	if b == nil || b.stage() != stageCopying {
		return false, nil
	}
	var done bool
	err = s.tasks(s.ctx, b, func(t *task) error {
		if done {
			return errEnough
		}
		done = true
		if err := s.process(s.ctx, b, t); err != nil {
			return err
		}
		return s.change(s.ctx, b, func(r *record) { r.Cursor = t.key })
	})
	if err == errEnough {
		return true, nil
	}
	return false, err
}

type enough struct{}

func (enough) Error() string { return "enough" }

var errEnough = enough{}
