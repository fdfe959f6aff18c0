package manifest

func explainPlatform() []Explanation {
	return []Explanation{
		{
			ChannelOrVersion, "a channel and a version, or neither", "An installed app follows a channel or stays at a version.",
			"{app: invoice-sync, channel: published, version: 1.4.0}", "{app: invoice-sync, channel: published}",
		},
		{
			IllegalSchema, "the schema of an event is not legal", "Data of events is an object, described by JSON Schema without references to other places.",
			"schema: {type: objekt}", "schema: {type: object, properties: {amount: {type: number}}}",
		},
		{IllegalGlob, "a pattern that cannot be read", "A * stands for any part of a name; brackets have to be closed.", "branches: [\"release/[0-9\"]", "branches: [\"release/*\"]"},
		{
			PlatformOnly, "a kind of the platform repository", "What concerns everybody is declared in one repository, which the server's configuration names.",
			"kind: Team # in the repository of a connector", "kind: Team # in the platform repository",
		},
		{
			ForbiddenImage, "a base image that is not allowed", "A policy of the platform lists the images that Dockerfiles may start from.",
			"FROM ubuntu:latest # baseImages: [busybox:*]", "FROM busybox:1.36",
		},
		{
			PolicyBroken, "a policy is not kept", "The platform demands more than the format; the message is that of the policy.",
			"run: {timeout: 6h} # the policy allows an hour", "run: {timeout: 1h}",
		},
		{
			IllegalConstraints, "the constraints of a policy cannot be read", "They are one CUE file without imports beyond CUE's own packages.",
			"spec: run: timeout: =~", "spec: run: timeout: =~\"^[0-9]+m$\"",
		},
		{
			"WB906", "a setting that contradicts what is there", "Sites keep their environment, and a watched repository its address, as long as they exist.",
			"environment: prod # it was dev", "a new site under another name",
		},
	}
}

// explainKnown explains references to what does not exist.
func explainKnown() []Explanation {
	return []Explanation{
		{UnknownTeam, "a team that does not exist", "Somebody has to answer for everything that is declared.", "owner: feds", "owner: feeds"},
		{UnknownProvider, "an AuthProvider that does not exist", "There would be nothing to sign in with.", "credentials: {shop-logn: {…}}", "credentials: {shop-login: {…}}"},
		{UnknownSite, "a site that does not exist", "The connector would be deployed nowhere.", "dev: {site: feeds-dve}", "dev: {site: feeds-dev}"},
		{UnknownConnector, "a connector that does not exist", "The name or its major is declared nowhere.", "{connector: shop-fed}", "{connector: shop-feed, version: 1}"},
		{UnknownApp, "an app that does not exist", "Nothing could be installed.", "{app: invoice-snyc, channel: published}", "{app: invoice-sync, channel: published}"},
		{UnknownWorkspace, "a workspace that does not exist", "The entry would let nobody in.", "allowlist: [{workspace: acme-tets}]", "allowlist: [{workspace: acme-test}]"},
		{UnknownForge, "a forge that is not configured", "The server would not know how to read the repository and whom to answer.", "forge: githb", "forge: github"},
	}
}
