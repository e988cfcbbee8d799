# Tests that may be made long: with WSKEMU_LONG=1 in the environment they run in full.
wskemu_test_area(stress)
get_property(names DIRECTORY PROPERTY TESTS)
list(FILTER names INCLUDE REGEX "^stress\\.")
if(names)
  set_tests_properties(${names} PROPERTIES TIMEOUT 900 LABELS "stress;long")
endif()
