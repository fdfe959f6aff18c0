package manifest

func explainApps() []Explanation {
	return []Explanation{
		{
			SupportMissing, "nobody to ask for help", "People who install an app must be able to reach somebody.",
			"support: {privacy: \"https://example.org/privacy\"}", "support: {email: apps@example.org}",
		},
		{
			TermsMissing, "privacy or terms are missing", "An app that others can find has to say what happens with their data and what they agree to.",
			"distribution: listed", "distribution: listed # with metadata.support.privacy and metadata.support.terms",
		},
		{
			NotPrivate, "an allowlist above private", "The list says who may install a private app; an unlisted or listed one is open.",
			"distribution: unlisted\nallowlist: [{workspace: acme}]", "distribution: private\nallowlist: [{workspace: acme}]",
		},
		{
			OwnerMissing, "no member is an owner", "Somebody has to be able to publish, to rotate secrets and to hand the app on.",
			"members: [{user: ada, role: developer}]", "members: [{user: ada, role: owner}]",
		},
		{
			MissingScope, "an event without its scope", "An app is told only of events whose scope people have agreed to.",
			"scopes: []\nwebhooks: [{name: paid, endpoint: main, events: [invoice.paid]}]",
			"scopes: [{scope: \"invoices:read\", purpose: Reads paid invoices.}]\nwebhooks: [{name: paid, endpoint: main, events: [invoice.paid]}]",
		},
		{UnknownEvent, "an event that no catalog has", "Nothing would ever be sent.", "events: [invoice.payed]", "events: [invoice.paid]"},
		{UnknownScope, "a scope that does not exist", "Nobody could agree to it. Scopes are those of the event catalog, and of an app those that it asks for.", "scope: \"invoice:read\"", "scope: \"invoices:read\""},
		{UnknownEndpoint, "an endpoint that is not declared", "The webhook would have no address.", "endpoints: {main: {…}}\nwebhooks: [{endpoint: man, …}]", "endpoints: {main: {…}}\nwebhooks: [{endpoint: main, …}]"},
		{RetiredEvent, "an event that is no longer sent", "The catalog keeps it so that old messages can be read. This is a warning.", "events: [invoice.closed]", "events: [invoice.paid]"},
		{
			UnknownDataType, "a category or data type that no event has", "The webhook would be told of nothing.",
			"{events: [invoice.paid], dataTypes: [costumer]}", "{events: [invoice.paid], dataTypes: [customer]}",
		},
		{IllegalDate, "a day that does not exist", "Dates are written year-month-day.", "until: 2026-02-30", "until: 2026-02-28"},
		{
			IllegalURL, "an address of the wrong form", "Addresses are https:// and compared whole, so they have no *, no # and no password in them.",
			"redirectUrls: [\"https://*.example.org\"]", "redirectUrls: [\"https://app.example.org/back\"]",
		},
		{
			DraftOnly, "an address for drafts only", "http://localhost is a help while you write the app; nobody else can reach it. This is a warning until you publish.",
			"url: \"http://localhost:8080/hook\"", "url: \"https://hooks.example.org/waybill\"",
		},
		{DuplicateEntry, "an entry is there twice", "One of the two says nothing, or they contradict each other.", "members: [{user: ada, role: owner}, {user: ada, role: viewer}]", "members: [{user: ada, role: owner}]"},
		{
			IllegalFilter, "a filter that cannot be evaluated", "A filter is a CEL expression over event, workspace, timestamp and data that is true or false.",
			"filter: amount > 100", "filter: data.amount > 100",
		},
		{IllegalRegexp, "a pattern that is no regular expression", "Patterns are those of RE2, which has no look-ahead and no back-references.", "pattern: \"L[0-9\"", "pattern: \"^L[0-9]{4}$\""},
	}
}
