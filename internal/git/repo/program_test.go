package repo

import (
	"context"
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestArgumentsHoldNoSecret: everybody on the machine can read the arguments of a program.
func TestArgumentsHoldNoSecret(t *testing.T) {
	t.Parallel()
	s, err := Open(t.TempDir(), Options{Credentials: func(context.Context, waybill.Repository) (string, string, error) {
		return "ada", "s3cret", nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	r := waybill.Repository{ID: "01J0", Name: "shop", Owner: "feeds", URL: "https://eve:0ld@git.example.org/shop.git"}
	m, err := s.mirror(r)
	if err != nil {
		t.Fatal(err)
	}
	cmd, _, err := s.program(t.Context(), m, r, "refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	args, env := strings.Join(cmd.Args, " "), strings.Join(cmd.Env, "\n")
	for _, secret := range []string{"s3cret", "0ld", "eve", "YWRhOnMzY3JldA=="} {
		if strings.Contains(args, secret) {
			t.Errorf("%s is among the arguments: %s", secret, args)
		}
	}
	for _, want := range []string{"=Authorization: Basic YWRhOnMzY3JldA==", "=protocol.allow", "=protocol.https.allow", "GIT_TERMINAL_PROMPT=0"} {
		if !strings.Contains(env, want) {
			t.Errorf("the environment lacks %s:\n%s", want, env)
		}
	}
	if !strings.HasSuffix(args, "-- https://git.example.org/shop.git refs/heads/main") {
		t.Errorf("arguments: %s", args)
	}
}
