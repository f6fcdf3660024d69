# SPDX-License-Identifier: Apache-2.0
# cmake -D IN=file.spv -D OUT=file.inc -P embed.cmake: the little-endian words of a SPIR-V file as C numbers.
file(READ ${IN} bytes HEX)
string(REGEX REPLACE "(..)(..)(..)(..)" "0x\\4\\3\\2\\1," words "${bytes}")
string(REGEX REPLACE "(0x........,0x........,0x........,0x........,0x........,0x........,0x........,0x........,)" "\\1\n"
       words "${words}")
file(WRITE ${OUT} "${words}\n")
