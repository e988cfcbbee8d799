/* Text for the debugger. */
#include "kernel.h"
#include "capture.h"

static void print_formats_into_the_log(void **state)
{
    PROVES("RTL-99");
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Echo");
    capture_start();
    ULONG status = DbgPrint("%wZ: %lu %I64x\n", &name, MAXULONG, 0x123456789ULL);
    assert_string_equal(capture_stop(), "\\Device\\Echo: 4294967295 123456789\n");
    assert_int_equal(status, STATUS_SUCCESS);
}

static void print_ends_after_512_bytes(void **state)
{
    PROVES("RTL-99");
    capture_start();
    DbgPrint("%600d", 1);
    capture_stop();
    assert_int_equal(captured.length, 512);
    capture_start();
    DbgPrint("%512d", 1);
    capture_stop();
    assert_int_equal(captured.length, 512);
    assert_int_equal(captured.text[511], '1');
}

static void print_knows_no_floats(void **state)
{
    PROVES("RTL-99");
    capture_start();
    DbgPrint("[%f]", 1.5);
    assert_string_equal(capture_stop(), "[f]");
}

static struct {
    char text[64];
    ULONG component;
    ULONG level;
    ULONG calls;
} heard;

static DEBUG_PRINT_CALLBACK listen;

static VOID listen(PSTRING Output, ULONG ComponentId, ULONG Level)
{
    memcpy(heard.text, Output->Buffer, Output->Length);
    heard.text[Output->Length] = 0;
    heard.component = ComponentId;
    heard.level = Level;
    heard.calls++;
}

static void print_is_print_ex_with_defaults(void **state)
{
    PROVES("RTL-99");
    heard.calls = 0;
    assert_int_equal(DbgSetDebugPrintCallback(listen, TRUE), STATUS_SUCCESS);
    capture_start();
    DbgPrint("one");
    assert_int_equal(heard.component, DPFLTR_DEFAULT_ID);
    assert_int_equal(heard.level, DPFLTR_INFO_LEVEL);
    assert_string_equal(heard.text, "one");
    DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "two %d", 2);
    assert_int_equal(heard.component, DPFLTR_IHVDRIVER_ID);
    assert_int_equal(heard.level, DPFLTR_ERROR_LEVEL);
    assert_string_equal(heard.text, "two 2");
    assert_int_equal(DbgSetDebugPrintCallback(listen, FALSE), STATUS_SUCCESS);
    DbgPrint("three");
    assert_int_equal(heard.calls, 2);
    assert_string_equal(capture_stop(), "onetwo 2three");
    assert_int_equal(DbgSetDebugPrintCallback(listen, FALSE), STATUS_INVALID_PARAMETER);
}

static void filter_hides_a_level(void **state)
{
    assert_int_equal(DbgQueryDebugFilterState(DPFLTR_IHVNETWORK_ID, DPFLTR_TRACE_LEVEL), TRUE);
    DbgSetDebugFilterState(DPFLTR_IHVNETWORK_ID, DPFLTR_TRACE_LEVEL, FALSE);
    assert_int_equal(DbgQueryDebugFilterState(DPFLTR_IHVNETWORK_ID, DPFLTR_TRACE_LEVEL), FALSE);
    capture_start();
    DbgPrintEx(DPFLTR_IHVNETWORK_ID, DPFLTR_TRACE_LEVEL, "hidden");
    DbgPrintEx(DPFLTR_IHVNETWORK_ID, DPFLTR_ERROR_LEVEL, "shown");
    DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_TRACE_LEVEL, " too");
    DbgSetDebugFilterState(DPFLTR_IHVNETWORK_ID, DPFLTR_TRACE_LEVEL, TRUE);
    DbgPrintEx(DPFLTR_IHVNETWORK_ID, DPFLTR_TRACE_LEVEL, " again");
    assert_string_equal(capture_stop(), "shown too again");
}

static void prefixed(PCCH prefix, PCCH format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    assert_int_equal(
        vDbgPrintExWithPrefix(prefix, DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL, format, arguments),
        STATUS_SUCCESS);
    va_end(arguments);
}

static void prefix_counts_towards_the_limit(void **state)
{
    capture_start();
    prefixed("echo: ", "%s %d", "value", 1);
    assert_string_equal(capture_stop(), "echo: value 1");
    capture_start();
    prefixed("echo: ", "%600d", 1);
    capture_stop();
    assert_int_equal(captured.length, 512);
}

static void there_is_no_debugger(void **state)
{
    assert_false(KD_DEBUGGER_ENABLED);
    assert_true(KD_DEBUGGER_NOT_PRESENT);
    assert_true(KdRefreshDebuggerNotPresent());
}

static void fail_assertion(void *context)
{
    NT_FRE_ASSERT(context != NULL);
}

static void fail_checked_assertion(void *context)
{
    RtlAssert("1 == 2", "file.c", 7, NULL);
}

static void failed_assertions_stop_the_system(void **state)
{
    NT_FRE_ASSERT(1 == 1);
    capture_start();
    expect_bugcheck(fail_assertion, NULL, KMODE_EXCEPTION_NOT_HANDLED,
                    (ULONG_PTR)(LONG_PTR)STATUS_ASSERTION_FAILURE, NULL);
    expect_bugcheck(fail_checked_assertion, NULL, KMODE_EXCEPTION_NOT_HANDLED,
                    (ULONG_PTR)(LONG_PTR)STATUS_ASSERTION_FAILURE, NULL);
    capture_stop();
    assert_non_null(strstr(captured.text, "Assertion failed: 1 == 2"));
}

static void crash(void *context)
{
    KeBugCheckEx(0x12345678, 1, 2, 3, 4);
}

static void bugcheck_stops_the_system(void **state)
{
    PROVES("RTL-102");
    struct wskemu_bugcheck caught;
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    capture_start();
    assert_true(wskemu_catch_bugcheck(crash, NULL, &caught));
    capture_stop();
    assert_int_equal(caught.code, 0x12345678);
    for (ULONG index = 0; index < 4; index++) {
        assert_int_equal(caught.parameter[index], index + 1);
    }
}

static void print_at(KIRQL level, PCSTR format, PVOID argument)
{
    KIRQL old;
    KeRaiseIrql(level, &old);
    DbgPrint(format, argument);
    KeLowerIrql(old);
}

static void wide_formats_at_a_raised_level_are_warned_of(void **state)
{
    PROVES("RTL-100");
    static const char *const formats[] = {"%wZ\n", "%d%%%-10ls", "%ws", "%.3S", "%C", "%lc", "%wc"};
    UNICODE_STRING text = RTL_CONSTANT_STRING(L"text");
    for (size_t i = 0; i < RTL_NUMBER_OF(formats); i++) {
        PVOID argument = i == 0 ? (PVOID)&text : i < 4 ? (PVOID)text.Buffer : (PVOID)L'x';
        capture_start();
        if (i == 1) {
            KIRQL old;
            KeRaiseIrql(DISPATCH_LEVEL, &old);
            DbgPrint(formats[i], 7, argument);
            KeLowerIrql(old);
        } else {
            print_at(DISPATCH_LEVEL, formats[i], argument);
        }
        assert_non_null(strstr(capture_stop(), "warning RTL-100"));
    }
}

static void narrow_formats_and_passive_level_are_not(void **state)
{
    STAYS_SILENT("RTL-100");
    UNICODE_STRING text = RTL_CONSTANT_STRING(L"text");
    capture_start();
    print_at(PASSIVE_LEVEL, "%wZ ", &text);
    print_at(DISPATCH_LEVEL, "%s ", (PVOID) "narrow");
    print_at(DISPATCH_LEVEL, "%lu%% ", (PVOID)7);
    assert_string_equal(capture_stop(), "text narrow 7% ");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(print_formats_into_the_log),
    cmocka_unit_test(print_ends_after_512_bytes),
    cmocka_unit_test(print_knows_no_floats),
    cmocka_unit_test(print_is_print_ex_with_defaults),
    cmocka_unit_test(filter_hides_a_level),
    cmocka_unit_test(prefix_counts_towards_the_limit),
    cmocka_unit_test(there_is_no_debugger),
    kernel_test(failed_assertions_stop_the_system),
    cmocka_unit_test(bugcheck_stops_the_system),
    kernel_test(wide_formats_at_a_raised_level_are_warned_of),
    kernel_test(narrow_formats_and_passive_level_are_not),
};

TEST_MAIN(tests)
