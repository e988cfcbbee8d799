/* The version of the system. */
#include "kernel.h"

static void version_fills_either_structure(void **state)
{
    PROVES("RTL-98");
    RTL_OSVERSIONINFOEXW extended = {.dwOSVersionInfoSize = sizeof(extended), .wProductType = 99};
    RTL_OSVERSIONINFOW plain = {.dwOSVersionInfoSize = sizeof(plain)};
    assert_int_equal(RtlGetVersion((PRTL_OSVERSIONINFOW)&extended), STATUS_SUCCESS);
    assert_int_equal(RtlGetVersion(&plain), STATUS_SUCCESS);
    assert_int_equal(plain.dwMajorVersion, 10);
    assert_int_equal(plain.dwOSVersionInfoSize, sizeof(plain));
    assert_int_equal(extended.dwBuildNumber, plain.dwBuildNumber);
    assert_int_equal(extended.wProductType, VER_NT_WORKSTATION);
    ULONGLONG mask = 0;
    VER_SET_CONDITION(mask, VER_MAJORVERSION, VER_GREATER_EQUAL);
    extended.dwMajorVersion = 6;
    assert_int_equal(RtlVerifyVersionInfo(&extended, VER_MAJORVERSION, mask), STATUS_SUCCESS);
    extended.dwMajorVersion = 11;
    assert_int_equal(RtlVerifyVersionInfo(&extended, VER_MAJORVERSION, mask),
                     STATUS_REVISION_MISMATCH);
    assert_true(RtlIsNtDdiVersionAvailable(0x06010000));
    assert_false(RtlIsNtDdiVersionAvailable(0x0B000000));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(version_fills_either_structure),
};

TEST_MAIN(tests)
