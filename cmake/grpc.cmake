# SPDX-License-Identifier: Apache-2.0
# Target grpc_core: gRPC C-core without TLS.
#
# Debian's grpc_unsecure.pc leaves out what a static link needs, so the list of
# grpc.pc is taken, with the secure library and OpenSSL replaced.  Everything but
# glibc goes in statically, the C++ runtime of gRPC included.
add_library(grpc_core INTERFACE)

if(SILICA_STATIC_GRPC)
	execute_process(COMMAND ${PKG_CONFIG_EXECUTABLE} --static --libs-only-l grpc
		OUTPUT_VARIABLE grpc_libs OUTPUT_STRIP_TRAILING_WHITESPACE
		COMMAND_ERROR_IS_FATAL ANY)
	separate_arguments(grpc_libs UNIX_COMMAND "${grpc_libs}")
	list(FILTER grpc_libs INCLUDE REGEX "^-l")
	list(REMOVE_ITEM grpc_libs -lssl -lcrypto -ldl -lrt -lpthread -latomic)
	list(TRANSFORM grpc_libs REPLACE "^-lgrpc$" "-lgrpc_unsecure")
	list(REMOVE_DUPLICATES grpc_libs)
	target_link_libraries(grpc_core INTERFACE
		-Wl,-Bstatic -Wl,--start-group ${grpc_libs} -lstdc++ -Wl,--end-group -Wl,-Bdynamic
		-lm)
	target_link_options(grpc_core INTERFACE -static-libgcc)
else()
	pkg_check_modules(GRPC REQUIRED IMPORTED_TARGET grpc_unsecure)
	target_link_libraries(grpc_core INTERFACE PkgConfig::GRPC)
endif()
