# The headers against Windows' ABI: what the compiler can check, it checks; the rest runs.
#   test_abi_tables          every row of tests/data/abi whose name include/wdk declares
#   test_abi_include_order   all headers in several orders, and each alone, in C and C++
#   test_abi_values          values that the rules name

if(MSVC)
  return() # asks gcc or clang for what they know; Microsoft's compiler defines that ABI
endif()

set(abi "${CMAKE_CURRENT_LIST_DIR}")
set(abi_made "${CMAKE_CURRENT_BINARY_DIR}/abi")
file(GLOB abi_data CONFIGURE_DEPENDS data/abi/*.csv)
file(GLOB_RECURSE abi_headers CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/include/wdk/*.h")
file(GLOB abi_top RELATIVE "${CMAKE_SOURCE_DIR}/include/wdk" CONFIGURE_DEPENDS
  "${CMAKE_SOURCE_DIR}/include/wdk/*.h")

set(abi_orders)
foreach(number RANGE 4)
  list(APPEND abi_orders order_${number}.c order_${number}.cpp)
endforeach()
list(TRANSFORM abi_orders PREPEND "${abi_made}/")
set(abi_tables "${abi_made}/constants.c" "${abi_made}/layouts.c" "${abi_made}/layouts.cpp"
  "${abi_made}/prototypes.c")

add_custom_command(
  OUTPUT ${abi_tables} ${abi_orders} "${abi_made}/all_headers.h" "${abi_made}/bitfields.inc"
    "${abi_made}/guids.inc" "${abi_made}/summary.inc" "${abi_made}/required.inc"
    "${abi_made}/orders.inc"
  COMMAND "${WSKEMU_PYTHON}" -B "${WSKEMU_GENERATE_DIR}/abi_tests.py" "${abi_made}"
  DEPENDS "${WSKEMU_GENERATE_DIR}/abi_tests.py" "${WSKEMU_GENERATE_DIR}/declarations.py"
    "${WSKEMU_GENERATE_DIR}/table.py" "${abi}/required.csv" ${abi_data} ${abi_headers}
  COMMENT "ABI tests" VERBATIM)
add_custom_target(wskemu_abi_tests DEPENDS ${abi_tables})

# Each header as the only one of a file.
set(abi_alone)
list(FILTER abi_top EXCLUDE REGEX "^(pshp.*|poppack)\\.h$") # they begin and end a packing
foreach(header IN LISTS abi_top)
  string(MAKE_C_IDENTIFIER "${header}" name)
  set(source "${abi_made}/alone/${name}.c")
  file(CONFIGURE OUTPUT "${source}" CONTENT "#include <${header}>\nextern int abi_${name};\n" @ONLY)
  list(APPEND abi_alone "${source}")
endforeach()
add_library(test_abi_alone OBJECT ${abi_alone})

add_executable(test_abi_tables "${abi}/tables.c" ${abi_tables})
add_executable(test_abi_include_order "${abi}/include_order.c" ${abi_orders})
add_executable(test_abi_values "${abi}/values.c")
foreach(target IN ITEMS test_abi_alone test_abi_tables test_abi_include_order test_abi_values)
  target_link_libraries(${target} PRIVATE wskemu_test_support)
  target_include_directories(${target} PRIVATE "${abi}" "${abi_made}")
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wno-unused-parameter
    -Wno-ignored-qualifiers $<$<BOOL:${WSKEMU_WERROR}>:-Werror>)
  set_target_properties(${target} PROPERTIES C_STANDARD 11 C_EXTENSIONS ON CXX_STANDARD 17
    LINKER_LANGUAGE C)
endforeach()
foreach(target IN ITEMS test_abi_tables test_abi_include_order)
  add_dependencies(${target} wskemu_abi_tests)
  string(REPLACE "test_abi_" "abi." name ${target})
  wskemu_add_test(${name} abi ${target})
endforeach()
wskemu_add_test(abi.values abi test_abi_values)

# The later orders as C++20, and as a driver is compiled.
set_source_files_properties("${abi_made}/order_3.cpp" "${abi_made}/order_4.cpp" PROPERTIES
  COMPILE_OPTIONS -std=gnu++20)
set_source_files_properties("${abi_made}/order_4.c" PROPERTIES
  COMPILE_OPTIONS "-include;${CMAKE_SOURCE_DIR}/include/wdk/detail/kernel_build.h")

# MinGW's C compiler forgets that a GUID may be defined twice when <initguid.h> comes after the
# GUID's declaration.
if(WIN32)
  target_link_options(test_abi_include_order PRIVATE LINKER:--allow-multiple-definition)
  # Linked as C, they would ask for the C++ runtime's DLLs.
  set_target_properties(test_abi_tables test_abi_include_order PROPERTIES LINKER_LANGUAGE CXX)
endif()

include("${CMAKE_CURRENT_LIST_DIR}/demand.cmake")
