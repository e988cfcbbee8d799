# CMocka: CMOCKA_LIBRARY, a library to link, and CMOCKA_INCLUDE_DIR. With MSVC and clang-cl it is
# the package that vcpkg installs.

if(MSVC)
  find_package(cmocka CONFIG QUIET)
  if(TARGET cmocka::cmocka)
    set(CMOCKA_LIBRARY cmocka::cmocka CACHE STRING "CMocka")
  endif()
endif()
find_path(CMOCKA_INCLUDE_DIR cmocka.h)
find_library(CMOCKA_LIBRARY NAMES cmocka cmocka-static)
mark_as_advanced(CMOCKA_INCLUDE_DIR CMOCKA_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CMocka REQUIRED_VARS CMOCKA_LIBRARY CMOCKA_INCLUDE_DIR)
