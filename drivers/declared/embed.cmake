# SPDX-License-Identifier: Apache-2.0
# cmake -DOUTPUT=FILE.c -DINPUTS=A.yaml,B.yaml -P embed.cmake: the texts as arrays
# declared_text_A[], each with a NUL behind.
set(source "")
string(REPLACE "," ";" inputs "${INPUTS}")
foreach(input IN LISTS inputs)
	cmake_path(GET input STEM name)
	file(READ ${input} bytes HEX)
	string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
	string(APPEND source
		"extern const char declared_text_${name}[];\n"
		"const char declared_text_${name}[] = { ${bytes} 0 };\n")
endforeach()
file(WRITE ${OUTPUT} "${source}")
