# wskemu_add_driver(), and what it shares with the project's own build and tests.
#
#   wskemu_add_driver(NAME
#     SOURCES file...          the driver's own sources, C or C++, unmodified
#     [INCLUDE_DIRS folder...]
#     [DEFINITIONS NAME[=VALUE]...]
#     [OPTIONS option...]      of the compiler; last, so that they overrule what is set here
#     [EXPORTS symbol...])     functions and variables that tests reach by name
#
# makes two targets (a driver's sources are compiled by neither: what is set on them later does not
# reach the driver):
#   NAME         a library for tests to link: target_link_libraries(my_test PRIVATE NAME), then
#                wskemu_load_driver(WSKEMU_DRIVER(NAME), &driver)
#   NAME_module  a loadable module that exports DriverEntry; it takes the kernel from the process
#                that loads it (on Windows from wskemu.dll, so only where wskemu is shared)
#
# All of a driver's objects become one relocatable object first, in which every symbol is local save
# NAME_DriverEntry and EXPORTS. So two drivers never meet, and a driver's own send(), bind() or
# htons() is neither seen by the host's libraries nor replaced by theirs. The same step puts the
# driver's writable data between symbols, from which each load restores it, and leads its calls of
# the kernel by way of hook points, a jump each (wskemu/hook.h).

include("${CMAKE_CURRENT_LIST_DIR}/wskemu_scan.cmake")

set(WSKEMU_CMAKE_DIR "${CMAKE_CURRENT_LIST_DIR}")
if(NOT WSKEMU_WDK_INCLUDE_DIR)
  get_filename_component(WSKEMU_WDK_INCLUDE_DIR "${CMAKE_CURRENT_LIST_DIR}/../include/wdk" ABSOLUTE)
  get_filename_component(WSKEMU_INCLUDE_DIR "${CMAKE_CURRENT_LIST_DIR}/../include" ABSOLUTE)
  set(WSKEMU_TMH_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/../tools/generate/tmh.py")
endif()
if(NOT WSKEMU_HOOK_NAMES)
  set(WSKEMU_HOOK_NAMES "${CMAKE_CURRENT_LIST_DIR}/hook_names.txt" CACHE INTERNAL "")
endif()

# Windows' ideas of types and of arithmetic; all that includes a WDK header is compiled so.
if(MSVC)
  # Microsoft's compiler has these ideas by itself, and defines the processor's names.
  set(WSKEMU_WDK_OPTIONS)
  if(CMAKE_C_COMPILER_ID MATCHES "Clang")
    set(WSKEMU_WDK_OPTIONS /clang:-fno-strict-aliasing /clang:-fwrapv
      /clang:-fno-delete-null-pointer-checks -Wno-multichar -Wno-unknown-pragmas -Wno-microsoft)
  endif()
  set(_WSKEMU_PROCESSOR)
  set(WSKEMU_FRAME_OPTIONS)
else()
  set(WSKEMU_WDK_OPTIONS -fshort-wchar -fms-extensions -mms-bitfields -fno-strict-aliasing -fwrapv
    -fno-delete-null-pointer-checks -Wno-multichar -Wno-unknown-pragmas
    $<$<C_COMPILER_ID:Clang>:-Wno-microsoft>)
  set(_WSKEMU_PROCESSOR _WIN64 _M_AMD64=100 _M_X64=100)
  set(WSKEMU_FRAME_OPTIONS -fno-omit-frame-pointer)
endif()
set(WSKEMU_WDK_DEFINITIONS _AMD64_ _KERNEL_MODE ${_WSKEMU_PROCESSOR} _WIN32_WINNT=0x0A00
  NTDDI_VERSION=0x0A00000C $<$<CONFIG:Debug>:DBG=1>)

# What drivers do that Microsoft's compiler lets pass, and what a driver's project does not: a call
# of a function that nothing declares, whose result would be cut to 32 bits. A function that takes
# half of the kernel's stack of 24 KiB is warned of. (THREAD-36)
set(_WSKEMU_DRIVER_WARNINGS_GNU -Wframe-larger-than=12288
  -Wno-attributes -Wno-comment -Wno-format -Wno-pragmas
  $<$<COMPILE_LANGUAGE:C>:-Werror=implicit-function-declaration>
  $<$<COMPILE_LANGUAGE:C>:-Wno-incompatible-pointer-types>
  $<$<COMPILE_LANGUAGE:C>:-Wno-int-conversion>
  $<$<COMPILE_LANGUAGE:C>:-Wno-discarded-qualifiers>
  $<$<COMPILE_LANGUAGE:CXX>:-fno-gnu-unique> $<$<COMPILE_LANGUAGE:CXX>:-Wno-narrowing>)
set(_WSKEMU_DRIVER_WARNINGS_CLANG -Wframe-larger-than=12288 -Wno-unknown-warning-option
  -Wno-comment -Wno-format
  $<$<COMPILE_LANGUAGE:C>:-Werror=implicit-function-declaration>
  $<$<COMPILE_LANGUAGE:CXX>:-Wno-c++11-narrowing>
  -Wno-ignored-attributes -Wno-incompatible-function-pointer-types -Wno-incompatible-pointer-types
  -Wno-int-conversion -Wno-invalid-source-encoding -Wno-macro-redefined
  -Wno-nonportable-include-path -Wno-pointer-sign -Wno-pragma-pack -Wno-switch
  -Wno-undefined-internal)

# SEH: the handler must see what the body last wrote to a local variable, which optimised code would
# keep in a register. A function that returns in the body and in the handler seems to fall off its
# end.
if(MSVC AND NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
  set(WSKEMU_SEH_OPTIONS)
elseif(MSVC)
  set(WSKEMU_SEH_OPTIONS /Od -Wno-dangling-else -Wno-return-type)
else()
  set(WSKEMU_SEH_OPTIONS -O0 -fno-omit-frame-pointer -Wno-dangling-else -Wno-return-type)
endif()

# wskemu_seh_sources(TARGET) gives the SEH flags to those of a target's sources that contain
# __try, or include a local header that does. Call it in the folder that made the target.
function(wskemu_seh_sources target)
  get_target_property(sources ${target} SOURCES)
  get_target_property(base ${target} SOURCE_DIR)
  get_target_property(folders ${target} INCLUDE_DIRECTORIES)
  list(FILTER folders EXCLUDE REGEX "[$]<|NOTFOUND")
  list(FILTER sources INCLUDE REGEX "^[^$]*\\.(c|cc|cpp|cxx)$")
  foreach(source IN LISTS sources)
    get_filename_component(source "${source}" ABSOLUTE BASE_DIR "${base}")
    get_source_file_property(generated "${source}" GENERATED)
    if(generated)
      continue()
    endif()
    _wskemu_scan("${source}" "${folders}" "")
    if(_seh)
      set_property(SOURCE "${source}" PROPERTY COMPILE_OPTIONS ${WSKEMU_SEH_OPTIONS})
    endif()
  endforeach()
endfunction()

# Under ThreadSanitizer a volatile access counts as atomic, as Microsoft's compiler has it on x64;
# for drivers and tests (emu/base/volatile.c).
set(WSKEMU_VOLATILE_OPTIONS)
if(CMAKE_C_FLAGS MATCHES "-fsanitize=[a-z,]*thread")
  if(CMAKE_C_COMPILER_ID MATCHES "Clang")
    set(WSKEMU_VOLATILE_OPTIONS "SHELL:-mllvm -tsan-distinguish-volatile=1")
  else()
    set(WSKEMU_VOLATILE_OPTIONS --param=tsan-distinguish-volatile=1)
  endif()
endif()

# For callers outside this scope: a project that took wskemu in by add_subdirectory().
foreach(variable IN ITEMS WSKEMU_CMAKE_DIR WSKEMU_WDK_INCLUDE_DIR WSKEMU_INCLUDE_DIR
    WSKEMU_TMH_SCRIPT WSKEMU_SEH_OPTIONS WSKEMU_VOLATILE_OPTIONS _WSKEMU_DRIVER_WARNINGS_GNU
    _WSKEMU_DRIVER_WARNINGS_CLANG)
  set(${variable} "${${variable}}" CACHE INTERNAL "")
endforeach()

function(_wskemu_find_objcopy)
  string(REGEX REPLACE "(gcc|clang|cc|g\\+\\+)[^/]*$" "" prefix "${CMAKE_C_COMPILER}")
  get_filename_component(prefix "${prefix}" NAME)
  find_program(WSKEMU_OBJCOPY NAMES "${prefix}objcopy" objcopy REQUIRED)
  mark_as_advanced(WSKEMU_OBJCOPY)
endfunction()

# Names of the C runtime that work on 16-bit characters here and on 32-bit ones in the host's C
# library. Our headers redirect them; this list catches a driver that declares one by itself.
function(_wskemu_redirected_names out)
  file(GLOB headers "${WSKEMU_WDK_INCLUDE_DIR}/*.h" "${WSKEMU_WDK_INCLUDE_DIR}/detail/*.h")
  set(names)
  foreach(header IN LISTS headers)
    file(READ "${header}" text)
    string(REGEX MATCHALL "WDK_LINK_NAME\\(\"[A-Za-z0-9_]+\"\\)" uses "${text}")
    foreach(use IN LISTS uses)
      string(REGEX REPLACE ".*\"(.*)\".*" "\\1" name "${use}")
      list(APPEND names "${name}")
    endforeach()
  endforeach()
  list(REMOVE_DUPLICATES names)
  list(TRANSFORM names REPLACE "(.+)" "\\1 wskemu_\\1")
  list(JOIN names "\n" lines)
  file(CONFIGURE OUTPUT "${out}" CONTENT "${lines}\n" @ONLY)
endfunction()

# The flags of a driver's own sources, beside those of wskemu::wdk.
function(_wskemu_driver_flags target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON
    C_STANDARD 11 C_EXTENSIONS ON CXX_STANDARD 20 CXX_EXTENSIONS ON)
  if(MSVC)
    target_compile_options(${target} PRIVATE
      "$<$<COMPILE_LANGUAGE:C>:/FI${WSKEMU_WDK_INCLUDE_DIR}/detail/kernel_build.h>"
      "$<$<COMPILE_LANGUAGE:CXX>:/EHs-c-;/GR-;/Zc:threadSafeInit->" /wd4068)
    return()
  endif()
  target_compile_options(${target} PRIVATE -g -fno-common -fno-omit-frame-pointer
    -fno-optimize-sibling-calls -fno-sanitize=alignment,null,vptr
    "$<$<COMPILE_LANGUAGE:C>:SHELL:-include \"${WSKEMU_WDK_INCLUDE_DIR}/detail/kernel_build.h\">"
    "$<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions;-fno-rtti;-fno-threadsafe-statics>"
    "$<$<COMPILE_LANGUAGE:CXX>:-fsized-deallocation>" ${WSKEMU_VOLATILE_OPTIONS})
  if(CMAKE_C_COMPILER_ID MATCHES "Clang")
    target_compile_options(${target} PRIVATE ${_WSKEMU_DRIVER_WARNINGS_CLANG})
  else()
    target_compile_options(${target} PRIVATE ${_WSKEMU_DRIVER_WARNINGS_GNU})
  endif()
endfunction()

# Scans the sources, gives them their SEH flags, and generates forwarding and trace headers.
function(_wskemu_driver_headers target name work sources folders)
  set(root "${work}/headers/1/2/3/4")
  file(MAKE_DIRECTORY "${root}")
  foreach(source IN LISTS sources)
    if(NOT source MATCHES "\\.(c|cc|cpp|cxx)$")
      continue()
    endif()
    _wskemu_scan("${source}" "${folders}" "${root}")
    if(_seh)
      set_property(SOURCE "${source}" PROPERTY COMPILE_OPTIONS ${WSKEMU_SEH_OPTIONS})
    endif()
    if(_tmh AND EXISTS "${WSKEMU_TMH_SCRIPT}")
      _wskemu_trace_header("${target}" "${work}" "${source}" "${_tmh}" "${sources}" "${folders}")
    endif()
  endforeach()
  target_include_directories(${target} PRIVATE "${root}" "${work}/trace")
endfunction()

function(_wskemu_trace_header target work source tmh sources folders)
  find_program(WSKEMU_PYTHON NAMES python3 python REQUIRED)
  list(TRANSFORM folders PREPEND "-I" OUTPUT_VARIABLE includes)
  foreach(header IN LISTS tmh)
    set(output "${work}/trace/${header}")
    get_property(known TARGET ${target} PROPERTY "WSKEMU_TRACE_${header}" SET)
    if(known)
      continue()
    endif()
    set_property(TARGET ${target} PROPERTY "WSKEMU_TRACE_${header}" 1)
    add_custom_command(OUTPUT "${output}"
      COMMAND "${CMAKE_COMMAND}" -E make_directory "${work}/trace"
      COMMAND "${WSKEMU_PYTHON}" "${WSKEMU_TMH_SCRIPT}" --output "${output}" ${includes} ${sources}
      DEPENDS ${sources} "${WSKEMU_TMH_SCRIPT}"
      COMMENT "Trace header ${header}" VERBATIM)
    target_sources(${target} PRIVATE "${output}")
  endforeach()
endfunction()

function(wskemu_add_driver name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" ""
    "SOURCES;INCLUDE_DIRS;DEFINITIONS;OPTIONS;EXPORTS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "wskemu_add_driver(NAME SOURCES file... [INCLUDE_DIRS folder...] "
      "[DEFINITIONS NAME[=VALUE]...] [OPTIONS option...] [EXPORTS symbol...]); "
      "not understood: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT name MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
    message(FATAL_ERROR "wskemu_add_driver: ${name} becomes part of C names: letters, digits, _")
  endif()
  set(work "${CMAKE_CURRENT_BINARY_DIR}/${name}.driver")
  file(MAKE_DIRECTORY "${work}/trace")
  set(sources)
  foreach(source IN LISTS arg_SOURCES)
    get_filename_component(source "${source}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
    list(APPEND sources "${source}")
  endforeach()
  set(folders)
  foreach(folder IN LISTS arg_INCLUDE_DIRS)
    get_filename_component(folder "${folder}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
    list(APPEND folders "${folder}")
  endforeach()

  add_library(${name}_objects OBJECT ${sources})
  target_link_libraries(${name}_objects PRIVATE wskemu::wdk)
  target_compile_definitions(${name}_objects PRIVATE AMD64 WINNT=1 ${arg_DEFINITIONS})
  target_include_directories(${name}_objects PRIVATE ${folders})
  _wskemu_driver_flags(${name}_objects)
  target_compile_options(${name}_objects PRIVATE ${arg_OPTIONS})
  _wskemu_driver_headers(${name}_objects ${name} "${work}" "${sources}" "${folders}")

  if(sources MATCHES "\\.(cc|cpp|cxx)(;|$)")
    target_sources(${name}_objects PRIVATE "${WSKEMU_CMAKE_DIR}/driver_cpp.c")
  endif()

  if(MSVC)
    _wskemu_plain_driver(${name} "${work}")
    return()
  endif()
  _wskemu_relocatable(${name} "${work}" "${arg_EXPORTS}")
  _wskemu_driver_targets(${name} "${work}" "${sources}")
endfunction()

# Microsoft's linker cannot put objects together to one: the driver's symbols stay as they are, so
# two drivers in one program must not share a name, and a second load finds the data that the first
# one left. Only DriverEntry gets a name of its own.
function(_wskemu_plain_driver name work)
  set(WSKEMU_DRIVER "${name}")
  configure_file("${WSKEMU_CMAKE_DIR}/driver_image.c.in" "${work}/image.c" @ONLY)
  target_compile_definitions(${name}_objects PRIVATE DriverEntry=${name}_DriverEntry)
  add_library(${name} STATIC $<TARGET_OBJECTS:${name}_objects> "${work}/image.c")
  target_compile_definitions(${name} PRIVATE WSKEMU_DRIVER_HAS_NO_BOUNDS)
  target_link_libraries(${name} PUBLIC wskemu::wskemu)
endfunction()

# The command that makes one object of all, with the driver's symbols hidden in it.
function(_wskemu_relocatable name work exports)
  _wskemu_find_objcopy()
  set(WSKEMU_DRIVER "${name}")
  set(WSKEMU_OUTPUT_FORMAT "")
  if(WIN32)
    # A linker script without this line makes an image where an object is wanted.
    set(WSKEMU_OUTPUT_FORMAT "OUTPUT_FORMAT(pe-x86-64)")
  endif()
  configure_file("${WSKEMU_CMAKE_DIR}/driver.ld.in" "${work}/driver.ld" @ONLY)
  set(keep ${name}_DriverEntry ${exports})
  foreach(edge IN ITEMS data_begin data_end bss_begin bss_end text_begin text_end)
    list(APPEND keep wskemu_${name}_${edge})
  endforeach()
  list(JOIN keep "\n" keep)
  file(CONFIGURE OUTPUT "${work}/global.txt" CONTENT "${keep}\n" @ONLY)
  if(WIN32)
    # Inline functions and their like stand in sections of which any copy will do; the final link
    # would drop those of the second driver, so they lose that mark before they are put together.
    set(group)
    set(rework)
    foreach(section IN ITEMS text=code,readonly rdata=data,readonly pdata=data,readonly
        xdata=data,readonly data=data)
      string(REPLACE "=" "$*=" inline_section "${section}")
      list(APPEND rework --set-section-flags ".${inline_section},alloc,load,contents")
    endforeach()
    list(APPEND rework --set-section-flags ".bss$*=alloc")
    list(APPEND rework "--redefine-syms=${WSKEMU_HOOK_NAMES}")
  else()
    _wskemu_redirected_names("${work}/redirect.txt")
    set(redirect "${work}/redirect.txt")
    set(group -Wl,--force-group-allocation)
    set(rework "--redefine-syms=${redirect}" "--redefine-syms=${WSKEMU_HOOK_NAMES}")
  endif()
  set(hook_target)
  if(TARGET wskemu_hook_names)
    set(hook_target wskemu_hook_names)
  endif()
  add_custom_command(OUTPUT "${work}/${name}.o"
    COMMAND "${CMAKE_C_COMPILER}" -nostdlib -r ${group}
      -o "${work}/joined.o" $<TARGET_OBJECTS:${name}_objects>
    COMMAND "${WSKEMU_OBJCOPY}" ${rework} "${work}/joined.o" "${work}/plain.o"
    COMMAND "${CMAKE_C_COMPILER}" -nostdlib -r -Wl,-T,${work}/driver.ld
      -o "${work}/placed.o" "${work}/plain.o"
    COMMAND "${WSKEMU_OBJCOPY}" --keep-global-symbols=${work}/global.txt
      "${work}/placed.o" "${work}/${name}.o"
    DEPENDS ${name}_objects $<TARGET_OBJECTS:${name}_objects> "${work}/driver.ld"
      "${work}/global.txt" "${WSKEMU_HOOK_NAMES}" ${redirect} ${hook_target}
    COMMENT "Driver object ${name}" COMMAND_EXPAND_LISTS VERBATIM)
  set_source_files_properties("${work}/${name}.o" PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
endfunction()

function(_wskemu_driver_targets name work sources)
  set(WSKEMU_DRIVER "${name}")
  configure_file("${WSKEMU_CMAKE_DIR}/driver_image.c.in" "${work}/image.c" @ONLY)
  configure_file("${WSKEMU_CMAKE_DIR}/driver_module.c.in" "${work}/module.c" @ONLY)

  add_library(${name} STATIC "${work}/${name}.o" "${work}/image.c")
  target_link_libraries(${name} PUBLIC wskemu::wskemu)
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)

  get_target_property(kind wskemu::wskemu TYPE)
  if(WIN32 AND NOT kind STREQUAL "SHARED_LIBRARY")
    return()
  endif()
  add_library(${name}_module MODULE "${work}/${name}.o" "${work}/image.c" "${work}/module.c")
  target_include_directories(${name}_module PRIVATE "${WSKEMU_INCLUDE_DIR}")
  set_target_properties(${name}_module PROPERTIES OUTPUT_NAME ${name} PREFIX "")
  add_dependencies(${name}_module ${name})
  if(WIN32)
    target_link_libraries(${name}_module PRIVATE wskemu::wskemu)
  else()
    target_link_options(${name}_module PRIVATE LINKER:-z,now
      "LINKER:--version-script,${WSKEMU_CMAKE_DIR}/driver_module.map")
  endif()
endfunction()
