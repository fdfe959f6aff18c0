package waybill_test

import (
	"testing"

	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestIdentityOfEveryKind(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, kind := range waybill.Kinds() {
		id := waybill.Identity{Kind: kind, Name: "feeds", Major: 1}
		text := id.String()
		if got := waybill.ParseIdentity(text); got != id {
			t.Errorf("ParseIdentity(%q) = %+v, want %+v", text, got, id)
		}
		if other, taken := seen[text]; taken {
			t.Errorf("%s and %s are both %q", kind, other, text)
		}
		seen[text] = kind
	}
	connector := waybill.Identity{Kind: waybill.KindConnector, Name: "feeds", Major: 2}
	app := waybill.Identity{Kind: waybill.KindApp, Name: "feeds", Major: 1}
	team := waybill.Identity{Kind: waybill.KindTeam, Name: "feeds", Major: 1}
	if connector.Claim() != app.Claim() || team.Claim() == app.Claim() {
		t.Error("a name is claimed over connectors and apps together, and per kind otherwise")
	}
	if connector.Label() != "feeds@2" || app.Label() != "feeds" || team.Label() != "team/feeds" {
		t.Errorf("labels are %q, %q, %q", connector.Label(), app.Label(), team.Label())
	}
}
