package starter

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
)

// Parts of the set-up of a connector.
const (
	details     = "Details"
	control     = "Version control"
	application = "Application"
	secrets     = "Authentication and secrets"
	fields      = "Individual configuration"
	execution   = "Execution"
	special     = "What only this type has"
)

// Connector returns the questions of a connector in a folder.
func Connector(folder string) (Set, error) {
	typed := func(types ...string) func(Answers) bool {
		return func(a Answers) bool { return slices.Contains(types, a.First("type")) }
	}
	const datasource, export, service = "#ConnectorDatasource", "#ConnectorExport", "#ConnectorDataService"
	return bind(Set{Kind: "connector", Questions: []Question{
		{Name: "name", Part: details, Ask: "Name", Default: named(folder), definition: datasource, path: schema.Path{"metadata", "name"}},
		{Name: "title", Part: details, Ask: "Title", Default: titled, definition: datasource, path: schema.Path{"metadata", "title"}},
		{Name: "description", Part: details, Ask: "Description", Optional: true, definition: datasource, path: schema.Path{"metadata", "description"}},
		{Name: "type", Part: details, Ask: "What does it do", Default: always("datasource"), choices: types(), Help: "What it does decides what else is asked. It never changes."},
		{Name: "flow", Part: details, Ask: "Flow", definition: datasource, path: schema.Path{"spec", "flow"}},
		{Name: "owner", Part: details, Ask: "Owner, your team", definition: datasource, path: schema.Path{"metadata", "owner"}},
		{Name: "branch", Part: control, Ask: "Branch that goes to dev", Optional: true, Help: "Without an answer it is the default branch of the repository.", definition: datasource, path: schema.Path{"spec", "release", "dev", "branch"}},
		{Name: "command", Part: application, Ask: "Command", Help: "Path of the program in the image. A starter for it is written.", Default: command, Check: absolute, definition: datasource, path: schema.Path{"spec", "application", "command"}},
		{Name: "argument", Part: application, Ask: "Arguments", Many: true, Apart: " ", Optional: true, Default: always("run"), Check: argument, Help: "What the program is called with at each run.", definition: datasource, path: schema.Path{"spec", "application", "arguments"}},
		{Name: "health-argument", Part: application, Ask: "Arguments of the health check", Many: true, Apart: " ", Default: always("--check"), Check: argument, Help: "They come after the others; exit code 0 within 5s is healthy.", definition: datasource, path: schema.Path{"spec", "application", "healthCheck", "arguments"}},
		{Name: "field", Part: fields, Ask: "Field", Many: true, Optional: true, Check: wrongField, Help: fieldHelp, Steps: fieldSteps("label"), Join: joinField("label"), definition: datasource, path: schema.Path{"spec", "fields"}},
		{Name: "mode", Part: execution, Ask: "How values reach the program", definition: datasource, path: schema.Path{"spec", "execution", "mode"}},
		{Name: "timeout", Part: execution, Ask: "Longest run", definition: datasource, path: schema.Path{"spec", "run", "timeout"}},
		{Name: "schedule", Part: execution, Ask: "Schedule", Optional: true, Help: `Five cron fields, such as "0 6 * * *", optionally with CRON_TZ=Europe/Berlin in front. Without an answer it runs on demand.`, definition: datasource, path: schema.Path{"spec", "run", "schedule"}},
		{Name: "category", Part: special, Ask: "Categories in the catalog", Many: true, Apart: ",", Asked: typed("datasource"), Default: always("miscellaneous"), definition: datasource, path: schema.Path{"spec", "datasource", "categories"}},
		{Name: "channel", Part: special, Ask: "Channels", Many: true, Apart: ",", Asked: typed("export", "export-delta"), Default: own, definition: export, path: schema.Path{"spec", "export", "channels"}},
		{Name: "feedback", Part: special, Ask: "Do the channels report back", Asked: typed("export", "export-delta"), Default: always("false"), choices: []Choice{{"false", ""}, {"true", ""}}, Help: "Whether they say what became of each row."},
		{Name: "stage", Part: special, Ask: "Stages it takes part in", Many: true, Apart: ",", Asked: typed("data-service"), Default: always("intermediate"), definition: service, path: schema.Path{"spec", "dataService", "stages"}},
		{Name: "column-prefix", Part: special, Ask: "Prefix of its columns", Asked: typed("data-service"), Default: prefix, definition: service, path: schema.Path{"spec", "dataService", "columnPrefix"}},
	}})
}

// Parts returns the headings of a set, in order. One is there to be read: nothing is asked about it yet.
func (s Set) Parts() []string {
	var parts []string
	for _, q := range s.Questions {
		if len(parts) == 0 || parts[len(parts)-1] != q.Part {
			parts = append(parts, q.Part)
		}
		if q.Part == application && !slices.Contains(parts, secrets) && q.Name == "health-argument" {
			parts = append(parts, secrets)
		}
	}
	return parts
}

// Note returns what there is to say about a part without questions.
func (s Set) Note(part string) string {
	if part == secrets {
		return "The manifest shows how sign-in and secrets are written; nothing is asked."
	}
	return ""
}

func types() []Choice {
	return []Choice{
		{"datasource", "offers data of a shop, a platform or a service"},
		{"export", "sends all data of a project to channels"},
		{"export-delta", "sends what changed to channels"},
		{"data-service", "computes columns while data passes"},
		{"download", "fetches files"},
		{"transform", "turns rows into other rows"},
		{"write", "writes rows into another system"},
		{"upload", "puts files somewhere"},
	}
}

func always(answer string) func(Answers) []string {
	return func(Answers) []string { return []string{answer} }
}

// named makes a name of a folder's: "Shop Feed.v2" becomes shop-feed-v2. There is none when nothing legal is left.
func named(folder string) func(Answers) []string {
	return func(Answers) []string {
		words := strings.FieldsFunc(strings.ToLower(filepath.Base(folder)), func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9')
		})
		const least, most = 3, 40
		name := strings.Join(words, "-")
		if len(name) < least || len(name) > most || name[0] < 'a' {
			return nil
		}
		return []string{name}
	}
}

// titled makes a title of the name: shop-feed becomes Shop feed.
func titled(a Answers) []string {
	name := strings.ReplaceAll(a.First("name"), "-", " ")
	if name == "" {
		return nil
	}
	return []string{strings.ToUpper(name[:1]) + name[1:]}
}

func command(a Answers) []string { return []string{"/bin/" + a.First("name")} }

func own(a Answers) []string { return []string{a.First("name")} }

// prefix makes a column prefix of the name: shop-feed becomes shop_feed_.
func prefix(a Answers) []string {
	const most = 40
	name := strings.ReplaceAll(a.First("name"), "-", "_") + "_"
	return []string{name[:min(len(name), most)]}
}

// absolute demands a path that the starter's Dockerfile can put a file at.
func absolute(_ Question, answer string, _ Answers) string {
	switch {
	case !strings.HasPrefix(answer, "/") || strings.HasSuffix(answer, "/") || filepath.Clean(answer) != answer:
		return "write the whole path of a file in the image, such as /bin/feed"
	case strings.ContainsAny(answer, " $\\\"'"):
		return "leave out spaces, quotes, $ and \\"
	}
	return ""
}

func argument(_ Question, answer string, _ Answers) string {
	if answer == "" {
		return "an argument is empty"
	}
	return ""
}
