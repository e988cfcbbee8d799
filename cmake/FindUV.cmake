# libuv as imported targets: wskemu::uv_static and wskemu::uv_shared for what is there, and
# wskemu::uv for the one that the project links (static where WSKEMU_UV_STATIC says so).
# Looks below CMAKE_PREFIX_PATH first, so that an instrumented or cross-built libuv can stand in.
# With MSVC and clang-cl it is the package that vcpkg installs, which knows its own libraries.

if(MSVC)
  find_package(libuv CONFIG)
  if(TARGET libuv::uv_a)
    set(UV_LIBRARY libuv::uv_a)
  elseif(TARGET libuv::uv)
    set(UV_LIBRARY libuv::uv)
  endif()
  include(FindPackageHandleStandardArgs)
  find_package_handle_standard_args(UV REQUIRED_VARS UV_LIBRARY)
  if(UV_FOUND AND NOT TARGET wskemu::uv)
    add_library(wskemu::uv INTERFACE IMPORTED)
    set_target_properties(wskemu::uv PROPERTIES INTERFACE_LINK_LIBRARIES ${UV_LIBRARY})
  endif()
  return()
endif()

find_path(UV_INCLUDE_DIR uv.h)
find_library(UV_STATIC_LIBRARY NAMES libuv_a.a libuv.a)
find_library(UV_SHARED_LIBRARY NAMES libuv.so libuv.dylib libuv.dll.a)
mark_as_advanced(UV_INCLUDE_DIR UV_STATIC_LIBRARY UV_SHARED_LIBRARY)

set(WSKEMU_UV_STATIC OFF CACHE BOOL "Link libuv statically")
if(UV_STATIC_LIBRARY AND (WSKEMU_UV_STATIC OR NOT UV_SHARED_LIBRARY))
  set(UV_LIBRARY "${UV_STATIC_LIBRARY}")
  set(_uv_kind static)
else()
  set(UV_LIBRARY "${UV_SHARED_LIBRARY}")
  set(_uv_kind shared)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(UV REQUIRED_VARS UV_LIBRARY UV_INCLUDE_DIR)

if(WIN32)
  set(_uv_system ws2_32 iphlpapi psapi userenv dbghelp ole32 shell32 advapi32 user32)
else()
  find_package(Threads REQUIRED)
  set(_uv_system Threads::Threads ${CMAKE_DL_LIBS})
endif()

if(UV_FOUND)
  foreach(kind IN ITEMS static shared)
    string(TOUPPER ${kind} KIND)
    if(UV_${KIND}_LIBRARY AND NOT TARGET wskemu::uv_${kind})
      add_library(wskemu::uv_${kind} UNKNOWN IMPORTED)
      set_target_properties(wskemu::uv_${kind} PROPERTIES
        IMPORTED_LOCATION "${UV_${KIND}_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${UV_INCLUDE_DIR}"
        INTERFACE_LINK_LIBRARIES "${_uv_system}")
    endif()
  endforeach()
  if(NOT TARGET wskemu::uv)
    add_library(wskemu::uv INTERFACE IMPORTED)
    set_target_properties(wskemu::uv PROPERTIES INTERFACE_LINK_LIBRARIES wskemu::uv_${_uv_kind})
  endif()
endif()
