# Tables made at build time from documents and data of the project, in WSKEMU_GENERATED_DIR:
#   rules_table.inc       X(id, kind, soft, text, source, advice)  from docs/rules
#   bugchecks_table.inc   X(code, name, p1, p2, p3, p4)        from emu/verifier/data/bugchecks.csv
#   options_table.inc     X(name, kind, values, lowest, highest, default)
#                                                   from emu/verifier/data/options.csv
#   status_names.inc       X(value, name)                   from include/wdk/ntstatus.h
# A target that includes one calls wskemu_use_generated(TARGET).

find_program(WSKEMU_PYTHON NAMES python3 python REQUIRED)
mark_as_advanced(WSKEMU_PYTHON)
set(WSKEMU_GENERATE_DIR "${CMAKE_CURRENT_LIST_DIR}")
set(WSKEMU_GENERATED_DIR "${CMAKE_BINARY_DIR}/generated")

function(_wskemu_table output script)
  add_custom_command(OUTPUT "${WSKEMU_GENERATED_DIR}/${output}"
    COMMAND "${WSKEMU_PYTHON}" -B "${WSKEMU_GENERATE_DIR}/${script}"
      "${WSKEMU_GENERATED_DIR}/${output}"
    DEPENDS "${WSKEMU_GENERATE_DIR}/${script}" "${WSKEMU_GENERATE_DIR}/table.py" ${ARGN}
    COMMENT "Table ${output}" VERBATIM)
endfunction()

_wskemu_table(rules_table.inc rules.py "${WSKEMU_GENERATE_DIR}/ledger.py"
  "${PROJECT_SOURCE_DIR}/docs/rules/wdm-rules.md" "${PROJECT_SOURCE_DIR}/docs/rules/wsk-rules.md"
  "${PROJECT_SOURCE_DIR}/docs/rules/waived.csv" "${PROJECT_SOURCE_DIR}/docs/rules/advice.csv")
_wskemu_table(bugchecks_table.inc bugchecks.py
  "${PROJECT_SOURCE_DIR}/emu/verifier/data/bugchecks.csv")
_wskemu_table(options_table.inc options.py "${WSKEMU_GENERATE_DIR}/option_list.py"
  "${PROJECT_SOURCE_DIR}/emu/verifier/data/options.csv")
_wskemu_table(status_names.inc status_names.py "${PROJECT_SOURCE_DIR}/include/wdk/ntstatus.h")

add_custom_target(wskemu_generated DEPENDS
  "${WSKEMU_GENERATED_DIR}/rules_table.inc" "${WSKEMU_GENERATED_DIR}/bugchecks_table.inc"
  "${WSKEMU_GENERATED_DIR}/options_table.inc" "${WSKEMU_GENERATED_DIR}/status_names.inc")

function(wskemu_use_generated target)
  target_include_directories(${target} PRIVATE "${WSKEMU_GENERATED_DIR}")
  add_dependencies(${target} wskemu_generated)
endfunction()

if(TARGET wskemu_kernel)
  wskemu_use_generated(wskemu_kernel)
endif()
