package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// tell lets a worker write the comment of a pull request, after its statuses were sent.
func (s *scene) tell(number int) {
	s.t.Helper()
	s.forget()
	s.done(s.HandleComment(s.t.Context(), queue.Item{Kind: CommentKind, Key: PullKey("R", number), Attempt: 1}))
}

// discussed is a scene with a pull request that changes something, and its branch.
func discussed(t *testing.T) (s *scene, head string) {
	t.Helper()
	s = deployed(t)
	s.Comments = CommentChange
	head = s.commit("topic", "head", map[string]string{"feed/run.sh": "echo\n"})
	s.propose(7, "topic")
	s.look(7)
	return s, head
}

func TestCommentIsWrittenOnceAndEdited(t *testing.T) {
	t.Parallel()
	s, head := discussed(t)
	if got := s.wanted(CommentKind); !slices.Equal(got, []string{"R 7"}) {
		t.Fatalf("%v is wanted", got)
	}
	if r := s.HandleComment(t.Context(), queue.Item{Key: PullKey("R", 7)}); r.String() != "snooze" {
		t.Errorf("a comment before the statuses: %s", r)
	}
	s.tell(7)
	s.tell(7)
	want := forge.Marker + `
### Waybill: 1 change when merged into ` + "`main`" + `

| what | change | goes to | affects |
| --- | --- | --- | --- |
| ` + "`shop-feed`" + ` | rebuild | dev | site ` + "`feeds-dev`" + ` |
`
	if len(s.talk.bodies) != 1 || !strings.HasPrefix(s.talk.bodies[0], want) ||
		!strings.Contains(s.talk.bodies[0], "(https://waybill.test/repositories/feeds/shop/commits/"+head+")") {
		t.Fatalf("%d comments: %s", len(s.talk.bodies), strings.Join(s.talk.bodies, "\n\n"))
	}
	s.clone.Run("switch", "--quiet", "topic")
	s.commit("topic", "two", map[string]string{"feed/waybill.yaml": strings.Replace(good, "datasource\n", "datasorce\n", 1)})
	s.propose(7, "topic")
	s.look(7)
	s.tell(7)
	if len(s.talk.bodies) != 2 || !strings.Contains(s.talk.bodies[1], `unknown type "datasorce"`) ||
		!strings.Contains(s.talk.bodies[1], "https://forge.test/feeds/shop/src/commit/") {
		t.Errorf("%d comments: %s", len(s.talk.bodies), s.talk.bodies[len(s.talk.bodies)-1])
	}
	if diff := cmp.Diff([]string{"comment ", "comment c7"}, s.talk.asked); diff != "" {
		t.Errorf("edited in place (-want +got):\n%s", diff)
	}
	s.commit("topic", "three", map[string]string{"feed/waybill.yaml": good, "feed/run.sh": ""}) // nothing is left of it
	s.propose(7, "topic")
	s.look(7)
	s.tell(7)
	if len(s.talk.bodies) != 3 || !strings.Contains(s.talk.bodies[2], "changes nothing that is declared") {
		t.Errorf("%d comments: %s", len(s.talk.bodies), s.talk.bodies[len(s.talk.bodies)-1])
	}
}

// TestCommentTellsOfTheBuild: it does not wait for the build, and is edited once it ends.
func TestCommentTellsOfTheBuild(t *testing.T) {
	t.Parallel()
	s, _ := discussed(t)
	feed := waybill.Identity{Kind: waybill.KindConnector, Name: "shop-feed", Major: 1}
	other := waybill.Trial{Identity: waybill.Identity{Kind: waybill.KindConnector, Name: "other", Major: 1}, Outcome: waybill.Failed, Detail: "of an earlier base"}
	trial := waybill.Trial{Identity: feed, Release: "B1"}
	for _, step := range []struct {
		outcome waybill.Outcome
		detail  string
		want    string // empty: nothing new
	}{
		{waybill.Waiting, "", "into `main`\n|- `shop-feed` is being built ([details](https://waybill.test/releases/B1))\n"},
		{waybill.Running, "waiting for disk space", ""},
		{waybill.Failed, "Dockerfile:2: exit code 1\nmore", "into `main`, 1 build failed\n|- `shop-feed` failed: Dockerfile:2: exit code 1 ([details]"},
		{waybill.OK, "sha256:9f2c71e0b7d4", "into `main`\n|- `shop-feed` is built: `sha256:9f2c71e0b7d4`, 2 MiB ([details](https://waybill.test/releases/B1))\n"},
	} {
		trial.Outcome, trial.Detail = step.outcome, step.detail
		if step.outcome == waybill.OK {
			trial.Image, trial.Size = "sha256:9f2c71e0b7d4ffff", 2<<20
		}
		s.room.trials = []waybill.Trial{other, trial}
		before := len(s.talk.bodies)
		s.tell(7)
		if step.want == "" {
			if len(s.talk.bodies) != before {
				t.Errorf("%s: said again: %s", step.outcome, s.talk.bodies[before])
			}
			continue
		}
		if len(s.talk.bodies) != before+1 {
			t.Fatalf("%s: %d comments", step.outcome, len(s.talk.bodies))
		}
		for part := range strings.SplitSeq(step.want, "|") {
			if !strings.Contains(s.talk.bodies[before], part) || strings.Contains(s.talk.bodies[before], "earlier base") {
				t.Errorf("%s: want %q in %s", step.outcome, part, s.talk.bodies[before])
			}
		}
	}
	if diff := cmp.Diff([]string{"comment ", "comment c7", "comment c7"}, s.talk.asked); diff != "" {
		t.Errorf("edited in place (-want +got):\n%s", diff)
	}
}

func TestCommentPolicies(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string][2]int{CommentOff: {0, 0}, CommentChange: {0, 1}, CommentAlways: {1, 2}} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			s := deployed(t)
			s.Comments = policy
			s.commit("docs", "docs", map[string]string{"README.md": "two\n"})
			s.commit("topic", "topic", map[string]string{"feed/run.sh": "echo\n"})
			s.propose(7, "docs")
			s.propose(8, "topic")
			for i, number := range []int{7, 8} {
				s.look(number)
				s.tell(number)
				if len(s.talk.bodies) != want[i] {
					t.Errorf("after %d there are %d comments, want %d", number, len(s.talk.bodies), want[i])
				}
			}
		})
	}
}

func TestKilledCommentIsFoundAgain(t *testing.T) {
	t.Parallel()
	s, _ := discussed(t)
	s.forget()
	item := queue.Item{Key: PullKey("R", 7)}
	killed(s, "comment.sent", func() {
		if r := s.HandleComment(t.Context(), item); r.String() != "retry" {
			t.Errorf("got %s", r)
		}
	})
	s.tell(7)
	if len(s.talk.bodies) != 2 || s.talk.bodies[0] != s.talk.bodies[1] {
		t.Errorf("%d comments", len(s.talk.bodies))
	}
}

func TestForgeThatAsksForTime(t *testing.T) {
	t.Parallel()
	s, _ := discussed(t)
	s.forget()
	for want, err := range map[string]error{
		"snooze":  waybill.Wrap(waybill.Limited, &forge.RetryAfter{Until: time.Now().Add(time.Hour)}, "slow down"),
		"retry":   waybill.Errorf(waybill.Unavailable, "away"),
		"discard": waybill.Errorf(waybill.Denied, "the token may not comment"),
	} {
		s.talk.fails = err
		if r := s.HandleComment(t.Context(), queue.Item{Key: PullKey("R", 7)}); r.String() != want {
			t.Errorf("comment, %v: %s", err, r)
		}
		if r := s.HandlePull(t.Context(), queue.Item{Key: PullKey("R", 7)}); r.String() != want {
			t.Errorf("pull, %v: %s", err, r)
		}
	}
}

// says delivers an event and lets a worker obey it.
func (s *scene) says(e waybill.Event) queue.Result {
	s.t.Helper()
	e.Key = fmt.Sprint(time.Now().UnixNano())
	var id string
	s.write(func(tx *store.Tx) (err error) {
		id, _, err = gitstore.AcceptDelivery(s.t.Context(), tx, waybill.Delivery{Repository: "R", Forge: "forge", Hook: "h", Event: e})
		return err
	})
	return s.HandleCommand(s.t.Context(), queue.Item{Kind: CommandKind, Key: id, Attempt: 1})
}

func remark(actor, text string) waybill.Event {
	return waybill.Event{Kind: waybill.EventComment, Actor: actor, Comment: text, Pull: &waybill.Pull{Number: 7}}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	s, head := discussed(t)
	s.talk.writers = []string{"ada"}
	s.done(s.says(remark("eve", "/waybill plan")))
	if got := s.wanted(CommentKind); len(s.talk.asked) != 1 || !slices.Equal(got, []string{"R 7"}) {
		t.Errorf("asked %v, wanted %v", s.talk.asked, got)
	}
	s.tell(7)
	if strings.Contains(s.talk.bodies[0], "eve") {
		t.Errorf("a stranger makes the first comment speak of them: %s", s.talk.bodies[0])
	}
	for _, c := range []struct{ actor, text, want string }{
		{"eve", "/waybill plan", "Note: \"/waybill plan\" of eve was not obeyed: that is for people who may push to this repository\n"},
		{"ada", "/waybill deploy @feeds\nnow", "Note: \"/waybill deploy @\u200bfeeds\" of ada: there is no such command; there are /waybill plan and /waybill retry\n"},
	} {
		s.done(s.says(remark(c.actor, c.text)))
		s.tell(7)
		if got := s.talk.bodies[len(s.talk.bodies)-1]; !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.text, got)
		}
	}
	for _, text := range []string{"/waybill plan", "/waybill retry\r\nplease"} {
		s.done(s.says(remark("ada", text)))
		if got := s.wanted(PullKind); !slices.Equal(got, []string{"R 7"}) || !strings.HasPrefix(s.board(head), "waybill pending ") {
			t.Errorf("%s: %v is wanted\n%s", text, got, s.board(head))
		}
		s.look(7)
		s.tell(7)
		if got := s.talk.bodies[len(s.talk.bodies)-1]; strings.Contains(got, "Note") {
			t.Errorf("the note stays: %s", got)
		}
	}
	if len(s.room.tried) != 3 {
		t.Errorf("built %d times", len(s.room.tried))
	}
	before := len(s.talk.asked)
	s.done(s.says(remark("ada", "I like /waybill plan")))
	s.done(s.says(waybill.Event{Kind: waybill.EventComment, Actor: "ada", Comment: "/waybill plan"}))
	if len(s.talk.asked) != before {
		t.Errorf("asked %v", s.talk.asked[before:])
	}
}

func TestRerunIsARetry(t *testing.T) {
	t.Parallel()
	s, head := discussed(t)
	s.forget()
	s.done(s.says(waybill.Event{Kind: waybill.EventRerun, Actor: "ada", Commit: head}))
	if got := s.wanted(PullKind); !slices.Equal(got, []string{"R 7"}) {
		t.Errorf("%v is wanted", got)
	}
	s.done(s.says(waybill.Event{Kind: waybill.EventRerun, Actor: "ada", Commit: strings.Repeat("b", 40)}))
}

func TestCommandsWithoutEndAreDropped(t *testing.T) {
	t.Parallel()
	s, _ := discussed(t)
	s.talk.writers = []string{"ada"}
	for range 100 {
		s.done(s.says(remark("eve", "/waybill plan")))
	}
	if len(s.talk.asked) != commandsOfOne {
		t.Errorf("the forge was asked %d times", len(s.talk.asked))
	}
	s.done(s.says(remark("ada", "/waybill plan")))
	if got := s.wanted(PullKind); len(got) == 0 {
		t.Error("one who may is not heard any more")
	}
	for i := range 200 {
		s.done(s.says(remark(fmt.Sprint("eve", i), "/waybill plan")))
	}
	if len(s.talk.asked) != commandsOfAll {
		t.Errorf("the forge was asked %d times", len(s.talk.asked))
	}
	s.Now = func() time.Time { return time.Now().Add(2 * commandSpan) }
	s.done(s.says(remark("eve", "/waybill plan")))
	if len(s.talk.asked) != commandsOfAll+1 || len(s.turns.taken) != 2 {
		t.Errorf("after a while: asked %d times, %d remembered", len(s.talk.asked), len(s.turns.taken))
	}
}
