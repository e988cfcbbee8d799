# test_abi_demand: every name that tests/data/api-demand.md demands, and every function that
# include/wdk declares.

set(demand_made "${CMAKE_CURRENT_BINARY_DIR}/demand")
file(GLOB_RECURSE demand_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/emu/*.c")
set(demand_options "$<TARGET_PROPERTY:wskemu_wdk,INTERFACE_COMPILE_OPTIONS>")
set(demand_definitions "$<TARGET_PROPERTY:wskemu_wdk,INTERFACE_COMPILE_DEFINITIONS>")

add_custom_command(
  OUTPUT "${demand_made}/demand.c" "${demand_made}/demanded.inc" "${demand_made}/undeclared.inc"
    "${demand_made}/stopping.inc"
  COMMAND "${CMAKE_C_COMPILER}" -std=gnu11 "${demand_options}"
    "-D$<JOIN:${demand_definitions},;-D>" "-I${CMAKE_SOURCE_DIR}/include/wdk"
    -E -dD -x c "${abi_made}/all_headers.h" -o "${demand_made}/all_headers.i"
  COMMAND "${WSKEMU_PYTHON}" -B "${WSKEMU_GENERATE_DIR}/demand.py" "${demand_made}/all_headers.i"
    "${demand_made}"
  DEPENDS "${WSKEMU_GENERATE_DIR}/demand.py" "${WSKEMU_GENERATE_DIR}/declarations.py"
    "${WSKEMU_GENERATE_DIR}/table.py" "${abi}/demand.csv" data/api-demand.md
    "${abi_made}/all_headers.h" ${abi_headers} ${demand_sources}
  COMMAND_EXPAND_LISTS COMMENT "Demand test" VERBATIM)

add_executable(test_abi_demand "${abi}/demand.c" "${demand_made}/demand.c")
add_dependencies(test_abi_demand wskemu_abi_tests)
target_link_libraries(test_abi_demand PRIVATE wskemu_test_support)
target_include_directories(test_abi_demand PRIVATE "${abi}" "${abi_made}" "${demand_made}")
target_compile_options(test_abi_demand PRIVATE -Wall -Wextra -Wno-unused-parameter
  -Wno-ignored-qualifiers -Wno-deprecated-declarations $<$<BOOL:${WSKEMU_WERROR}>:-Werror>)
set_target_properties(test_abi_demand PROPERTIES C_STANDARD 11 C_EXTENSIONS ON)
wskemu_add_test(abi.demand abi test_abi_demand)
