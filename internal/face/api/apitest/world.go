package apitest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	platformstore "github.com/waybill-dev/waybill/internal/foundation/store/platform"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Ids of the world that Fill makes. Good is deployed to dev and prod, Bad holds two mistakes.
const (
	Repository = "01KDXK0000REPOSITORY000000"
	Good       = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
	Bad        = "1a2bffffffffffffffffffffffffffffffffffff"
	DevRelease = "01KDXK0000DEV0000000000001"
	Prod1      = "01KDXK0000PR0D000000000001"
	Prod2      = "01KDXK0000PR0D000000000002"
	BadRelease = "01KDXK0000DEV0000000000002"
	GoodRun    = "01KDXK0000RVN0000000000001"
	BadRun     = "01KDXK0000RVN0000000000002"
)

// Fill makes a small world: one repository with one connector, live on dev and prod, a failed build, two runs.
func (s *Server) Fill(t testing.TB) {
	t.Helper()
	s.Write(t, func(ctx context.Context, tx *store.Tx) error {
		for _, fill := range []func(context.Context, *store.Tx) error{fillGit, fillReleases, fillSites, fillRuns, fillHistory, fillSettings} {
			if err := fill(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	s.Log(t, "release/"+BadRelease+"/build", "step 1\ncc: no such file\n")
	s.Log(t, "run/"+GoodRun+"/stdout", strings.Join([]string{
		`{"level":"info","message":"reading 2 rows"}`, `{"id":1,"name":"cup"}`, `plain text`,
		`{"level":"error","message":"row 2 is odd","row":2}`, `{"id":2,"name":"jug"}`, "",
	}, "\n"))
	s.Log(t, "run/"+GoodRun+"/stderr", "deprecated\n")
}

func fillGit(ctx context.Context, tx *store.Tx) error {
	err := gitstore.AddRepository(ctx, tx, waybill.Repository{
		ID: Repository, Name: "shop-feed", URL: "/srv/git/shop-feed.git", Forge: "plain", Owner: "feeds",
		Hook: "h1", HookSecret: "very secret", DefaultBranch: "main", Added: Now(), LastPolled: Now(),
	})
	if err != nil {
		return err
	}
	findings := waybill.Findings{
		{Code: "WB012", Severity: waybill.SeverityError, File: "waybill.yaml", Line: 14, Column: 7, Path: "spec.trigers", Message: `unknown field "trigers"`, Hint: `did you mean "triggers"?`},
		{Code: "WB013", Severity: waybill.SeverityError, File: "waybill.yaml", Line: 20, Column: 3, Path: "spec.type", Message: "spec.type is missing"},
	}
	id := waybill.Identity{Kind: "Connector", Name: "shop-feed", Major: 1}
	for _, c := range []struct {
		check    waybill.Check
		statuses []waybill.Status
	}{
		{
			waybill.Check{ID: "01KDXK0000CHECK00000000001", Commit: Good, State: waybill.StateSuccess, Summary: "1 connector deployed"},
			[]waybill.Status{
				{Context: waybill.ContextOf(id, waybill.StepValidate), State: waybill.StateSuccess, Description: "valid", URL: "/commits/" + Good, Outcome: waybill.OK},
				{Context: waybill.ContextOf(id, waybill.StepBuild), State: waybill.StateSuccess, Description: "sha256:9f2c71e0b7d4", URL: "/releases/" + DevRelease, Outcome: waybill.OK},
			},
		},
		{
			waybill.Check{ID: "01KDXK0000CHECK00000000002", Commit: Bad, State: waybill.StateFailure, Summary: findings.Summary(), Findings: findings},
			[]waybill.Status{
				{Context: waybill.ContextOf(id, waybill.StepValidate), State: waybill.StateFailure, Description: findings.Summary(), URL: "/commits/" + Bad, Outcome: waybill.Failed},
			},
		},
	} {
		c.check.Repository, c.check.Ref, c.check.Cause, c.check.Actor = Repository, "refs/heads/main", "push", "ada"
		c.check.Phase, c.check.Opened, c.check.Closed = waybill.Planned, Now(), Now()
		if err := gitstore.PutCheck(ctx, tx, c.check); err != nil {
			return err
		}
		if err := gitstore.SetStatuses(ctx, tx, Repository, c.check.Commit, c.statuses); err != nil {
			return err
		}
	}
	return nil
}

// declaration is that of the world's connector.
func declaration() waybill.Declaration {
	hundred := "100"
	return waybill.Declaration{
		Identity: waybill.Identity{Kind: "Connector", Name: "shop-feed", Major: 1},
		File:     "waybill.yaml", Folder: ".", Line: 1, Lines: map[string]int{"metadata": 3, "spec.fields": 14}, Digest: "sha256:d1",
		Connector: &waybill.Connector{
			Title: "Shop feed", Owner: "feeds", Type: "datasource", Flow: "default", Mode: "environment",
			Build: waybill.Build{Context: ".", Dockerfile: "Dockerfile", Network: "bridge", Timeout: 20 * time.Minute},
			Application: waybill.Application{
				Command: "/bin/feed", Arguments: []string{"import"},
				HealthCheck: &waybill.HealthCheck{Arguments: []string{"--help"}, Timeout: 5 * time.Second},
			},
			Fields: []waybill.Field{
				{Key: "base_url", Type: "input", Label: "Shop address", Required: true},
				{Key: "page_size", Type: "select", Label: "Page size", Default: &hundred, Options: []waybill.Option{{Value: "100", Label: "100"}}},
				{Key: "pin", Type: "password", Label: "PIN"},
			},
			Categories: []string{"shop-systems"},
			Run:        waybill.RunSettings{Schedule: "0 */6 * * *", Timeout: 30 * time.Minute, Concurrency: "skip", CPU: "1", Memory: 512 << 20},
			Release:    waybill.ReleaseRules{DevConfig: map[string]string{"base_url": "https://shop.example", "pin": "1234"}},
		},
	}
}

func newRelease(id, commit string, env waybill.Environment, semver string) waybill.Release {
	ref := "refs/heads/main"
	if semver != "" {
		ref = "refs/tags/v" + semver
	}
	return waybill.Release{
		ID: id, Declaration: declaration(), Environment: env, Repository: Repository, Ref: ref, Commit: commit,
		Check: "01KDXK0000CHECK00000000001", Semver: semver, Image: "sha256:9f2c71e0b7d4", Steps: waybill.NewSteps(env),
		Outcome: waybill.Waiting, Created: Now(),
	}
}

func fillReleases(ctx context.Context, tx *store.Tx) error {
	if _, err := connectorstore.ClaimName(ctx, tx, connectorstore.Connector{
		Name: "shop-feed", Owner: "feeds", Repository: Repository, Created: Now(),
	}); err != nil {
		return err
	}
	failed := newRelease(BadRelease, Bad, waybill.Dev, "")
	failed.Steps[0].Log = "release/" + BadRelease + "/build"
	if err := failed.Move(waybill.StepBuild, waybill.Running, "", Now()); err != nil {
		return err
	}
	if err := failed.Move(waybill.StepBuild, waybill.Failed, "Dockerfile:3: exit code 1", Now().Add(2100*time.Millisecond)); err != nil {
		return err
	}
	all := []waybill.Release{
		newRelease(DevRelease, Good, waybill.Dev, ""), newRelease(Prod1, Good, waybill.Prod, "1.0.0"),
		newRelease(Prod2, Good, waybill.Prod, "1.1.0"), failed,
	}
	for i := range all[:3] {
		for _, s := range waybill.StepsTo(all[i].Environment) {
			if err := all[i].Move(s, waybill.OK, "", Now()); err != nil {
				return err
			}
		}
	}
	for _, r := range all {
		if err := connectorstore.InsertRelease(ctx, tx, r); err != nil {
			return err
		}
	}
	for _, l := range []waybill.Live{
		{Connector: "shop-feed", Major: 1, Environment: waybill.Dev, Release: DevRelease, Since: Now()},
		{Connector: "shop-feed", Major: 1, Environment: waybill.Prod, Release: Prod2, Since: Now()},
	} {
		if err := connectorstore.SetLive(ctx, tx, l); err != nil {
			return err
		}
	}
	return nil
}

func fillSites(ctx context.Context, tx *store.Tx) error {
	for _, env := range []waybill.Environment{waybill.Dev, waybill.Prod} {
		s := waybill.Site{Name: "feeds-" + string(env), Owner: "feeds", Environment: env, Created: Now()}
		if _, err := connectorstore.EnsureSite(ctx, tx, s); err != nil {
			return err
		}
	}
	return connectorstore.PutAssignment(ctx, tx, waybill.Assignment{
		Site: "feeds-dev", Connector: "shop-feed", Major: 1, Enabled: true, Updated: Now(),
		Config: map[string]string{"base_url": "https://shop.example", "pin": "1234"},
	})
}

func fillRuns(ctx context.Context, tx *store.Tx) error {
	zero, three := 0, 3
	common := waybill.Run{
		Connector: "shop-feed", Major: 1, Site: "feeds-dev", Environment: waybill.Dev, Release: DevRelease, Commit: Good,
		Image: "sha256:9f2c71e0b7d4", Trigger: waybill.TriggerManual, Attempt: 1, Actor: "ada",
		Created: Now(), Started: Now(), Ended: Now().Add(1500 * time.Millisecond),
	}
	good, bad := common, common
	good.ID, good.State, good.Class, good.ExitCode, good.PID = GoodRun, waybill.RunSucceeded, waybill.ClassOK, &zero, 4711
	good.Stdout, good.Stderr = "run/"+GoodRun+"/stdout", "run/"+GoodRun+"/stderr"
	good.Values = map[string]string{"page_size": "100", "pin": "1234"}
	bad.ID, bad.State, bad.Class, bad.ExitCode, bad.Reason = BadRun, waybill.RunFailed, waybill.ClassConnector, &three, "exit code 3"
	bad.Trigger, bad.Actor = waybill.TriggerSchedule, ""
	for _, r := range []waybill.Run{good, bad} {
		if err := connectorstore.InsertRun(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

func fillHistory(ctx context.Context, tx *store.Tx) error {
	for _, e := range []waybill.Entry{
		{ID: "01KDXK0000ENTRY00000000001", Subject: "connector:shop-feed", Action: "step.build", After: "ok", Message: "sha256:9f2c71e0b7d4"},
		{ID: "01KDXK0000ENTRY00000000002", Subject: "connector:shop-feed", Action: "live.dev", Before: "", After: DevRelease},
		{ID: "01KDXK0000ENTRY00000000003", Subject: "connector:shop-feed-2", Action: "live.dev", After: "another connector"},
		{ID: "01KDXK0000ENTRY00000000004", Subject: "connector:shop-feed@2", Action: "step.build", Before: "waiting", After: "running"},
	} {
		e.At, e.Actor, e.Channel, e.Repository, e.Commit = Now(), "ada", waybill.ChannelGit, Repository, Good
		if err := store.Record(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

func fillSettings(ctx context.Context, tx *store.Tx) error {
	for i, s := range []platformstore.Setting{
		{Kind: waybill.KindTeam, Name: "feeds", Spec: waybill.Platform{Team: &waybill.TeamSpec{Members: []waybill.Member{{User: "ada", Role: "owner"}}, MaxConnectors: 10, MaxBuilds: 2, MaxRuns: 5}}},
		{Kind: waybill.KindSite, Name: "feeds-dev", Spec: waybill.Platform{Owner: "feeds", Site: &waybill.SiteSpec{
			Environment: waybill.Dev, Account: "acme", Project: "sandbox",
			Assignments: []waybill.AssignmentSpec{{Connector: "shop-feed", Major: 1, Config: map[string]string{"token": "hunter2"}, Enabled: true}},
		}}},
	} {
		s.Digest, s.Commit, s.File, s.Line, s.Applied = "sha256:s", Good, "waybill.yaml", 1+8*i, Now()
		if err := platformstore.Put(ctx, tx, s); err != nil {
			return err
		}
	}
	return nil
}
