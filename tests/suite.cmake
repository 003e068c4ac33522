# SPDX-License-Identifier: Apache-2.0
# The tests in Go, and the demo.  Their programs are built in build/go and by
# the preset release; `make test` does that first.
set(KUBELET ${CMAKE_CURRENT_SOURCE_DIR}/kubelet)
set(GO ${CMAKE_SOURCE_DIR}/scripts/go.sh)

# silica_add_go_program(NAME BIN_DIR PROGRAM ARGUMENT ...): a program of build/go
# that finds the programs of Silica in BIN_DIR.
function(silica_add_go_program name bin_dir program)
	add_test(NAME ${name} COMMAND ${SILICA_TREES}/go/${program} ${ARGN})
	set_tests_properties(${name} PROPERTIES
		ENVIRONMENT SILICA_BIN_DIR=${bin_dir}
		FAIL_REGULAR_EXPRESSION "no tests to run"
		LABELS kubelet TIMEOUT 300)
endfunction()

# The kubelet's contract, each assertion under its own name: TestContract_4_X of
# the sources is kubelet.contract_4.X.  The device plugin that is put to it is the
# one with sanitizers.
file(GLOB sources CONFIGURE_DEPENDS ${KUBELET}/contract/*_test.go)
foreach(source IN LISTS sources)
	file(STRINGS ${source} functions REGEX "^func TestContract_[0-9]+_")
	foreach(function IN LISTS functions)
		string(REGEX REPLACE "^func (Test[A-Za-z0-9_]+).*" "\\1" test "${function}")
		string(REGEX REPLACE "^TestContract_([0-9]+)_" "contract_\\1." name ${test})
		silica_add_go_program(kubelet.${name} ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
			kubelet-contract.test -test.timeout=4m -test.run=^${test}$)
	endforeach()
endforeach()

# The client of the API server, each behaviour under its own name: TestClient_X is
# kubernetes.client.X.  The program that makes the requests has sanitizers.
file(GLOB sources CONFIGURE_DEPENDS ${KUBELET}/client/*_test.go)
foreach(source IN LISTS sources)
	file(STRINGS ${source} functions REGEX "^func TestClient_")
	foreach(function IN LISTS functions)
		string(REGEX REPLACE "^func TestClient_([A-Za-z0-9_]+).*" "\\1" name "${function}")
		silica_add_go_program(kubernetes.client.${name} ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
			kube-client.test -test.timeout=4m -test.run=^TestClient_${name}$)
	endforeach()
endforeach()

# The node labeller before the same server: TestLabeller_X is kubernetes.labeller.X.
file(GLOB sources CONFIGURE_DEPENDS ${KUBELET}/labeller/*_test.go)
foreach(source IN LISTS sources)
	file(STRINGS ${source} functions REGEX "^func TestLabeller_")
	foreach(function IN LISTS functions)
		string(REGEX REPLACE "^func TestLabeller_([A-Za-z0-9_]+).*" "\\1" name
			"${function}")
		silica_add_go_program(kubernetes.labeller.${name} ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
			node-labeller.test -test.timeout=4m -test.run=^TestLabeller_${name}$)
	endforeach()
endforeach()

# The writer of Reservoir before it: TestWriter_X is kubernetes.writer.X.
file(GLOB sources CONFIGURE_DEPENDS ${KUBELET}/writer/*_test.go)
foreach(source IN LISTS sources)
	file(STRINGS ${source} functions REGEX "^func TestWriter_")
	foreach(function IN LISTS functions)
		string(REGEX REPLACE "^func TestWriter_([A-Za-z0-9_]+).*" "\\1" name "${function}")
		silica_add_go_program(kubernetes.writer.${name} ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
			reservoir-writer.test -test.timeout=4m -test.run=^TestWriter_${name}$)
	endforeach()
endforeach()

# What api/metrics and the device plugin write, before the linter of Prometheus.
silica_add_go_program(metrics.exposition ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
	lint-metrics $<TARGET_FILE:exposition>)
silica_add_go_program(metrics.telemetry ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
	lint-metrics $<TARGET_FILE:telemetry-exposition>)

# These wait long, for what must not happen or for kubelets that come and go: begin early.
set_tests_properties(kubelet.contract_11.NothingLeaks PROPERTIES COST 60)
set_tests_properties(
	kubelet.contract_11.StreamCutTenTimes kubelet.contract_14.PodResourcesFaulty
	kubelet.contract_12.OnlyWhatChanges kubelet.contract_4.StoppedReader
	kubelet.contract_7.IdleConnectionStays kubelet.contract_1.RetryAfterRegisterHangs
	PROPERTIES COST 30)

silica_add_go_program(demo ${SILICA_TREES}/release/bin demo)
set_tests_properties(demo PROPERTIES PROCESSORS 2)

# The tests of the tests: the stand-ins' own, and the benchmark's.
add_test(NAME kubelet.standin COMMAND ${GO} -C ${KUBELET} test -count=1 -race
	./standin/... ./internal/...)
add_test(NAME kubernetes.apiserver COMMAND ${GO} -C ${KUBELET} test -count=1 -race
	./apiserver/...)
add_test(NAME bench.unit COMMAND ${GO} -C ${CMAKE_CURRENT_SOURCE_DIR}/bench test -count=1 ./...)
set_tests_properties(kubelet.standin kubernetes.apiserver bench.unit PROPERTIES
	LABELS go TIMEOUT 600 COST 20 PROCESSORS 2)

# silicactl with sanitizers, asking the stand-in.
add_test(NAME cli.kubelet COMMAND ${GO} -C ${KUBELET} test -count=1 ./cli/...)
set_tests_properties(cli.kubelet PROPERTIES
	ENVIRONMENT SILICA_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
	LABELS go TIMEOUT 600 PROCESSORS 2)

# Specs that a program with sanitizers writes, read as runtimes read them.
add_test(NAME cdi.loads COMMAND ${GO} -C ${KUBELET} test -count=1 ./cdi/...)
set_tests_properties(cdi.loads PROPERTIES
	ENVIRONMENT SILICA_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
	LABELS go TIMEOUT 600 PROCESSORS 2)

# The chart, the manifests and the examples, each check under its own name: TestDeploy_x of
# the sources is deploy.x.
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/deploy/*_test.go)
foreach(source IN LISTS sources)
	file(STRINGS ${source} functions REGEX "^func TestDeploy_")
	foreach(function IN LISTS functions)
		string(REGEX REPLACE "^func (Test[A-Za-z0-9_]+).*" "\\1" test "${function}")
		string(REPLACE "TestDeploy_" "" name ${test})
		silica_add_go_program(deploy.${name} ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
			deploy.test -test.timeout=4m -test.run=^${test}$)
		set_tests_properties(deploy.${name} PROPERTIES LABELS deploy PROCESSORS 2)
	endforeach()
endforeach()

# The made-up upstream itself, and syncs from it with all its faults: TestSync_X is
# reservoir.sync.X.
silica_add_go_program(reservoir.origin ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} reservoir-origin.test)
set(SYNC ${CMAKE_CURRENT_SOURCE_DIR}/reservoir/origin/sync)
file(GLOB sources CONFIGURE_DEPENDS ${SYNC}/*_test.go)
foreach(source IN LISTS sources)
	file(STRINGS ${source} functions REGEX "^func TestSync_")
	foreach(function IN LISTS functions)
		string(REGEX REPLACE "^func TestSync_([A-Za-z0-9_]+).*" "\\1" name "${function}")
		silica_add_go_program(reservoir.sync.${name} ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
			reservoir-sync.test -test.timeout=4m -test.run=^TestSync_${name}$)
		set_tests_properties(reservoir.sync.${name} PROPERTIES
			LABELS reservoir PROCESSORS 2)
	endforeach()
endforeach()

set_tests_properties(reservoir.sync.Killed reservoir.sync.PassingFaults PROPERTIES COST 30)

# Against a cluster, where there is one; its status says that there was none.
add_test(NAME e2e COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/e2e/run)
set_tests_properties(e2e PROPERTIES
	ENVIRONMENT SILICA_BIN_DIR=${SILICA_TREES}/release/bin
	LABELS e2e SKIP_RETURN_CODE 77 TIMEOUT 1800)
# Alerts, dashboard and the operator's pages against what the programs say.
add_test(NAME monitoring.metrics
	COMMAND ${GO} -C ${CMAKE_CURRENT_SOURCE_DIR}/monitoring test -count=1 ./...)
set_tests_properties(monitoring.metrics PROPERTIES
	ENVIRONMENT SILICA_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
	LABELS go TIMEOUT 600 PROCESSORS 2)
