# Installing, and what find_package(wskemu CONFIG) and pkg-config then find.

include(CMakePackageConfigHelpers)
set(WSKEMU_INSTALL_CMAKE "${CMAKE_INSTALL_LIBDIR}/cmake/wskemu")
set(WSKEMU_INSTALL_WDK "${CMAKE_INSTALL_INCLUDEDIR}/wskemu/wdk")

set_target_properties(wskemu_wdk PROPERTIES EXPORT_NAME wdk)
install(TARGETS wskemu wskemu_wdk EXPORT wskemuTargets)
install(EXPORT wskemuTargets NAMESPACE wskemu:: DESTINATION ${WSKEMU_INSTALL_CMAKE})
install(DIRECTORY include/wskemu/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/wskemu
  FILES_MATCHING PATTERN "*.h")
install(DIRECTORY include/wdk/ DESTINATION ${WSKEMU_INSTALL_WDK} FILES_MATCHING PATTERN "*.h")
install(FILES cmake/wskemu_driver.cmake cmake/wskemu_scan.cmake cmake/FindUV.cmake
  cmake/driver.ld.in cmake/driver_image.c.in
  cmake/driver_module.c.in cmake/driver_module.map cmake/driver_cpp.c
  DESTINATION ${WSKEMU_INSTALL_CMAKE})
install(FILES "${WSKEMU_HOOK_NAMES}" DESTINATION ${WSKEMU_INSTALL_CMAKE})
install(FILES tools/generate/tmh.py DESTINATION ${WSKEMU_INSTALL_CMAKE} OPTIONAL)

configure_package_config_file(cmake/wskemuConfig.cmake.in
  "${CMAKE_CURRENT_BINARY_DIR}/package/wskemuConfig.cmake"
  INSTALL_DESTINATION ${WSKEMU_INSTALL_CMAKE}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR WSKEMU_INSTALL_WDK)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/package/wskemuConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/package/wskemuConfig.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/package/wskemuConfigVersion.cmake"
  DESTINATION ${WSKEMU_INSTALL_CMAKE})

# The .pc file finds its prefix from where it lies, so an installed tree may move.
file(RELATIVE_PATH WSKEMU_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" WSKEMU_PC_PREFIX "${WSKEMU_PC_PREFIX}")
set(WSKEMU_PC_REQUIRES "Requires.private")
if(NOT BUILD_SHARED_LIBS)
  set(WSKEMU_PC_REQUIRES "Requires")
endif()
set(WSKEMU_PC_LIBS)
if(WIN32 AND NOT BUILD_SHARED_LIBS)
  set(WSKEMU_PC_LIBS " -lsynchronization")
endif()
set(WSKEMU_PC_FLAGS ${WSKEMU_WDK_OPTIONS})
list(FILTER WSKEMU_PC_FLAGS EXCLUDE REGEX "[$]<")
set(WSKEMU_PC_DEFINITIONS ${WSKEMU_WDK_DEFINITIONS})
list(FILTER WSKEMU_PC_DEFINITIONS EXCLUDE REGEX "[$]<")
list(TRANSFORM WSKEMU_PC_DEFINITIONS PREPEND "-D")
list(JOIN WSKEMU_PC_FLAGS " " WSKEMU_PC_FLAGS)
list(JOIN WSKEMU_PC_DEFINITIONS " " WSKEMU_PC_DEFINITIONS)
configure_file(cmake/wskemu.pc.in "${CMAKE_CURRENT_BINARY_DIR}/package/wskemu.pc" @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/package/wskemu.pc"
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
