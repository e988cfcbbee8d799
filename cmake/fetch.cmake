# libuv and CMocka from their own sources, for hosts without packages of them (WSKEMU_FETCH).
#
# They are built while CMake configures, by the project's compilers, into the folder `fetched` of
# the build, where FindUV and FindCMocka then find them. FETCHCONTENT_SOURCE_DIR_LIBUV and
# FETCHCONTENT_SOURCE_DIR_CMOCKA name sources that are here already; nothing is downloaded then.
if(MSVC)
  message(FATAL_ERROR "WSKEMU_FETCH is for gcc and clang; with MSVC and clang-cl use vcpkg")
endif()

include(FetchContent)
include("${CMAKE_CURRENT_LIST_DIR}/build_source.cmake")

set(WSKEMU_FETCHED "${CMAKE_BINARY_DIR}/fetched")
list(PREPEND CMAKE_PREFIX_PATH "${WSKEMU_FETCHED}")
if(CMAKE_CROSSCOMPILING)
  list(APPEND CMAKE_FIND_ROOT_PATH "${WSKEMU_FETCHED}")
endif()

# The subfolder keeps MakeAvailable from adding the library's own CMake files to this project.
FetchContent_Declare(libuv GIT_REPOSITORY https://github.com/libuv/libuv.git GIT_TAG v1.44.2
  GIT_SHALLOW ON SOURCE_SUBDIR none)
FetchContent_Declare(cmocka GIT_REPOSITORY https://gitlab.com/cmocka/cmocka.git
  GIT_TAG cmocka-1.1.5 GIT_SHALLOW ON SOURCE_SUBDIR none)

# wskemu_fetch(NAME TARGET [ARGUMENT...])
function(wskemu_fetch name target)
  if(EXISTS "${WSKEMU_FETCHED}/lib/${target}.done")
    return()
  endif()
  FetchContent_MakeAvailable(${name})
  message(STATUS "building ${name}")
  if(CMAKE_TOOLCHAIN_FILE)
    set(how "-DCMAKE_TOOLCHAIN_FILE=${CMAKE_TOOLCHAIN_FILE}")
  else()
    set(how "-DCMAKE_C_COMPILER=${CMAKE_C_COMPILER}" "-DCMAKE_C_FLAGS=${CMAKE_C_FLAGS}")
  endif()
  wskemu_build_source("${${name}_SOURCE_DIR}" ${target} "${WSKEMU_FETCHED}" ${how}
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON ${ARGN})
  file(TOUCH "${WSKEMU_FETCHED}/lib/${target}.done")
endfunction()

wskemu_fetch(libuv uv_a)
wskemu_fetch(cmocka cmocka-static -DWITH_STATIC_LIB=ON)

# Not the shared ones that the host may have as well.
set(WSKEMU_UV_STATIC ON CACHE BOOL "Link libuv statically")
set(CMOCKA_LIBRARY "${WSKEMU_FETCHED}/lib/libcmocka-static.a" CACHE FILEPATH "CMocka")
