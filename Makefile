# Needs GNU make and Go; `make help` lists the targets. Tools are run by
# `go run tool@version`, so nothing is installed and go.mod does not grow.

MODULES     := . claims/redisstore claims/telemetry examples examples/bench examples/mcp examples/neighbours \
	examples/opaque examples/permissions httpmw/connectmw
PROTOS      := grpcmw examples/orders examples/permissions
CI          := $(patsubst %/main.go,./%,$(wildcard .ci/*/main.go))
FUZZTIME    ?= 30s
SOAKTIME    ?= 2m
SOAKSTREAMS ?= 10000
COUNT       ?= 10
BENCHTIME   ?= 200ms
MUTATE      ?= ./claims $(filter-out %/conformance,$(wildcard ./claims/internal/*)) \
	./claims/httpauth ./httpmw ./grpcmw ./grpcmw/internal/nearest
ARGS        ?=
BUF         := go run github.com/bufbuild/buf/cmd/buf@v1.73.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
APIDIFF     := go run golang.org/x/exp/cmd/apidiff@v0.0.0-20250819193227-8b4c13bb791b
CYCLONEDX   := go run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0
BENCHSTAT   := go run golang.org/x/perf/cmd/benchstat@v0.0.0-20250605212013-b481878a17be

PEERS      := github.com/golang-jwt/jwt/v5 github.com/MicahParks/keyfunc/v3 \
	github.com/coreos/go-oidc/v3 github.com/lestrrat-go/jwx/v2 \
	github.com/auth0/go-jwt-middleware/v2 github.com/auth0/go-jwt-middleware/v3
BENCHFLAGS := -test.run '^$$' -test.bench . -test.benchtime $(BENCHTIME)

# The race detector needs cgo, which Go turns off where it finds no C compiler.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

.PHONY: check help test test-386 test-clients test-fips140 test-postgres test-redis \
	conformance lint knots columns mutate mutate-short fuzz fuzz-short soak soak-short bench bench-short bench-report \
	bench-stat bench-plot run fmt tidy proto proto-check rules-check examples docs-check \
	release-check sbom
.DEFAULT_GOAL := check

check: lint test ## Lint and test: the default

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-13s %s\n", $$1, $$2 }' Makefile

test: ## Run every test of every module, shuffled and with the race detector
	@$(if $(RACE),,echo "test: without the race detector, which needs a C compiler")
	@status=0; \
	for m in $(MODULES); do \
		go -C $$m test -shuffle=on $(RACE) ./... || status=1; \
	done; \
	$(if $(RACE),go test -run '^TestBudget' ./claims ./httpmw ./grpcmw || status=1;) \
	exit $$status

# On 32 bits an int is half as long. Not every Linux on amd64 runs such programs:
# where they do not run, the tests are compiled at least.
test-386: export GOARCH = 386
test-386: export CGO_ENABLED = 0
test-386: ## Run the tests of the library as a 32-bit program
	@if go run ./.ci/columns Makefile >/dev/null 2>&1; then \
		go test -shuffle=on ./...; \
	else \
		echo "test-386: no 32-bit program runs here: go vet alone" >&2; go vet ./...; \
	fi

# What the other tests sign with has no place in FIPS 140-3.
FIPS140 := ^(Wycheproof|RFC_vectors|RFC_keys)
test-fips140: export GODEBUG = fips140=only
test-fips140: ## Run the published vectors and claimstest as FIPS 140-3 wants it
	@go test -count=1 -run '^TestConformance$$/^suites$$/$(FIPS140)' ./claims
	@go test -count=1 ./claims/claimstest

# Installs PostgreSQL where there is none; with SALLYPORT_POSTGRES set to the URL
# of a server, the tests of examples/permissions use that by themselves.
test-postgres: ## Run the tests that need SQL on a PostgreSQL server of their own
	@.ci/postgres

# Installs Redis where there is none; with SALLYPORT_REDIS set to a server's program,
# such as redis-server, make test runs these tests too.
test-redis: ## Run the tests that need Redis on servers of their own
	@.ci/redis

# With no tag there is nothing to compare the API with.
release-check: sbom ## Compare the API with the last tag; bill of materials, licences, reasons
	@if tag=$$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null); then \
		old=$$(mktemp -d) && trap 'git worktree remove --force "$$old"' EXIT && \
		git worktree add --quiet --detach "$$old" "$$tag" && \
		(cd "$$old" && $(APIDIFF) -m -w "$$old/api" github.com/sallyport-go/sallyport) && \
		$(APIDIFF) -m "$$old/api" github.com/sallyport-go/sallyport; \
	else \
		echo "release-check: no tag yet: nothing to compare the API with"; \
	fi
	@go run ./.ci/licences <sbom.json

sbom: ## Write the bill of materials of the root module, sbom.json (CycloneDX)
	@$(CYCLONEDX) mod -licenses -json -output sbom.json . 2>sbom.log || { cat sbom.log; exit 1; }
	@rm -f sbom.log

examples: ## Run every example's test
	@for m in $(filter-out examples/bench,$(filter examples%,$(MODULES))); do \
		go -C $$m test ./... || exit 1; \
	done

# promtool comes with Prometheus; Debian has it in the package prometheus.
rules-check: ## Let promtool check the alert rules, and test when they fire
	@cd claims/telemetry/prometheus && \
	promtool check rules alerts.yml && promtool test rules alerts_test.yml

# Installs Node.js from Debian where there is none, and the packages of the
# clients from npm, as the lock file has them; scripts of packages do not run.
test-clients: ## Have clients of JavaScript (grpc-js, connect-node) read refusals
	@command -v node >/dev/null && command -v npm >/dev/null || apt-get install -y -qq nodejs npm
	@npm ci --prefix httpmw/connectmw/testdata/clients --ignore-scripts --no-audit --no-fund
	@SALLYPORT_CLIENTS=1 go -C httpmw/connectmw test -count=1 -run '^TestClients$$' .

# The suites fail unless they count what the table says.
conformance: ## Run the suites of published vectors and print what they count
	@go test -count=1 -run '^TestConformance$$' ./claims >&2 && cat claims/testdata/conformance.md

# Every step runs, whatever the others find. No ./... has directories such as .ci.
lint: ## gofmt, vet, staticcheck, tidy -diff in every module; knots, columns, docs
	@status=0; \
	failed() { echo "lint: $$* failed" >&2; status=1; }; \
	files=$$(gofmt -l .) && [ -z "$$files" ] || { echo "$$files"; failed "gofmt (try make fmt)"; }; \
	for m in $(MODULES); do \
		go -C $$m vet ./... || failed "go vet in $$m"; \
		go -C $$m run $(STATICCHECK) ./... || failed "staticcheck in $$m"; \
		go -C $$m mod tidy -diff || failed "go mod tidy -diff in $$m (try make tidy)"; \
	done; \
	go vet $(CI) || failed "go vet in .ci"; \
	go run $(STATICCHECK) $(CI) || failed "staticcheck in .ci"; \
	go run ./.ci/knots ./... >/dev/null || failed "knots (make knots lists them)"; \
	go run ./.ci/columns || failed "columns"; \
	go run ./.ci/docs || failed "docs"; \
	exit $$status

# ARGS=-arrows prints which file refers to which, and by what.
knots: ## List the files that can only be read together, and imports that must not be
	@go run ./.ci/knots $(ARGS) ./...

# A snippet compiles if it stands in a Go file, which vet and the tests compile.
docs-check: ## Find each Go snippet of the pages in a Go file, and follow each link
	@go run ./.ci/docs

columns: ## List the lines that are too long, and words that are not used
	@go run ./.ci/columns $(ARGS)

# Each mutant has one check less, or another fault, that a test ought to notice.
mutate: ## List the faults in the code of MUTATE that no test would notice
	@go run ./.ci/mutate $(ARGS) $(MUTATE)

mutate-short: ARGS = -sample 60
mutate-short: mutate ## The same for a sample of 60 faults, as in CI

# `go test -list` prints the targets of a package, then "ok" and its path. Go
# fuzzes one target at a time.
fuzz: ## Run every fuzz target of every module for FUZZTIME (30s) each
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
fuzz-short: FUZZTIME = 10000x
fuzz-short: fuzz ## The same for 10,000 inputs each, as in CI

# Rotations and outages under load on both transports; wrong outcomes, growing
# memory or goroutines left behind make it fail.
soak: ## Run the soak for SOAKTIME (2m)
	@go -C examples run ./soak -for $(SOAKTIME) -streams $(SOAKSTREAMS)

soak-short: SOAKTIME = 20s
soak-short: SOAKSTREAMS = 2000
soak-short: soak ## The same for 20s, as in CI

# Each round goes through all contestants, so that what else the machine does falls
# on all alike. Results take the place of those before once all rounds are done.
# BENCH_LARGEST=10000 shortens the curves; 1000000 takes minutes more for each round.
bench: ## Compare with other libraries: COUNT (10) rounds of BENCHTIME (200ms) each
	@cd examples/bench && go test -c -o bench.test . && ( \
		echo "date: $$(date -u +%Y-%m-%d)"; \
		echo "go: $$(go env GOVERSION)"; \
		echo "processors: $$(getconf _NPROCESSORS_ONLN)"; \
		echo "command: make bench COUNT=$(COUNT) BENCHTIME=$(BENCHTIME)"; \
		echo "libraries: $$(go list -m -f '{{.Path}} {{.Version}}' $(PEERS) | paste -sd, -)"; \
		i=0; while [ $$i -lt $(COUNT) ]; do \
			i=$$((i + 1)); echo "bench: round $$i of $(COUNT)" >&2; \
			./bench.test $(BENCHFLAGS) -test.skip '^BenchmarkParallel' || exit 1; \
			./bench.test $(BENCHFLAGS) -test.bench '^BenchmarkParallel' -test.cpu 1,2 || exit 1; \
		done; \
	) >results/bench.tmp && \
	! grep -e '--- FAIL' results/bench.tmp >&2 && mv results/bench.tmp results/bench.txt; \
	status=$$?; rm -f bench.test results/bench.tmp; exit $$status
	@$(MAKE) --no-print-directory bench-report bench-plot

bench-report: ## Write the stored results as tables
	@go -C examples/bench run ./report

bench-stat: ## benchstat on the stored results; ARGS="OLD NEW" compares two files
	@cd examples/bench && $(BENCHSTAT) $(or $(ARGS),results/bench.txt)

bench-plot: ## Draw the stored results
	@go -C examples/bench run ./plot

bench-short: ## Run every benchmark once, as in CI
	@go -C examples/bench test -run '^$$' -bench . -benchtime 1x .

run: ## Run the example services; ARGS="-issuer URL" passes flags
	@go -C examples build -o orders/orders ./orders && exec examples/orders/orders $(ARGS)

fmt: ## Format the Go code
	@gofmt -w .

tidy: ## Tidy go.mod and go.sum of every module
	@for m in $(MODULES); do go -C $$m mod tidy || exit 1; done

proto: ## Lint the .proto files and generate their Go code
	@for d in $(PROTOS); do (cd $$d && $(BUF) lint && $(BUF) generate) || exit 1; done

# Whatever is generated is in a directory that ends in pb, with a doc.go at most.
proto-check: ## Fail if the generated Go code is not current
	@tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && \
	for d in $(PROTOS); do \
		(cd $$d && $(BUF) lint && $(BUF) generate -o "$$tmp/$$d" && \
		find . -type d -name '*pb' | sort >"$$tmp/kept" && \
		(cd "$$tmp/$$d" && find . -type d -name '*pb' | sort) | diff "$$tmp/kept" - && \
		for pb in $$(cat "$$tmp/kept"); do diff -r -x doc.go $$pb "$$tmp/$$d/$$pb" || exit 1; done) || exit 1; \
	done
