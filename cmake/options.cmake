# SPDX-License-Identifier: Apache-2.0
# Every flag of the build hangs on the INTERFACE target `options`.

set(SILICA_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, as in address,undefined")
option(SILICA_WERROR "Treat warnings as errors" OFF)
option(SILICA_COVERAGE "Instrument for gcov" OFF)
option(SILICA_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(SILICA_SUITE "Register the tests that need the other trees too (see make test)" OFF)
option(SILICA_STATIC_GRPC "Link gRPC and its closure statically" OFF)

add_library(options INTERFACE)
target_compile_features(options INTERFACE c_std_17)
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

target_include_directories(options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(options INTERFACE _GNU_SOURCE SILICA_VERSION="${PROJECT_VERSION}")
target_compile_options(options INTERFACE
	-Wall -Wextra -Wpedantic -Wshadow -Wvla -Wconversion -Wstrict-prototypes
	-Wmissing-prototypes -Wformat=2 -Wundef -Wwrite-strings -Wcast-qual
	-fstack-protector-strong -fno-common)
target_link_options(options INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)

if(SILICA_WERROR)
	target_compile_options(options INTERFACE -Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
	target_compile_definitions(options INTERFACE _FORTIFY_SOURCE=2)
	# Without the folder's name in them, programs are the same wherever they are built.
	target_compile_options(options INTERFACE -ffunction-sections -fdata-sections
		-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
	target_link_options(options INTERFACE -Wl,--gc-sections)
endif()
if(SILICA_SANITIZE)
	target_compile_options(options INTERFACE
		-fsanitize=${SILICA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(options INTERFACE -fsanitize=${SILICA_SANITIZE})
endif()
if(SILICA_FUZZ)
	target_compile_options(options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SILICA_COVERAGE)
	target_compile_options(options INTERFACE --coverage)
	target_link_options(options INTERFACE --coverage)
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
