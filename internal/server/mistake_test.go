package server_test

import (
	"strings"
	"testing"
)

// TestMistakes pushes five different mistakes at once onto a connector that is live in dev and prod.
func TestMistakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "mistakes")
	w.serve()
	good := w.clone.Run("rev-parse", "HEAD")
	w.reads(`
waybill  feeds/NAME  COMMIT1  main
  validate  ok    1 connector
  build     ok    sha256:DIGEST
  runtime   ok    registered
  dev       ok    site feeds-dev
  SERVER/connectors/NAME
`, w.clone.Push("main"), good)
	w.clone.Run("tag", "v1.0.0")
	w.clone.Push("v1.0.0")

	broken := w.clone.Commit("Break it", map[string]string{"waybill.yaml": w.broken()})
	w.reads(`
waybill  feeds/NAME  COMMIT1  main
  validate  failed  5 errors
  waybill.yaml:13:50: error WB509: "90s" is not legal for spec.application.healthCheck.timeout (write more than 0s and at most 60s)
  waybill.yaml:15:29: error WB015: unknown type "inptu" (did you mean "input"?)
  waybill.yaml:16:28: error WB206: there is no field "greting" (did you mean "greeting"?)
  waybill.yaml:17:3: error WB012: unknown field "runs" (did you mean "run"?)
  waybill.yaml:18:19: error WB508: the schedule "99 * * * *" cannot be read (write five fields such as "0 */6 * * *": minute, hour, day, month, weekday)
  SERVER/repositories/feeds/NAME/commits/COMMIT1
`, w.clone.Push("main"), broken)
	summary := ` failure 5 errors: waybill.yaml:13:50 "90s" is not legal for spec.application.healthCheck.timeout`
	w.agree(broken, "waybill"+summary, "waybill/NAME/validate"+summary)
	w.serves("dev "+good[:7], "prod "+good[:7]+" 1.0.0")
	if out := w.waybill("runs", "start", w.connector, "--site", "feeds-dev", "--wait"); !strings.Contains(out, "hello") {
		t.Errorf("the last good version does not run: %s", out)
	}

	healed := w.clone.Commit("Heal it", map[string]string{"waybill.yaml": w.manifest("  run: {timeout: 5m}\n")})
	w.reads(`
waybill  feeds/NAME  COMMIT1  main
  validate  ok    1 connector
  build     ok    sha256:DIGEST
  runtime   ok    registered
  dev       ok    site feeds-dev
  SERVER/connectors/NAME
`, w.clone.Push("main"), healed)
	w.agree(healed)
	w.serves("dev "+healed[:7], "prod "+good[:7]+" 1.0.0")
}

// broken is the connector's manifest with five mistakes of different kinds.
func (w *world) broken() string {
	return strings.NewReplacer(
		"healthCheck: {arguments: [--check]}", "healthCheck: {arguments: [--check], timeout: 90s}",
		"type: input", "type: inptu", "{greeting: hello}", "{greting: hello}",
	).Replace(w.manifest("  runs: {timeout: 5m}\n  run: {schedule: \"99 * * * *\"}\n"))
}
