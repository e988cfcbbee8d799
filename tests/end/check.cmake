# Runs PROGRAM and checks its exit status and, in order, that its output has each of EXPECTED.
execute_process(COMMAND ${EMULATOR} ${PROGRAM} RESULT_VARIABLE status OUTPUT_VARIABLE output
  ERROR_VARIABLE output)
message("${output}")
if(NOT status EQUAL STATUS)
  message(FATAL_ERROR "exit status ${status} instead of ${STATUS}")
endif()
foreach(expected IN LISTS EXPECTED)
  string(FIND "${output}" "${expected}" place)
  if(place EQUAL -1)
    message(FATAL_ERROR "missing or out of order: ${expected}")
  endif()
  string(SUBSTRING "${output}" ${place} -1 output)
endforeach()
