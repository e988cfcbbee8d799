/* Software tracing: a driver's trace calls print their decoded text. */
#include "test.h"
#include "capture.h"

static const char expected[] = "--> DriverEntry\n"
                               "DriverEntry: hello 1\n"
                               "status 0xc0000022(STATUS_ACCESS_DENIED) and 0x00012345\n"
                               "guid {2227e803-8d8b-11d4-abad-009027719e09}\n"
                               "address 127.0.0.1:8080 or ::1\n"
                               "\\Device\\Traced 18446744073709551615 16 wide narrow 4294967295\n"
                               "TRACE_LEVEL_WARNING TRACED_SOCKET driver.c TRUE\n"
                               "failed: 0xc0000001(STATUS_UNSUCCESSFUL)\n"
                               "helper:11 says 0x00000103(STATUS_PENDING)\n"
                               "just right\n"
                               "unloading\n";

static void trace_calls_print_decoded_text(void **state)
{
    PDRIVER_OBJECT driver = NULL;
    capture_start();
    NTSTATUS status = wskemu_load_driver(WSKEMU_DRIVER(traced), &driver);
    if (NT_SUCCESS(status)) {
        status = wskemu_unload_driver(driver);
    }
    capture_stop();
    assert_int_equal(status, STATUS_SUCCESS);
    assert_string_equal(captured.text, expected);
}

static const struct CMUnitTest tests[] = {
    kernel_test(trace_calls_print_decoded_text),
};

TEST_MAIN(tests)
