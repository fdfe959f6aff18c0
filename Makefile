# Waybill. `make` lists what can be done here. Everything that checks or sets up stands in .tools/.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
DATABASE ?=
FUZZTIME ?= 10s
BENCH    ?= .

setup := .tools/setup

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup-demo ## Push a connector, watch it deploy, run it, open the page (DATABASE=postgres://… instead of SQLite)
	@DATABASE='$(DATABASE)' VERSION='$(VERSION)' .tools/demo

.PHONY: run
run: build ## Start the server on this folder's .waybill
	bin/waybill serve $(if $(DATABASE),--database '$(DATABASE)')

.PHONY: build
build: ## Compile bin/waybill
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/waybill ./cmd/waybill

.PHONY: test
test: setup-test ## Run every test with the race detector, on real parts; none is skipped, missing parts are installed
	go test -race -p 2 -timeout 8m ./...

.PHONY: test-all
test-all: test test-gitea test-samples mutations fuzz ## Run the tests, those with Gitea and with published samples, the mutations of the schemas, and every fuzz target for FUZZTIME each

# Their names have Gitea in them; the others have run already.
.PHONY: test-gitea
test-gitea: setup-test-all
	go test -race -p 1 -tags gitea -run Gitea -timeout 30m ./internal/testkit ./internal/git/forge/... ./internal/server

.PHONY: test-samples
test-samples: ## Read every payload that GitHub's community publishes, print what becomes of each event, and hold every request to GitHub to its description
	@$(setup)/octokit
	go test -tags octokit -run Octokit -v ./webhooks
	go test -tags octokit ./internal/git/forge/github

.PHONY: mutations
mutations: ## Remove each constraint and each check of manifests in turn, and see whether a case of the corpus notices
	go test -tags mutation -run Mutations -v -timeout 30m ./internal/git/manifest

.PHONY: lint
lint: ## Check format, style, imports and go.mod
	.tools/golangci-lint run
	go vet ./...
	go mod tidy -diff

.PHONY: fmt
fmt: ## Format the Go files
	.tools/golangci-lint fmt

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (10s) each
	@FUZZTIME='$(FUZZTIME)' .tools/fuzz

.PHONY: bench
bench: setup-test ## Run the benchmarks, and compare those that have a target with it
	@.tools/bench '$(BENCH)'

.PHONY: bench-gitea
bench-gitea: setup-test-all ## Measure what a pusher to a real Gitea waits for
	@.tools/bench Gitea -tags gitea -benchtime 30x ./internal/server

.PHONY: verify
verify: lint test demo ## Run everything a change must pass

.PHONY: image
image: rootfs ## Build the container image waybill:VERSION
	docker build --target local --tag 'waybill:$(VERSION)' .

# What the image holds beside its settings. Certificates come from this machine, where it has them.
.PHONY: rootfs
rootfs: build
	rm -rf bin/rootfs
	mkdir -p bin/rootfs/data bin/rootfs/etc/ssl/certs bin/rootfs/tmp
	cp bin/waybill bin/rootfs/
	if [ -e /etc/ssl/certs/ca-certificates.crt ]; then cp /etc/ssl/certs/ca-certificates.crt bin/rootfs/etc/ssl/certs/; fi

.PHONY: setup-demo
setup-demo:
	@$(setup)/packages git docker
	@$(setup)/docker-engine
	@$(setup)/busybox-image

.PHONY: setup-test
setup-test:
	@$(setup)/packages git compiler docker postgresql chromium prometheus busybox-static
	@$(setup)/docker-engine
	@$(setup)/busybox-image

# Compiles Gitea when it is not there, which takes minutes.
.PHONY: setup-test-all
setup-test-all: setup-test
	@$(setup)/gitea
