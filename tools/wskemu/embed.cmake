# Writes a file's bytes as a C array: -DPAGE=... -DOUTPUT=... -P embed.cmake
file(READ "${PAGE}" hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REPEAT "0x..," 16 row)
string(REGEX REPLACE "(${row})" "\\1\n" bytes "${bytes}")
file(WRITE "${OUTPUT}" "#include \"timeline.h\"\n\nconst unsigned char timeline_page[] = {\n"
  "${bytes}\n};\nconst size_t timeline_page_bytes = sizeof(timeline_page);\n")
