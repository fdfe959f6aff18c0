package schema

// Hidden checks d and returns what CUE refuses then that Check has not told.
func (s *Set) Hidden(definition string, d *Document) (hidden []Path, err error) {
	known, err := s.find(definition, d)
	if err != nil {
		return nil, err
	}
	j, err := s.acquire(definition)
	if err != nil {
		return nil, err
	}
	paths, err := j.offences(d)
	for _, p := range paths {
		if !covered(p, known) && len(d.Problems) < maxProblems {
			hidden = append(hidden, p)
		}
	}
	return hidden, err
}

// Looks returns how often CUE has judged documents by a definition, while none is being judged.
func (s *Set) Looks(definition string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	looks := 0
	for _, j := range s.idle[definition] {
		looks += j.uses
	}
	return looks
}
