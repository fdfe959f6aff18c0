package webhooks

import (
	"bytes"
	"encoding/json"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// decode reads the fields of v that are there and passes over all others. want is the shape of v. What is passed over
// must have its brackets and quotes in order, and no more: nobody reads it.
func decode(body []byte, want shape, v any) error {
	s := scanner{in: body}
	s.value(want, true)
	if s.space(); s.bad || s.at < len(s.in) {
		return waybill.Errorf(waybill.Invalid, "the body is no JSON")
	}
	if err := json.Unmarshal(s.out.Bytes(), v); err != nil {
		return waybill.Wrap(waybill.Invalid, err, "the body is not the JSON that this event has")
	}
	return nil
}

// maxDepth bounds how deep values lie in one another.
const maxDepth = 200

// scanner copies what is wanted of in to out.
type scanner struct {
	in    []byte
	at    int
	out   bytes.Buffer
	depth int
	bad   bool
}

// space passes over white space.
func (s *scanner) space() {
	for s.at < len(s.in) && (s.in[s.at] == ' ' || s.in[s.at] == '\n' || s.in[s.at] == '\t' || s.in[s.at] == '\r') {
		s.at++
	}
}

// next returns the next byte that is no white space without taking it; 0 at the end.
func (s *scanner) next() byte {
	if s.space(); s.at < len(s.in) && !s.bad {
		return s.in[s.at]
	}
	return 0
}

// take takes c, or everything is bad.
func (s *scanner) take(c byte) {
	if s.next() != c {
		s.bad = true
		return
	}
	s.at++
}

// value takes one value. With keep it is copied; of an object, or of those in a list, only what want says.
func (s *scanner) value(want shape, keep bool) {
	if s.depth++; s.depth > maxDepth {
		s.bad = true
		return
	}
	start := s.at
	switch c := s.next(); {
	case c == '{' && keep && want != nil:
		s.object(want)
	case c == '[' && keep && want != nil:
		s.list(want)
	default:
		if s.pass(c); keep && !s.bad {
			s.out.Write(s.in[start:s.at])
		}
	}
	s.depth--
}

// object takes an object and copies the wanted fields.
func (s *scanner) object(want shape) {
	s.take('{')
	s.out.WriteByte('{')
	comma := false
	for first := true; !s.bad && (first && s.next() != '}' || !first && s.next() == ','); first = false {
		if !first {
			s.take(',')
		}
		name := s.text()
		s.take(':')
		inner, wanted := want(name)
		if wanted && !s.bad {
			if comma {
				s.out.WriteByte(',')
			}
			comma = true
			s.out.WriteByte('"')
			s.out.Write(name)
			s.out.WriteString(`":`)
		}
		s.value(inner, wanted)
	}
	s.take('}')
	s.out.WriteByte('}')
}

// list takes a list and copies the wanted fields of the objects in it.
func (s *scanner) list(want shape) {
	s.take('[')
	s.out.WriteByte('[')
	for first := true; !s.bad && (first && s.next() != ']' || !first && s.next() == ','); first = false {
		if !first {
			s.take(',')
			s.out.WriteByte(',')
		}
		s.value(want, true)
	}
	s.take(']')
	s.out.WriteByte(']')
}

// text takes a string and returns what stands between its quotes, as it stands there.
func (s *scanner) text() []byte {
	s.take('"')
	start := s.at
	for !s.bad {
		i := bytes.IndexByte(s.in[s.at:], '"')
		if i < 0 {
			s.bad = true
			break
		}
		end := s.at + i
		s.at = end + 1
		escapes := 0
		for end-escapes > start && s.in[end-escapes-1] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return s.in[start:end]
		}
	}
	return nil
}

// pass takes one value that begins with c without looking into it.
func (s *scanner) pass(c byte) {
	switch {
	case c == '"':
		s.text()
	case c == '{' || c == '[':
		s.passNested()
	case c == '-' || c >= '0' && c <= '9' || c == 't' || c == 'f' || c == 'n':
		for s.at < len(s.in) && s.in[s.at] > ' ' && s.in[s.at] != ',' && s.in[s.at] != '}' && s.in[s.at] != ']' {
			s.at++
		}
	default:
		s.bad = true
	}
}

// passNested takes an object or a list: its brackets and quotes must be in order.
func (s *scanner) passNested() {
	open := make([]byte, 0, 16) // the brackets that close what is open
	for !s.bad && s.at < len(s.in) {
		switch c := s.in[s.at]; c {
		case '"':
			s.text()
			continue
		case '{', '[':
			if open = append(open, c+2); len(open) > maxDepth { // in ASCII
				s.bad = true
			}
		case '}', ']':
			last := len(open) - 1
			if open[last] != c {
				s.bad = true
				return
			}
			if open = open[:last]; last == 0 {
				s.at++
				return
			}
		}
		s.at++
	}
	s.bad = true
}
