# SPDX-License-Identifier: Apache-2.0
find_program(PROTOC_C protoc-c REQUIRED)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)

# All generated sources, for checks that need nothing else built.
add_custom_target(generated)

# silica_add_protobuf(TARGET FILE.proto ...): a static library of the messages of
# the files, generated in the build folder, whose headers are included as
# "<folder>/<file>.pb-c.h" from the root.
function(silica_add_protobuf target)
	set(out ${CMAKE_BINARY_DIR}/generated)
	file(MAKE_DIRECTORY ${out})
	set(generated)
	foreach(proto IN LISTS ARGN)
		file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/${proto})
		string(REGEX REPLACE "\\.proto$" ".pb-c" stem ${name})
		add_custom_command(
			OUTPUT ${out}/${stem}.c ${out}/${stem}.h
			COMMAND ${PROTOC_C} --c_out=${out} -I${CMAKE_SOURCE_DIR}
				${CMAKE_CURRENT_SOURCE_DIR}/${proto}
			DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${proto}
			VERBATIM)
		list(APPEND generated ${out}/${stem}.c)
	endforeach()
	add_library(${target} STATIC ${generated})
	target_include_directories(${target} SYSTEM PUBLIC ${out})
	target_link_libraries(${target} PUBLIC PkgConfig::PROTOBUF_C)
	add_dependencies(generated ${target})
endfunction()
