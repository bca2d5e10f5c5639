# Needs GNU make and Go; `make help` lists the targets. Tools are run by
# `go run tool@version`, so nothing is installed and go.mod does not grow.

MODULES     := . examples
FUZZTIME    ?= 30s
SOAKTIME    ?= 2m
ARGS        ?=
BUF         := go run github.com/bufbuild/buf/cmd/buf@v1.73.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# The race detector needs cgo, which Go turns off where it finds no C compiler.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

.PHONY: check help test conformance lint fuzz fuzz-short soak soak-short run fmt tidy proto proto-check
.DEFAULT_GOAL := check

check: lint test ## Lint and test: the default

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' Makefile

test: ## Run every test of both modules, shuffled and with the race detector
	@$(if $(RACE),,echo "test: without the race detector, which needs a C compiler")
	@status=0; \
	for m in $(MODULES); do \
		go -C $$m test -shuffle=on $(RACE) ./... || status=1; \
	done; \
	exit $$status

# The suites fail unless they count what the table says.
conformance: ## Run the suites of published vectors and print what they count
	@go test -count=1 -run '^TestConformance$$' ./claims >&2 && cat claims/testdata/conformance.md

# Every step runs, whatever the others find.
lint: ## gofmt, go vet, staticcheck and go mod tidy -diff in both modules
	@status=0; \
	failed() { echo "lint: $$* failed" >&2; status=1; }; \
	files=$$(gofmt -l .) && [ -z "$$files" ] || { echo "$$files"; failed "gofmt (try make fmt)"; }; \
	for m in $(MODULES); do \
		go -C $$m vet ./... || failed "go vet in $$m"; \
		go -C $$m run $(STATICCHECK) ./... || failed "staticcheck in $$m"; \
		go -C $$m mod tidy -diff || failed "go mod tidy -diff in $$m (try make tidy)"; \
	done; \
	exit $$status

# `go test -list` prints the targets of a package, then "ok" and its path. Go
# fuzzes one target at a time.
fuzz: ## Run every fuzz target of both modules for FUZZTIME (30s) each
	@status=0; found=; \
	for m in $(MODULES); do \
		list=$$(go -C $$m test -list '^Fuzz' ./...) || { echo "fuzz: $$m does not build" >&2; exit 1; }; \
		for t in $$(echo "$$list" | awk '/^Fuzz/ { t[n++] = $$1 } \
			/^ok/ { for (i = 0; i < n; i++) print $$2 ":" t[i]; n = 0 }'); do \
			found=yes; echo "fuzz: $$t for $(FUZZTIME)"; \
			go -C $$m test -run '^$$' -fuzz "^$${t#*:}$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$${t%:*}" || \
				{ echo "fuzz: $$t failed" >&2; status=1; }; \
		done; \
	done; \
	[ "$$found" ] || { echo "fuzz: no fuzz target found" >&2; exit 1; }; \
	exit $$status

# By number: at the end of a time, go test may fail of its own deadline.
fuzz-short: FUZZTIME = 20000x
fuzz-short: fuzz ## The same for 20,000 inputs each, as in CI

# Rotations and outages under load on both transports; wrong outcomes, growing
# memory or goroutines left behind make it fail.
soak: ## Run the soak for SOAKTIME (2m)
	@go -C examples run ./soak -for $(SOAKTIME)

soak-short: SOAKTIME = 20s
soak-short: soak ## The same for 20s, as in CI

run: ## Run the example services; ARGS="-issuer URL" passes flags
	@go -C examples build -o orders/orders ./orders && exec examples/orders/orders $(ARGS)

fmt: ## Format the Go code
	@gofmt -w .

tidy: ## Tidy go.mod and go.sum of both modules
	@for m in $(MODULES); do go -C $$m mod tidy || exit 1; done

proto: ## Lint the .proto files and generate their Go code
	@cd examples/orders && $(BUF) lint && $(BUF) generate

proto-check: ## Fail if the generated Go code is not current
	@tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && cd examples/orders && \
	$(BUF) lint && $(BUF) generate -o "$$tmp" && diff -r orderspb "$$tmp/orderspb"
