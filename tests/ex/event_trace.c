/* Event tracing where no session listens. */
#include "kernel.h"

static const GUID provider = {0x1b2c3d4e, 0x0001, 0x0002, {1, 2, 3, 4, 5, 6, 7, 8}};

static VOID never_enabled(LPCGUID source, ULONG code, UCHAR level, ULONGLONG any, ULONGLONG all,
                          PEVENT_FILTER_DESCRIPTOR filter, PVOID context)
{
    *(BOOLEAN *)context = TRUE;
}

static void provider_writes_to_nobody(void **state)
{
    REGHANDLE handle = 0;
    EVENT_DESCRIPTOR event = {.Id = 1, .Level = 4};
    BOOLEAN is_enabled = FALSE;
    assert_int_equal(EtwRegister(NULL, NULL, NULL, &handle), STATUS_INVALID_PARAMETER);
    assert_int_equal(EtwRegister(&provider, never_enabled, &is_enabled, &handle), STATUS_SUCCESS);
    assert_true(handle != 0);
    assert_false(EtwEventEnabled(handle, &event));
    assert_false(EtwProviderEnabled(handle, 4, 0));
    assert_int_equal(EtwWrite(handle, &event, NULL, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(EtwWriteTransfer(handle, &event, NULL, NULL, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(EtwWriteString(handle, 4, 0, NULL, L"text"), STATUS_SUCCESS);
    assert_int_equal(EtwUnregister(handle), STATUS_SUCCESS);
    assert_int_equal(EtwWrite(0, &event, NULL, 0, NULL), STATUS_INVALID_HANDLE);
    assert_int_equal(EtwUnregister(0), STATUS_INVALID_HANDLE);
    assert_false(is_enabled);
}

static const struct CMUnitTest tests[] = {
    kernel_test(provider_writes_to_nobody),
};

TEST_MAIN(tests)
