# The architecture to build for. Everything that runs on this machine (tests,
# linters, the packing program) is built for this machine.
HOST := $(shell go env GOHOSTARCH)
ARCH ?= $(HOST)

# Nothing of the surroundings may change the bytes of what is shipped: no path,
# no version control, no C compiler, no choice of processor.
STATIC := CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -buildvcs=false -trimpath -ldflags "-s -w"
unexport GOOS GOARCH GOAMD64 GOARM64

# The modules with code of this project; workload/ and tools/ only pin versions.
MODULES := . localjuju

PROGRAMS := etcd etcdctl etcdutl
BUILD := build/$(ARCH)
STAGE := build/stage/$(ARCH)
LINT := go tool -modfile=$(CURDIR)/tools/go.mod golangci-lint

.DEFAULT_GOAL := help

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'ARCH=amd64 or ARCH=arm64 says what build, workload and charm build for.'

.PHONY: build
build: ## bin/etcd-charm, the program behind every hook and action
	$(STATIC) -o bin/etcd-charm ./cmd/etcd-charm

.PHONY: workload
workload: ## build/ARCH/{etcd,etcdctl,etcdutl}, pinned by workload/go.mod
	cd workload && $(STATIC) -o ../$(BUILD)/etcd go.etcd.io/etcd/server/v3
	cd workload && $(STATIC) -o ../$(BUILD)/ go.etcd.io/etcd/etcdctl/v3 go.etcd.io/etcd/etcdutl/v3
	go version -m $(BUILD)/etcd | awk '$$1 == "mod" { print substr($$3, 2) }' > $(BUILD)/etcd.version

# From a staging folder, because a checkout holds much that is not the charm.
# "cp -a" keeps the links, which are not followed before the program is there.
.PHONY: charm
charm: workload ## etcd_ARCH.charm, the archive that Juju deploys
	rm -rf $(STAGE)
	mkdir -p $(STAGE)/bin
	cp -a actions actions.yaml config.yaml hooks icon.svg LICENSE manifest.yaml metadata.yaml $(wildcard README.md) $(STAGE)/
	sed -i 's/\[amd64, arm64\]/[$(ARCH)]/' $(STAGE)/manifest.yaml
	cp $(PROGRAMS:%=$(BUILD)/%) $(BUILD)/etcd.version $(STAGE)/bin/
	$(STATIC) -o $(STAGE)/bin/etcd-charm ./cmd/etcd-charm
	go run ./cmd/charmpack/licences -modules "$$(go env GOMODCACHE)" -go "$$(go env GOROOT)" \
		-o $(STAGE)/licences $(STAGE)/bin/etcd-charm $(PROGRAMS:%=$(STAGE)/bin/%)
	go run ./cmd/charmpack -arch $(ARCH) $(STAGE) etcd_$(ARCH).charm

.PHONY: localjuju
localjuju: ## bin/localjuju, a Juju model with real machines on this one
	cd localjuju && CGO_ENABLED=0 go build -buildvcs=false -trimpath -o ../bin/ ./cmd/localjuju github.com/juju/juju/cmd/jujuc

.PHONY: users
users: # the charms that use etcd, for the demo; the end-to-end suite packs its own
	go run ./e2e/charms/pack e2e/charms build/charms

.PHONY: demo
demo: ARCH := $(HOST)
demo: demo-packages charm localjuju users ## a cluster of three on this machine, its plug pulled before your eyes (root)
	localjuju/demo.sh

.PHONY: demo-packages
demo-packages:
	@command -v jq >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends jq; }

.PHONY: demo-down
demo-down: ## remove the demo's machines, mounts, bridge and processes
	bin/localjuju down

.PHONY: test
test: test-go test-e2e ## everything; what needs root is left out without it, and a line says so

.PHONY: test-go
test-go: ARCH := $(HOST)
test-go: workload ## all tests of all modules but the end-to-end suite
	@set -e; for module in $(MODULES); do \
		echo "go test $$module"; \
		(cd $$module && ETCD_CHARM_TEST_BIN=$(CURDIR)/$(BUILD) go test ./...); \
	done

# Against a real controller:
#   make test-e2e-on JUJU=juju E2E_MODEL=e2e
.PHONY: test-e2e
test-e2e: ## the end-to-end suite on the local model, with the rules of Juju 3 and of Juju 4 (root)
	@if [ "$$(id -u)" = 0 ]; then \
		$(MAKE) charm localjuju && \
		$(MAKE) test-e2e-on E2E_MODEL=e2e-3 E2E_ADD_MODEL='--juju 3' E2E_UPDATE_STATUS=10s && \
		$(MAKE) test-e2e-on E2E_MODEL=e2e-4 E2E_ADD_MODEL='--juju 4' E2E_UPDATE_STATUS=10s; \
	elif [ -n "$$CI" ]; then \
		echo 'the end-to-end suite needs root, and CI leaves nothing out' >&2; exit 1; \
	else \
		echo 'the end-to-end suite is left out: real machines need root'; \
	fi

JUJU ?= $(CURDIR)/bin/localjuju

.PHONY: test-e2e-on
test-e2e-on:
	JUJU='$(JUJU)' E2E_MODEL='$(E2E_MODEL)' E2E_ADD_MODEL='$(E2E_ADD_MODEL)' E2E_UPDATE_STATUS='$(E2E_UPDATE_STATUS)' \
		go test -count=1 -timeout=40m -v -run TestEndToEnd ./e2e

.PHONY: lint
lint: ## linters, pinned by tools/go.mod
	@set -e; for module in $(MODULES); do \
		echo "golangci-lint $$module"; \
		(cd $$module && $(LINT) run --config $(CURDIR)/.golangci.yml); \
	done

.PHONY: fmt
fmt: ## format the code
	@set -e; for module in $(MODULES); do \
		(cd $$module && $(LINT) fmt --config $(CURDIR)/.golangci.yml); \
	done

.PHONY: clean
clean: ## remove everything that was built
	rm -rf bin build etcd_*.charm
