# Installs into one folder, moves that to another, and builds and runs the consumer against it.

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT status EQUAL 0)
    message(NOTICE "${text}")
    message(FATAL_ERROR "ended with ${status}: ${ARGN}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/first")
file(RENAME "${WORK}/first" "${WORK}/moved")

if(WAY STREQUAL "find_package")
  set(arguments -S "${SOURCE}" -B "${WORK}/build" -G "${GENERATOR}"
    "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}" "-DCMAKE_C_FLAGS=${C_FLAGS}"
    "-DCMAKE_PREFIX_PATH=${WORK}/moved;${PREFIX_PATH}")
  if(TOOLCHAIN)
    # A cross build looks below its own roots only; what lies elsewhere is named.
    file(GLOB_RECURSE config "${WORK}/moved/*/wskemuConfig.cmake")
    get_filename_component(config "${config}" DIRECTORY)
    list(APPEND arguments "-DCMAKE_TOOLCHAIN_FILE=${TOOLCHAIN}"
      "-DCMAKE_FIND_ROOT_PATH=${FIND_ROOT}" "-Dwskemu_DIR=${config}")
  else()
    list(APPEND arguments "-DCMAKE_C_COMPILER=${C_COMPILER}" "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}")
  endif()
  run("${CMAKE_COMMAND}" ${arguments})
  run("${CMAKE_COMMAND}" --build "${WORK}/build")
  run(${EMULATOR} "${WORK}/build/consumer${EXECUTABLE_SUFFIX}")
else()
  file(GLOB_RECURSE pc "${WORK}/moved/*/wskemu.pc")
  get_filename_component(folder "${pc}" DIRECTORY)
  set(ENV{PKG_CONFIG_PATH} "${folder}:$ENV{PKG_CONFIG_PATH}")
  execute_process(COMMAND "${PKG_CONFIG}" --cflags --libs wskemu OUTPUT_VARIABLE flags
    COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  separate_arguments(C_FLAGS UNIX_COMMAND "${C_FLAGS}")
  run("${C_COMPILER}" ${C_FLAGS} "${SOURCE}/no_driver.c" ${flags}
    "-Wl,-rpath,${WORK}/moved/lib" -lpthread -ldl -o "${WORK}/consumer")
  run("${WORK}/consumer")
endif()
