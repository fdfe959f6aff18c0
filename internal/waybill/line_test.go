package waybill

import "testing"

func TestParseLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Line{
		`hello`:                           {Kind: LineText},
		``:                                {Kind: LineText},
		`[1]`:                             {Kind: LineText},
		`{"id": 1`:                        {Kind: LineText},
		`{"id": 1} {"id": 2}`:             {Kind: LineText},
		`{"id": 1}`:                       {Kind: LineRow},
		` {"message": 7} `:                {Kind: LineRow},
		`{"level": "info"}`:               {Kind: LineText},
		`{"level": "warn","message":"a"}`: {Kind: LineText},
		`{"level": 3, "message": "a"}`:    {Kind: LineText},
		`{"level": "info", "message": 3}`: {Kind: LineText},
		`{"level":"notice","message":"read 3 rows","rows":3}`: {Kind: LineRecord, Level: LevelNotice, Message: "read 3 rows"},
	} {
		if got := ParseLine([]byte(text)); got != want {
			t.Errorf("ParseLine(%q) = %+v, want %+v", text, got, want)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte(`{"level":"info","message":"x"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if l := ParseLine(text); (l.Kind == LineRecord) != (l.Level != "") {
			t.Errorf("ParseLine(%q) = %+v", text, l)
		}
	})
}

func TestAtLeast(t *testing.T) {
	t.Parallel()
	all := Levels()
	for i, a := range all {
		for j, b := range all {
			if got, want := a.AtLeast(b), i <= j; got != want {
				t.Errorf("%s.AtLeast(%s) = %t, want %t", a, b, got, want)
			}
		}
	}
	if Level("loud").AtLeast(LevelDebug) {
		t.Error("an unknown level is at least debug")
	}
}
