package manifest

import (
	"cmp"
	"slices"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Explanation is what `waybill explain` says about one code.
type Explanation struct {
	Code  waybill.FindingCode
	Title string // what is wrong, in a few words
	Why   string // why it matters, in one or two sentences
	Wrong string // an example with the mistake
	Right string // the same without
}

// Explain returns the explanation of a code, or ok false when there is no such code.
func Explain(code waybill.FindingCode) (e Explanation, ok bool) {
	for _, e := range Explanations() {
		if e.Code == code {
			return e, true
		}
	}
	return Explanation{}, false
}

// Explanations returns the explanation of every code that a check can report, in order. Those of the plan are here too.
func Explanations() []Explanation {
	all := slices.Concat(explainText(), explainSchema(), explainIdentity(), explainReleases(), explainReferences(), explainRuntime(),
		explainApps(), explainPlatform(), explainKnown())
	slices.SortFunc(all, func(a, b Explanation) int { return cmp.Compare(a.Code, b.Code) })
	return all
}

func explainText() []Explanation {
	return []Explanation{
		{
			NotYAML, "the document is not YAML",
			"A document that cannot be read hides everything in it, so this is its only finding; other documents of the file are checked.",
			"title: Shop: feed", `title: "Shop: feed"`,
		},
		{
			TooLarge, "the file is too large", "A manifest is at most 256 KiB, a document 5000 values, and 100 findings of a file are shown.",
			"a manifest that holds data", "a manifest that declares a connector; data is part of the image",
		},
		{
			TooManyDocuments, "too many documents in one file", "A file holds at most 100 documents.",
			"101 documents in waybill.yaml", "one waybill.yaml in each of several folders",
		},
		{TooDeep, "nested too deep", "No field needs more than 64 levels.", "a: [[[[[[…]]]]]]", "a: [x]"},
		{
			Alias, "aliases and merge keys", "A few lines of aliases can grow beyond any memory, and a reader has to look in two places.",
			"fields: *common", "fields: [{key: a, type: input, label: A}]",
		},
		{
			DuplicateField, "a field is written twice", "Only one of the two could count, and nobody would see which.",
			"title: Feed\ntitle: Shop feed", "title: Shop feed",
		},
		{NotText, "the file is not UTF-8 text", "Other encodings and control characters look different to every reader.", "title: M\\xf6bel", "title: Möbel"},
		{IllegalKey, "a key is no text", "YAML reads some words and numbers as other types.", "args: {1: x}", `args: {"1": x}`},
		{NotAMapping, "a document is no mapping", "A document declares one thing by named fields.", "- kind: Connector", "kind: Connector"},
		{LinkedManifest, "the manifest is a symbolic link", "A link can lead anywhere; the folder of the manifest is the unit of build.", "a/waybill.yaml → ../waybill.yaml", "a/waybill.yaml"},
		{ByteOrderMark, "the file starts with a byte order mark", "Other tools take it for a part of the first key.", "\\ufeffapiVersion: …", "apiVersion: …"},
		{WindowsLineEnds, "lines end in CRLF", "Texts over several lines would carry the line ends into the program.", "apiVersion: waybill.dev/v1\\r\\n", "apiVersion: waybill.dev/v1\\n"},
		{ExplicitTag, "an explicit type", "The schema knows the type of every field.", "title: !!str 42", `title: "42"`},
		{MisnamedManifest, "a file that looks like a manifest", "Only files named exactly waybill.yaml are read.", "waybill.yml", "waybill.yaml"},
		{EmptyManifest, "a manifest without documents", "It declares nothing; most often something was deleted by mistake.", "# empty", "apiVersion: waybill.dev/v1\nkind: Connector"},
	}
}

func explainSchema() []Explanation {
	return []Explanation{
		{MissingVersion, "apiVersion is missing", "It says by which rules the document is read.", "kind: Connector", "apiVersion: waybill.dev/v1\nkind: Connector"},
		{UnknownVersion, "apiVersion does not exist", "This version of Waybill reads waybill.dev/v1.", "apiVersion: v1", "apiVersion: waybill.dev/v1"},
		{UnknownKind, "kind is missing or does not exist", "The kind chooses the rules for everything else.", "kind: Conector", "kind: Connector"},
		{UnknownField, "a field that does not exist", "A misspelt field would be ignored in silence.", "spec: {trigers: []}", "spec: {run: {schedule: \"0 6 * * *\"}}"},
		{MissingField, "a required field is missing", "Nothing sensible could be assumed in its place.", "metadata: {name: shop-feed}", "metadata: {name: shop-feed, title: Shop feed, owner: feeds}"},
		{WrongType, "a value of the wrong type", "YAML reads 42 as a number and yes as text; quotes make text of anything.", "title: 42", `title: "42"`},
		{UnknownChoice, "none of the legal values", "The field takes one of a few words.", "type: datasorce", "type: datasource"},
		{IllegalValue, "a value of the wrong form, length or range", "The message says what is legal.", "version: 0", "version: 1"},
	}
}

func explainIdentity() []Explanation {
	return []Explanation{
		{IllegalName, "metadata.name is not legal", "The name becomes part of addresses, image names and status contexts.", "name: Shop_Feed", "name: shop-feed"},
		{"WB102", "the name is taken", "Names are unique in the portal, and the first repository keeps them.", "name: shop-feed # declared in another repository", "name: garden-shop-feed"},
		{
			Duplicate, "declared twice", "One (name, major) can only be one thing.",
			"two documents with name: shop-feed", "one with spec.version: 1 and one with spec.version: 2, or two names",
		},
		{
			CaseCollision, "two manifests whose paths differ in case only", "Some file systems can hold only one of the two folders, so a clone there loses the other.",
			"Feed/waybill.yaml and feed/waybill.yaml", "feed/waybill.yaml and garden-feed/waybill.yaml",
		},
		{"WB104", "spec.type has changed", "Sites and people rely on what a connector is.", "type: export # was datasource", "a new connector under another name"},
		{"WB105", "spec.flow has changed", "Projects are built around the flow of a connector.", "flow: migration # was default", "a new connector under another name"},
		{"WB106", "spec.execution.mode has changed", "Programs that run would lose their values.", "execution: {mode: arguments} # was environment", "a new connector under another name"},
	}
}

func explainReleases() []Explanation {
	return []Explanation{
		{
			"WB201", "a release tag that releases nothing", "The tag matches the pattern of a connector, but it is no version, or no connector declares its major.",
			"git tag v2.0.0 # spec.version: 1", "spec.version: 2 in the tagged commit",
		},
		{
			"WB202", "a published version would change", "Workspaces trust that 1.2.0 is the same for everybody, for ever.",
			"git tag --force v1.2.0 # published yesterday with other content", "git tag v1.2.1",
		},
		{
			"WB203", "the version is too small for the change",
			"Within a major, workspaces get new versions without being asked. A change that needs their consent, or takes something away, needs a new major.",
			"git tag v1.3.0 # with a new required scope, after v1.2.0", "git tag v2.0.0",
		},
		{IllegalPattern, "the pattern for release tags is not legal", "The pattern is a prefix and a * where the version stands.", "prod: {tag: v1.0.0}", "prod: {tag: \"v*\"}"},
		{IllegalBranch, "the dev branch is not legal", "It is the short name of a branch, as Git accepts it.", "dev: {branch: refs/heads/main}", "dev: {branch: main}"},
		{UnknownConfigKey, "a value for a field that does not exist", "The program would never see it.", "config: {base_ulr: x}", "config: {base_url: x}"},
		{IllegalConfig, "a value that its field does not take", "The first run would fail.", "config: {page_size: \"7\"}", "config: {page_size: \"100\"}"},
		{
			"WB208", "a pre-release that no pattern names", "Pre-releases go to prod only where the pattern has a - behind the *. This is a warning.",
			"git tag v1.0.0-rc.1 # prod: {tag: \"v*\"}", "prod: {tag: \"v*-*\"}",
		},
		{
			"WB209", "a file that the base branch changed too",
			"A pull request is judged by what merging it would make. Where both sides changed a file, each in its way, nobody can tell that yet. For a manifest this is an error, for any other file a warning: Git may still be able to merge its lines.",
			"waybill.yaml with title: Feed in the pull request and title: Shop in main, since they parted",
			"git merge origin/main # in the branch of the pull request",
		},
		{
			OutsideTargets, "access goes beyond targets", "Targets are the places that a connector may ever be opened to.",
			"targets: {accounts: [acme]}\naccess: {accounts: [umbrella]}", "targets: {accounts: [acme, umbrella]}\naccess: {accounts: [umbrella]}",
		},
		{EveryoneAndScopes, "access for everyone and for a list", "One of the two says nothing.", "access: {everyone: true, accounts: [acme]}", "access: {everyone: true}"},
	}
}

func explainReferences() []Explanation {
	return []Explanation{
		{ForeignOwner, "the owner is another team", "A repository declares connectors of the team it was added with.", "owner: other-team", "owner: feeds"},
		{MissingFile, "a path that does not exist", "What a manifest names must be in the same commit.", "build: {dockerfile: docker/Dockerfile}", "build: {dockerfile: Dockerfile}"},
		{OutsideRepository, "a path that leaves the repository", "Nothing outside the commit is ever read.", "build: {context: ../..}", "build: {context: .}"},
		{LinkedPath, "a path through a symbolic link", "A link can lead anywhere, so paths name real files.", "build: {dockerfile: link}", "build: {dockerfile: Dockerfile}"},
		{IllegalLogo, "the logo cannot be shown", "A logo is an SVG without scripts and references, or a square PNG up to 256 KiB.", "logo: logo.jpg", "logo: logo.svg"},
		{UnsupportedSource, "code in another place is not supported yet", "This version builds what lies beside the manifest.", "source: {repository: \"https://git.example.org/x.git\"}", "the code in the folder of the manifest"},
		{UnsupportedSecrets, "secrets are not supported yet", "Their store comes with a later version; until then nothing could resolve them.", "secrets: [{name: TOKEN, ref: {…}}]", "a field of type password"},
		{UnsupportedAuthentication, "authentication is not supported yet", "Runs receive credentials with a later version.", "authentication: {providers: [shop-login]}", "a field of type password"},
		{PasswordDefault, "a password in the manifest", "Whatever is in Git is no secret.", "{key: token, type: password, label: Token, default: s3cret}", "{key: token, type: password, label: Token}"},
	}
}

func explainRuntime() []Explanation {
	return []Explanation{
		{CollapsingKeys, "two fields become one variable", "base_url and base-URL both reach the program as BASE_URL.", "[{key: base_url, …}, {key: base-URL, …}]", "[{key: base_url, …}, {key: shop_url, …}]"},
		{IllegalDefault, "a default that its field does not take", "The form would start with a value that it refuses.", "{type: checkbox, default: maybe, …}", "{type: checkbox, default: true, …}"},
		{OptionsMismatch, "options where they do not belong, or none where they do", "Options belong to select and multiselect, which need them.", "{key: size, type: select, label: Size}", "{key: size, type: select, label: Size, options: [{value: s, label: Small}]}"},
		{DuplicateOption, "an option is there twice", "The program could not tell the two apart.", "[{value: s, label: Small}, {value: s, label: Short}]", "[{value: s, label: Small}, {value: t, label: Short}]"},
		{IllegalSchedule, "the schedule is not legal", "Five cron fields, with CRON_TZ=<zone> in front where the zone is not UTC.", "schedule: every day", `schedule: "CRON_TZ=Europe/Berlin 0 6 * * *"`},
		{IllegalDuration, "a duration is not legal", "Whole numbers with h, m and s, above zero and below the limit of the field.", "timeout: 2 days", "timeout: 48h"},
		{IllegalQuantity, "cores or memory are not legal", "Cores are text such as \"0.5\"; memory has a unit such as Mi.", "memory: 512MB", "memory: 512Mi"},
		{ReservedName, "a field takes a variable that is not its own", "WAYBILL_* belongs to Waybill, and PATH, HOME and a few more to the system.", "key: path", "key: feed_path"},
		{IllegalHost, "a host is not legal", "Hosts are names with an optional port, without scheme and path.", `egress: ["https://example.org/api"]`, "egress: [example.org]"},
		{HealthCheckMissing, "the health check is missing", "An image is run once before it is deployed; the policy of the platform demands it.", "application: {command: /bin/feed}", "application: {command: /bin/feed, healthCheck: {arguments: [--help]}}"},
	}
}
