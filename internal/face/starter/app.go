package starter

import (
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
)

// App returns the questions of an app in a folder. user and email are those of the person who asks, where known.
func App(folder, user, email string) (Set, error) {
	known := func(answer string) func(Answers) []string {
		return func(Answers) []string {
			if answer == "" {
				return nil
			}
			return []string{answer}
		}
	}
	listed := func(a Answers) bool { return a.First("distribution") != "private" }
	receives := func(a Answers) bool { return a.First("endpoint") != "" }
	const app = "#App"
	return bind(Set{Kind: "app", Questions: []Question{
		{Name: "name", Part: details, Ask: "Name", Default: named(folder), definition: app, path: schema.Path{"metadata", "name"}},
		{Name: "title", Part: details, Ask: "Title", Default: titled, definition: app, path: schema.Path{"metadata", "title"}},
		{Name: "description", Part: details, Ask: "Description, 20 to 140 characters", Default: described, definition: app, path: schema.Path{"metadata", "description"}},
		{Name: "owner", Part: details, Ask: "Owner, your team", definition: app, path: schema.Path{"metadata", "owner"}},
		{Name: "email", Part: "Support", Ask: "Address for questions", Default: known(email), definition: app, path: schema.Path{"metadata", "support", "email"}},
		{Name: "url", Part: "Support", Ask: "Page with help", Optional: true, definition: app, path: schema.Path{"metadata", "support", "url"}},
		{Name: "user", Part: "Members", Ask: "Its first owner, you", Default: known(user), definition: "#Member", path: schema.Path{"user"}},
		{Name: "distribution", Part: "Distribution", Ask: "Who may install it", definition: app, path: schema.Path{"spec", "distribution"}},
		{Name: "privacy", Part: "Distribution", Ask: "Page that says what happens with data", Asked: listed, definition: app, path: schema.Path{"metadata", "support", "privacy"}},
		{Name: "terms", Part: "Distribution", Ask: "Page with the terms of use", Asked: listed, definition: app, path: schema.Path{"metadata", "support", "terms"}},
		{Name: "allow", Part: "Distribution", Ask: "Workspaces that may install it", Many: true, Apart: ",", Optional: true, Asked: func(a Answers) bool { return !listed(a) }, definition: "#Workspace", path: schema.Path{"metadata", "name"}, Help: "Names of workspaces."},
		{Name: "scope", Part: "Rights", Ask: "Scope", Many: true, Optional: true, Check: wrongScope, Help: scopeHelp, Steps: scopeSteps(), Join: joinScope, definition: app, path: schema.Path{"spec", "scopes"}},
		{Name: "endpoint", Part: "Events", Ask: "Address that receives events", Optional: true, Help: "An https:// address; http://localhost works in drafts. Without an answer it receives none.", definition: "#Endpoint", path: schema.Path{"url"}},
		{Name: "event", Part: "Events", Ask: "Events", Many: true, Apart: ",", Optional: true, Asked: receives, Help: "Types of events, such as invoice.paid, or invoice.* for all of them.", definition: "#Webhook", path: schema.Path{"events"}},
		{Name: "payload", Part: "Events", Ask: "What is sent", Asked: func(a Answers) bool { return a.First("event") != "" }, definition: "#Webhook", path: schema.Path{"payload"}},
		{Name: "redirect-url", Part: "Installation", Ask: "Address that people are sent back to", Optional: true, Help: "Where people go after the installation; it is compared whole.", definition: app, path: schema.Path{"spec", "install", "redirectUrls"}},
		{Name: "setting", Part: "Installation", Ask: "Setting", Many: true, Optional: true, Check: wrongField, Help: settingHelp, Steps: fieldSteps("title"), Join: joinField("title"), definition: app, path: schema.Path{"spec", "install", "settings"}},
	}})
}

func described(a Answers) []string {
	const most = 140
	text := a.First("title") + " works with the data of a workspace."
	if len([]rune(text)) > most {
		return nil
	}
	return []string{text}
}

const scopeHelp = "A right that people agree to, as scope=purpose, such as invoices:read=Reads each paid invoice."

// Scope is a right that an app asks for.
type Scope struct{ Scope, Purpose string }

func wrongScope(_ Question, answer string, _ Answers) string {
	if scope, purpose, found := strings.Cut(answer, "="); !found || strings.TrimSpace(scope) == "" || len([]rune(strings.TrimSpace(purpose))) < 10 {
		return "write scope=purpose with at least 10 characters of purpose, such as invoices:read=Reads each paid invoice"
	}
	return ""
}

func scopeOf(answer string) Scope {
	scope, purpose, _ := strings.Cut(answer, "=")
	return Scope{Scope: strings.TrimSpace(scope), Purpose: strings.TrimSpace(purpose)}
}

func scopeSteps() []Question {
	return []Question{
		{Name: "scope", Ask: "Scope", Optional: true, Help: "A right such as invoices:read. Enter alone ends the list."},
		{Name: "purpose", Ask: "Purpose, as people read it"},
	}
}

func joinScope(steps Answers) string { return steps.First("scope") + "=" + steps.First("purpose") }
