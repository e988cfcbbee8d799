# Builds one library of others with its own CMake files, and lays its headers and its archive down
# in a prefix. A script of its own (./dev has Debian's sources), or included (fetch.cmake):
#
#   cmake -DSOURCE=... -DTARGET=... -DPREFIX=... [-DARGUMENTS=...;...] -P cmake/build_source.cmake

function(wskemu_build_step)
  execute_process(COMMAND "${CMAKE_COMMAND}" ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE text
    ERROR_VARIABLE text)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${text}\nended with ${status}: cmake ${ARGN}")
  endif()
endfunction()

# wskemu_build_source(SOURCE TARGET PREFIX [ARGUMENT...])
function(wskemu_build_source source target prefix)
  set(build "${prefix}/build/${target}")
  wskemu_build_step(-S "${source}" -B "${build}" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo
    -DBUILD_TESTING=OFF -DLIBUV_BUILD_TESTS=OFF -DBUILD_SHARED_LIBS=OFF -DWITH_EXAMPLES=OFF
    -DCMAKE_POLICY_DEFAULT_CMP0077=NEW -DCMAKE_POLICY_VERSION_MINIMUM=3.5 -Wno-dev -Wno-deprecated
    ${ARGN})
  wskemu_build_step(--build "${build}" --target "${target}")
  file(GLOB_RECURSE archives "${build}/lib*.a")
  file(COPY ${archives} DESTINATION "${prefix}/lib")
  file(COPY "${source}/include/" DESTINATION "${prefix}/include")
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  wskemu_build_source("${SOURCE}" "${TARGET}" "${PREFIX}" ${ARGUMENTS})
endif()
