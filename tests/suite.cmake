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

# What api/metrics and the device plugin write, before the linter of Prometheus.
silica_add_go_program(metrics.exposition ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
	lint-metrics $<TARGET_FILE:exposition>)
silica_add_go_program(metrics.telemetry ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
	lint-metrics $<TARGET_FILE:telemetry-exposition>)

silica_add_go_program(demo ${SILICA_TREES}/release/bin demo)

# The tests of the tests: the kubelet stand-in's own, and the benchmark's.
add_test(NAME kubelet.standin COMMAND ${GO} -C ${KUBELET} test -count=1 -race
	./standin/... ./internal/...)
add_test(NAME bench.unit COMMAND ${GO} -C ${CMAKE_CURRENT_SOURCE_DIR}/bench test -count=1 ./...)
set_tests_properties(kubelet.standin bench.unit PROPERTIES LABELS go TIMEOUT 600)

# silicactl with sanitizers, asking the stand-in.
add_test(NAME cli.kubelet COMMAND ${GO} -C ${KUBELET} test -count=1 ./cli/...)
set_tests_properties(cli.kubelet PROPERTIES
	ENVIRONMENT SILICA_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
	LABELS go TIMEOUT 600)

# Specs that a program with sanitizers writes, read as runtimes read them.
add_test(NAME cdi.loads COMMAND ${GO} -C ${KUBELET} test -count=1 ./cdi/...)
set_tests_properties(cdi.loads PROPERTIES
	ENVIRONMENT SILICA_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
	LABELS go TIMEOUT 600)
