# SPDX-License-Identifier: Apache-2.0
# A thin face over the CMake presets: each target installs what is missing,
# then builds, then runs.
BUILD := $(CURDIR)/build
JOBS ?= $(shell nproc)
# Of the four slots of a processor a test takes one if it only waits, two if it computes, and
# three or four if it does nothing else (PROCESSORS).
SLOTS = $(shell expr 4 '*' $(JOBS))
GO := $(CURDIR)/scripts/go.sh
RELEASE_BIN := $(BUILD)/release/bin
IMAGE ?= silica:latest
BASE ?= debian:12-slim
FUZZ_SECONDS ?= 600

# The sanitizers of gcc 12 and clang 14 cannot place their shadow where the kernel
# spreads mappings over 32 bits, as newer ones do.
CTEST = $(shell setarch -R true 2>/dev/null && echo setarch -R) ctest

# $(call build,PRESET,TARGET)
build = cmake --preset $(1) && cmake --build --preset $(1) --target $(2) -j $(JOBS)

.NOTPARALLEL:
.PHONY: all help release demo test bench image lint chart manifests e2e clean
.PHONY: bench-reservoir soak-reservoir fuzz-long
.PHONY: deps-build deps-test deps-lint deps-demo deps-bench dev tsan fuzz reservoir-clients
.PHONY: go-demo go-test go-reservoir go-bench go-helm go-deploy

all: release

help:
	@echo "make          build the programs into build/release/bin/"
	@echo "make demo     show Silica on a simulated node; needs no NPU, cluster or root"
	@echo "make test     build and run every test"
	@echo "make bench    measure it against a device plugin and a labeller in Go"
	@echo "make bench-reservoir  measure the mirror beside others, nginx and pypiserver"
	@echo "make soak-reservoir   10,000 updates of real clients during 1,000 publishes"
	@echo "make fuzz-long    put each parser to broken bytes for FUZZ_SECONDS=$(FUZZ_SECONDS)"
	@echo "make image    build the container image, named IMAGE=$(IMAGE)"
	@echo "make lint     run the checks of the sources only"
	@echo "make chart    write the chart's values, their schema and its README"
	@echo "make manifests  render the chart for kubectl into manifests/"
	@echo "make e2e      install the chart in the cluster of KUBECONFIG, try it, remove it"
	@echo "make clean    remove build/"

release: deps-build
	$(call build,release,all)

demo: deps-demo release go-demo
	SILICA_BIN_DIR=$(RELEASE_BIN) $(BUILD)/go/demo
	SILICA_BIN_DIR=$(RELEASE_BIN) tests/reservoir/demo.py

# The dev tree has every test; those that need another tree's programs find
# them in its build folder.
test: deps-test deps-lint release dev tsan fuzz reservoir-clients \
	go-demo go-test go-reservoir go-helm go-deploy
	$(CTEST) --preset dev -j $(SLOTS)

bench: release go-bench
	SILICA_BIN_DIR=$(RELEASE_BIN) $(BUILD)/go/bench $(BENCH_FLAGS)

bench-reservoir: deps-bench release
	cmake --build --preset release --target reservoir-bigstore -j $(JOBS)
	@SILICA_BIN_DIR=$(RELEASE_BIN) tests/reservoir/bench/run $(BENCH_FLAGS)

soak-reservoir: deps-test release
	SILICA_BIN_DIR=$(RELEASE_BIN) tests/reservoir/soak.py $(SOAK_FLAGS)

# With buildah, podman or docker; IMAGE_FLAGS are for that program, as in
# IMAGE_FLAGS=--platform=linux/arm64.
image:
	scripts/image/build $(IMAGE) --build-arg BASE=$(BASE) $(IMAGE_FLAGS)

lint: deps-lint deps-test
	cmake --preset dev
	cmake --build --preset dev --target generated -j $(JOBS)
	$(CTEST) --preset dev -L lint -j $(SLOTS)

# Each file is first written beside it: a failure leaves the old one.
CHART := deploy/helm/silica
VALUES_DOC := $(BUILD)/dev/bin/silica-values-doc
chart: deps-build
	cmake --preset dev
	cmake --build --preset dev --target silica-values-doc -j $(JOBS)
	$(VALUES_DOC) values >$(BUILD)/chart.new && mv $(BUILD)/chart.new $(CHART)/values.yaml
	$(VALUES_DOC) schema >$(BUILD)/chart.new
	mv $(BUILD)/chart.new $(CHART)/values.schema.json
	$(VALUES_DOC) readme >$(BUILD)/chart.new && mv $(BUILD)/chart.new $(CHART)/README.md

manifests: chart go-helm
	scripts/manifests.sh manifests

e2e: go-helm
	tests/e2e/run
	tests/e2e/reservoir

clean:
	rm -rf $(BUILD)

dev: deps-test
	$(call build,dev,all)

tsan: deps-test
	$(call build,tsan,threaded_tests)

fuzz: deps-test
	$(call build,fuzz,fuzzers)

# The corpus that it leaves in build/ is where `make test` begins the next time.
fuzz-long: fuzz
	cmake --preset fuzz -DFUZZ_SECONDS=$(FUZZ_SECONDS)
	$(CTEST) --preset fuzz -L fuzz -j $(SLOTS)

deps-build:
	@scripts/install-deps.sh build

deps-test:
	@scripts/install-deps.sh build test

deps-lint:
	@scripts/install-deps.sh build lint

deps-demo:
	@scripts/install-deps.sh build demo

deps-bench:
	@scripts/install-deps.sh build demo bench

# Clients that Debian does not have; without them their tests are skipped.
reservoir-clients:
	tests/reservoir/get-clients $(BUILD)/reservoir-clients

# A folder named with a slash is a folder for several programs only if it exists.
go-demo:
	mkdir -p $(BUILD)/go
	$(GO) -C tests/kubelet build -o $(BUILD)/go/ ./cmd/...

go-test:
	$(GO) -C tests/kubelet test -c -o $(BUILD)/go/kubelet-contract.test ./contract
	$(GO) -C tests/kubelet test -c -o $(BUILD)/go/kube-client.test ./client
	$(GO) -C tests/kubelet test -c -o $(BUILD)/go/node-labeller.test ./labeller
	$(GO) -C tests/kubelet test -c -o $(BUILD)/go/reservoir-writer.test ./writer

# A made-up upstream with faults, and what syncs from it.
go-reservoir:
	mkdir -p $(BUILD)/go
	$(GO) -C tests/reservoir/origin build -o $(BUILD)/go/ ./cmd/...
	$(GO) -C tests/reservoir/origin test -c -o $(BUILD)/go/reservoir-origin.test .
	$(GO) -C tests/reservoir/origin test -c -o $(BUILD)/go/reservoir-sync.test ./sync

# Without cgo, as such a plugin ships: one file that needs no libraries.
go-bench:
	mkdir -p $(BUILD)/go
	CGO_ENABLED=0 $(GO) -C tests/bench build -trimpath -o $(BUILD)/go/ ./cmd/...

# The release of helm whose libraries are of the Kubernetes that the tests know, and that
# says so, as its own Makefile makes it.
HELM_MODULE := helm.sh/helm/v3
HELM_KUBE := $(HELM_MODULE)/pkg/chartutil.k8sVersion
HELM_LINT := $(HELM_MODULE)/pkg/lint/rules.k8sVersion
HELM_FLAGS := $(foreach name,$(HELM_KUBE) $(HELM_LINT),-X $(name)Major=1 -X $(name)Minor=36)

# What both are made of is compiled once, as long as their flags are the same.
go-helm:
	mkdir -p $(BUILD)/go
	CGO_ENABLED=0 $(GO) -C tests/deploy build -ldflags '$(HELM_FLAGS)' \
		-o $(BUILD)/go/helm $(HELM_MODULE)/cmd/helm

go-deploy:
	CGO_ENABLED=0 $(GO) -C tests/deploy test -c -o $(BUILD)/go/deploy.test .
