# The library, from two worlds that never share a header of the other's: the host side (libuv,
# system headers, the host's wchar_t) and the driver side (WDK headers, Windows' types).

if(WIN32)
  set(WSKEMU_HOST windows)
else()
  set(WSKEMU_HOST linux)
endif()

file(GLOB WSKEMU_HOST_SOURCES CONFIGURE_DEPENDS
  emu/base/*.c emu/base/${WSKEMU_HOST}/*.c emu/net/uv/*.c emu/net/uv/${WSKEMU_HOST}/*.c)
file(GLOB_RECURSE WSKEMU_KERNEL_SOURCES CONFIGURE_DEPENDS emu/*.c)
list(FILTER WSKEMU_KERNEL_SOURCES EXCLUDE REGEX "/emu/(base|net/uv)/")

# Of the library, of programs and tests, and what tests may do beside that.
if(MSVC)
  # Not: parameters that a name is given but no use, members and unions without a name, conditions
  # that are constant, arrays of no length, pragmas of other compilers.
  set(WSKEMU_WARNINGS /W4 /wd4100 /wd4201 /wd4127 /wd4200 /wd4068)
  set(WSKEMU_PROGRAM_WARNINGS /W3)
  set(WSKEMU_TEST_WARNINGS /wd4068)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    add_compile_options($<$<COMPILE_LANGUAGE:C>:/experimental:c11atomics> /utf-8 /volatile:ms)
  endif()
  set(_werror /WX)
else()
  set(WSKEMU_WARNINGS -Wall -Wextra -Wpedantic -Wno-unused-parameter -Wstrict-prototypes
    -Wmissing-prototypes -Wshadow)
  set(WSKEMU_PROGRAM_WARNINGS -Wall -Wextra)
  set(WSKEMU_TEST_WARNINGS -Wno-unused-parameter -Wno-format)
  set(_werror -Werror)
endif()
if(WSKEMU_WERROR)
  list(APPEND WSKEMU_WARNINGS ${_werror})
  list(APPEND WSKEMU_PROGRAM_WARNINGS ${_werror})
endif()

# Whatever includes a WDK header: drivers, tests, and the emulator above the wall.
add_library(wskemu_wdk INTERFACE)
add_library(wskemu::wdk ALIAS wskemu_wdk)
target_compile_options(wskemu_wdk INTERFACE ${WSKEMU_WDK_OPTIONS})
target_compile_definitions(wskemu_wdk INTERFACE ${WSKEMU_WDK_DEFINITIONS})
target_include_directories(wskemu_wdk INTERFACE
  $<BUILD_INTERFACE:${WSKEMU_WDK_INCLUDE_DIR}>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/wskemu/wdk>)

add_library(wskemu_host OBJECT ${WSKEMU_HOST_SOURCES})
target_include_directories(wskemu_host PRIVATE emu)
target_link_libraries(wskemu_host PRIVATE wskemu::uv)
target_compile_definitions(wskemu_host PRIVATE $<$<NOT:$<BOOL:${WIN32}>>:_GNU_SOURCE>)

# The machine's own sessions, where libsystemd's header is there; the library itself is loaded when
# somebody asks for them, and nothing is linked with it.
option(WSKEMU_LOGIND "Mirror the sessions of systemd's login manager, if libsystemd is there" ON)
if(WSKEMU_LOGIND AND NOT WIN32)
  find_path(WSKEMU_SYSTEMD_INCLUDE_DIR systemd/sd-bus.h)
  mark_as_advanced(WSKEMU_SYSTEMD_INCLUDE_DIR)
  if(WSKEMU_SYSTEMD_INCLUDE_DIR)
    set_source_files_properties(emu/base/linux/logins.c PROPERTIES
      COMPILE_DEFINITIONS WSKEMU_LOGIND
      INCLUDE_DIRECTORIES "${WSKEMU_SYSTEMD_INCLUDE_DIR}")
  endif()
endif()

add_library(wskemu_kernel OBJECT ${WSKEMU_KERNEL_SOURCES})
target_include_directories(wskemu_kernel PRIVATE emu include "${WSKEMU_GENERATED_DIR}")
target_link_libraries(wskemu_kernel PRIVATE wskemu::wdk)
wskemu_seh_sources(wskemu_kernel)

foreach(side IN ITEMS wskemu_host wskemu_kernel)
  set_target_properties(${side} PROPERTIES C_STANDARD 11 C_EXTENSIONS ON
    POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${side} PRIVATE ${WSKEMU_WARNINGS} ${WSKEMU_FRAME_OPTIONS})
endforeach()

# The kernel's routines by name, for MmGetSystemRoutineAddress, from what the objects define; and a
# hook point for each, with the list of names that leads a driver's calls there.
find_program(WSKEMU_PYTHON NAMES python3 python REQUIRED)
if(MSVC)
  # Microsoft's tools have no nm; LLVM's comes with Visual Studio's clang.
  find_program(WSKEMU_NM NAMES llvm-nm REQUIRED)
else()
  set(WSKEMU_NM "${CMAKE_NM}")
endif()
set(routines "${WSKEMU_GENERATED_DIR}/routines.c")
set(generate "${CMAKE_CURRENT_LIST_DIR}/../tools/generate")
set(WSKEMU_HOOK_NAMES "${WSKEMU_GENERATED_DIR}/hook_names.txt" CACHE INTERNAL "")
add_custom_command(OUTPUT "${routines}" "${WSKEMU_HOOK_NAMES}"
  COMMAND "${WSKEMU_PYTHON}" -B "${generate}/routines.py" "${WSKEMU_NM}" "${routines}"
    "${WSKEMU_HOOK_NAMES}" $<TARGET_OBJECTS:wskemu_kernel>
  DEPENDS "${generate}/routines.py" "${generate}/table.py" $<TARGET_OBJECTS:wskemu_kernel>
  COMMAND_EXPAND_LISTS COMMENT "Table routines.c" VERBATIM)
add_library(wskemu_routines OBJECT "${routines}")
add_custom_target(wskemu_hook_names DEPENDS "${WSKEMU_HOOK_NAMES}")
target_include_directories(wskemu_routines PRIVATE emu)
set_target_properties(wskemu_routines PROPERTIES C_STANDARD 11 POSITION_INDEPENDENT_CODE ON)

# wskemu_make_library(TARGET KIND UV): the library in one of its forms.
function(wskemu_make_library target kind uv)
  add_library(${target} ${kind} $<TARGET_OBJECTS:wskemu_host> $<TARGET_OBJECTS:wskemu_kernel>
    $<TARGET_OBJECTS:wskemu_routines>)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)
  target_include_directories(${target} INTERFACE
    $<BUILD_INTERFACE:${WSKEMU_INCLUDE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PUBLIC wskemu_wdk PRIVATE ${uv}
    $<$<BOOL:${WIN32}>:synchronization>)
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL "SHARED_LIBRARY")
    return()
  endif()
  if(MSVC)
    set_target_properties(${target} PROPERTIES WINDOWS_EXPORT_ALL_SYMBOLS ON)
  elseif(WIN32)
    target_link_options(${target} PRIVATE -static
      LINKER:--export-all-symbols,--exclude-libs,ALL)
  else()
    target_link_options(${target} PRIVATE LINKER:-Bsymbolic-functions
      LINKER:--exclude-libs,ALL
      LINKER:--version-script,${CMAKE_CURRENT_FUNCTION_LIST_DIR}/wskemu.map)
    set_property(TARGET ${target} PROPERTY
      LINK_DEPENDS "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/wskemu.map")
  endif()
endfunction()

wskemu_make_library(wskemu "" wskemu::uv)
add_library(wskemu::wskemu ALIAS wskemu)
