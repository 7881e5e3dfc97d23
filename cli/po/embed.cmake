# SPDX-License-Identifier: Apache-2.0
# cmake -D OUT=FILE.c [-D ja=FILE.mo] -P embed.cmake: catalogues as C arrays, as cli/language.h has them.
set(rows "")
set(text "/* Made from cli/po. */\n#include \"language.h\"\n\n")
if(DEFINED ja)
  file(READ "${ja}" hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND text "static const unsigned char ja[] = {\n${hex}\n};\n\n")
  set(rows "{\"ja\", {ja, sizeof(ja)}}, ")
endif()
string(APPEND text "const struct language_file language_files[] = {${rows}{NULL, {NULL, 0}}};\n")
file(WRITE "${OUT}" "${text}")
