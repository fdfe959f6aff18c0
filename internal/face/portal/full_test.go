package portal_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// full is a portal in the middle of a working day.
type full struct {
	*world
	shop                         waybill.Repository
	live, prod, failed, building waybill.Release
	older                        waybill.Release // of prod, which may be promoted
	lastRun, badRun, running     waybill.Run
	refused                      string // commit with findings
	longRelease                  waybill.Release
}

// fill puts into w what a busy team would see: two majors, a failed build, a refused manifest, long names, many runs.
func fill(w *world) *full {
	w.t.Helper()
	f := &full{world: w}
	at := func(ago time.Duration) time.Time { return now().Add(-ago) }
	ok := []waybill.Outcome{waybill.OK, waybill.OK, waybill.OK, waybill.OK}

	f.shop = w.repository("feeds", "shop-feed")
	w.claim(f.shop, "shop-feed")
	d := declaration("shop-feed", 1, "Shop feed", "feeds")
	f.older = w.release(f.shop, d, waybill.Prod, "1.0.0", at(30*24*time.Hour), ok...)
	f.prod = w.release(f.shop, d, waybill.Prod, "1.1.0", at(6*24*time.Hour), ok...)
	w.live(f.prod, at(6*24*time.Hour-5*time.Second))
	for i := range 4 {
		w.release(f.shop, d, waybill.Dev, "", at(time.Duration(20-i)*time.Hour), waybill.OK, waybill.OK, waybill.OK)
	}
	w.release(f.shop, d, waybill.Dev, "", at(4*time.Hour), waybill.Superseded)
	f.live = w.release(f.shop, d, waybill.Dev, "", at(3*time.Hour), waybill.OK, waybill.OK, waybill.OK)
	w.live(f.live, at(3*time.Hour-6*time.Second))
	w.assign("feeds-dev", "shop-feed", 1, map[string]string{"base_url": "https://shop.example", "api_key": "hunter2"})
	w.assign("feeds-prod", "shop-feed", 1, map[string]string{"base_url": "https://shop.example"})
	f.failed = w.release(f.shop, d, waybill.Dev, "", at(4*time.Minute), waybill.Failed)
	w.logs.add("release/"+f.failed.ID+"/build", buildLog(30))

	for i := range 60 {
		state, code := waybill.RunSucceeded, 0
		if i%11 == 7 {
			state, code = waybill.RunFailed, 85
		}
		if i == 33 {
			state, code = waybill.RunTimedOut, 124
		}
		site, rel := "feeds-prod", f.prod
		if i%3 == 0 {
			site, rel = "feeds-dev", f.live
		}
		w.seq++
		r := w.run(rel, site, state, code, at(time.Duration(60-i)*50*time.Minute), time.Duration(600+(i*7919)%3300)*time.Millisecond)
		w.logs.add(r.Stdout, "{\"id\":1,\"title\":\"Shoe\",\"price\":\"19.90\"}\n{\"id\":2,\"title\":\"Hat\",\"price\":\"9.90\"}\n")
		if state == waybill.RunFailed {
			f.badRun = r
		}
	}
	f.badRun = w.run(f.prod, "feeds-prod", waybill.RunFailed, 85, at(9*time.Minute), 1300*time.Millisecond)
	w.logs.add(f.badRun.Stdout, `{"level":"info","message":"reading products","page":1}`+"\n"+`{"level":"debug","message":"GET /products?page=1","ms":112}`+"\n"+
		`{"id":1,"title":"Shoe","price":"19.90"}`+"\n"+`{"level":"warning","message":"slow answer","ms":2800}`+"\n"+`{"level":"error","message":"the shop does not answer","status":503}`+"\n")
	w.logs.add(f.badRun.Stderr, "panic: giving up after 3 attempts\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/cmd/feed/main.go:87 +0x1f4\n")
	f.lastRun = w.run(f.live, "feeds-dev", waybill.RunSucceeded, 0, at(2*time.Minute), 840*time.Millisecond)
	w.logs.add(f.lastRun.Stdout, "{\"id\":1}\n")
	f.running = w.run(f.live, "feeds-dev", waybill.RunRunning, -1, at(20*time.Second), 0)
	w.logs.add(f.running.Stdout, "{\"id\":1}\n{\"id\":2}\n")
	w.logs.add(f.running.Stderr, "")

	f.fillOthers(at, ok)
	return f
}

func (f *full) fillOthers(at func(time.Duration) time.Time, ok []waybill.Outcome) {
	w := f.world
	two := declaration("shop-feed", 2, "Shop feed", "feeds")
	f.building = w.release(f.shop, two, waybill.Dev, "", at(8*time.Second), waybill.Running)
	w.logs.add("release/"+f.building.ID+"/build", "#1 load build definition from Dockerfile\n#1 DONE 0.0s\n")

	long := "international-order-export-to-warehouse"
	erp := w.repository("enterprise-integrations-emea", "warehouse-and-order-connectors")
	w.claim(erp, long)
	dl := declaration(long, 1, "International order export to the warehouse of EMEA", erp.Owner)
	dl.Folder, dl.File = "connectors/international/order-export", "connectors/international/order-export/waybill.yaml"
	f.longRelease = w.release(erp, dl, waybill.Prod, "12.4.0", at(40*24*time.Hour), ok...)
	w.live(f.longRelease, at(40*24*time.Hour))
	w.live(w.release(erp, dl, waybill.Dev, "", at(30*time.Hour), waybill.OK, waybill.OK, waybill.OK), at(30*time.Hour))
	w.run(f.longRelease, erp.Owner+"-prod", waybill.RunSucceeded, 0, at(5*time.Hour), 95*time.Second)

	pim := w.repository("catalog", "pim")
	w.claim(pim, "pim-products")
	dp := declaration("pim-products", 1, "PIM products", "catalog")
	w.live(w.release(pim, dp, waybill.Dev, "", at(50*time.Hour), waybill.OK, waybill.OK, waybill.OK), at(50*time.Hour))
	f.refused = w.sha()
	findings := waybill.Findings{
		{Code: "WB101", Severity: waybill.SeverityError, File: "waybill.yaml", Line: 4, Column: 9, Path: "metadata.name", Message: `name "PIM Products" is not lower case with dashes`, Hint: `write "pim-products"`, Fix: "pim-products"},
		{Code: "WB010", Severity: waybill.SeverityError, File: "waybill.yaml", Line: 14, Column: 7, Path: "spec.run.trigers", Message: `unknown field "trigers"`, Hint: `did you mean "triggers"?`},
		{Code: "WB502", Severity: waybill.SeverityError, File: "waybill.yaml", Line: 21, Column: 15, Path: "spec.run.schedule", Message: `"every hour" is no cron expression`, Hint: `five fields, such as "0 * * * *"`},
		{Code: "WB305", Severity: waybill.SeverityError, File: "waybill.yaml", Line: 27, Column: 17, Path: "spec.build.dockerfile", Message: "there is no file Dockerfile.prod", Hint: "paths are relative to the folder of the manifest"},
		{Code: "WB210", Severity: waybill.SeverityWarning, File: "waybill.yaml", Line: 30, Column: 5, Path: "spec.release", Message: "access reaches further than targets"},
	}
	w.check(pim, "refs/heads/main", f.refused, at(25*time.Minute), findings, waybill.Status{
		Context: "waybill/pim-products/validate", State: waybill.StateFailure, Outcome: waybill.Failed,
		Description: findings.Summary(), URL: "/repositories/catalog/pim/commits/" + f.refused,
	})
	c := f.failed
	w.check(f.shop, "refs/heads/main", c.Commit, at(4*time.Minute), nil,
		waybill.Status{Context: "waybill/shop-feed/validate", State: waybill.StateSuccess, Outcome: waybill.OK, Description: "1 connector"},
		waybill.Status{Context: "waybill/shop-feed/build", State: waybill.StateFailure, Outcome: waybill.Failed, Description: waybill.Describe(c.Steps[0].Detail), URL: "/releases/" + c.ID},
	)
	w.declareSettings()
	w.claim(pim, "price-history")
	for i, step := range []string{"build", "runtime", "dev"} {
		w.write(func(tx *store.Tx) error {
			return store.Record(w.t.Context(), tx, waybill.Entry{
				At: at(3*time.Hour - time.Duration(i)*time.Second), Actor: "ada", Channel: waybill.ChannelGit, Repository: f.shop.ID, Commit: f.live.Commit,
				Subject: "connector:shop-feed", Action: "step." + step, Before: "running", After: "ok", Message: fmt.Sprintf("%s ended", strings.ToTitle(step[:1])+step[1:]),
			})
		})
	}
}
