# SPDX-License-Identifier: Apache-2.0
# A thin face over the CMake presets: each target installs what is missing,
# then builds, then runs.
BUILD := $(CURDIR)/build
JOBS ?= $(shell nproc)
GO := $(CURDIR)/scripts/go.sh
RELEASE_BIN := $(BUILD)/release/bin

# The sanitizers of gcc 12 and clang 14 cannot place their shadow where the kernel
# spreads mappings over 32 bits, as newer ones do.
CTEST = $(shell setarch -R true 2>/dev/null && echo setarch -R) ctest

# $(call build,PRESET,TARGET)
build = cmake --preset $(1) && cmake --build --preset $(1) --target $(2) -j $(JOBS)

.NOTPARALLEL:
.PHONY: all help release demo test bench lint clean
.PHONY: deps-build deps-test deps-lint dev tsan fuzz go-demo go-test go-bench

all: release

help:
	@echo "make          build the programs into build/release/bin/"
	@echo "make demo     show Silica on a simulated node; needs no NPU, cluster or root"
	@echo "make test     build and run every test"
	@echo "make bench    measure it against a device plugin in Go"
	@echo "make lint     run the checks of the sources only"
	@echo "make clean    remove build/"

release: deps-build
	$(call build,release,all)

demo: release go-demo
	SILICA_BIN_DIR=$(RELEASE_BIN) $(BUILD)/go/demo

# The dev tree has every test; those that need another tree's programs find
# them in its build folder.
test: deps-test deps-lint release dev tsan fuzz go-demo go-test
	$(CTEST) --preset dev -j $(JOBS)

bench: release go-bench
	SILICA_BIN_DIR=$(RELEASE_BIN) $(BUILD)/go/bench $(BENCH_FLAGS)

lint: deps-lint deps-test
	cmake --preset dev
	cmake --build --preset dev --target generated -j $(JOBS)
	$(CTEST) --preset dev -L lint -j $(JOBS)

clean:
	rm -rf $(BUILD)

dev: deps-test
	$(call build,dev,all)

tsan: deps-test
	$(call build,tsan,threaded_tests)

fuzz: deps-test
	$(call build,fuzz,fuzzers)

deps-build:
	@scripts/install-deps.sh build

deps-test:
	@scripts/install-deps.sh build test

deps-lint:
	@scripts/install-deps.sh build lint

# A folder named with a slash is a folder for several programs only if it exists.
go-demo:
	mkdir -p $(BUILD)/go
	$(GO) -C tests/kubelet build -o $(BUILD)/go/ ./cmd/...

go-test:
	$(GO) -C tests/kubelet test -c -o $(BUILD)/go/kubelet-contract.test ./contract

# Without cgo, as such a plugin ships: one file that needs no libraries.
go-bench:
	mkdir -p $(BUILD)/go
	CGO_ENABLED=0 $(GO) -C tests/bench build -trimpath -o $(BUILD)/go/ ./cmd/...
