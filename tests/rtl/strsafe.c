/* The safe string functions for text that ends with a null. */
#include "test.h"

#include <ntddk.h>
#include <ntstrsafe.h>

static void bytes_and_characters(void **state)
{
    PROVES("RTL-64", "RTL-65", "RTL-66");
    WCHAR wide[4];
    CHAR narrow[4];
    assert_int_equal(RtlStringCbCopyW(wide, sizeof(wide), L"abc"), STATUS_SUCCESS);
    assert_memory_equal(wide, L"abc", sizeof(wide));
    assert_int_equal(RtlStringCbCopyW(wide, 4, L"abc"), STATUS_BUFFER_OVERFLOW);
    assert_memory_equal(wide, L"a", 4);
    assert_int_equal(RtlStringCchCopyW(wide, 4, L"abcd"), STATUS_BUFFER_OVERFLOW);
    assert_memory_equal(wide, L"abc", sizeof(wide));
    assert_int_equal(RtlStringCchCopyA(narrow, 4, "abc"), STATUS_SUCCESS);
    assert_int_equal(RtlStringCbCopyA(narrow, 4, "abcd"), STATUS_BUFFER_OVERFLOW);
    assert_string_equal(narrow, "abc");
    assert_false(NT_SUCCESS(STATUS_BUFFER_OVERFLOW));
    assert_int_equal(RtlStringCchCopyA(narrow, 0, "a"), STATUS_INVALID_PARAMETER);
}

static void sizes_out_of_bounds(void **state)
{
    PROVES("RTL-67", "RTL-69");
    CHAR narrow[4] = "abc";
    WCHAR wide[4] = L"abc";
    assert_int_equal(RtlStringCbCopyA(narrow, 0, "x"), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlStringCbCopyW(wide, 1, L"x"), STATUS_INVALID_PARAMETER);
    assert_string_equal(narrow, "abc");
    assert_int_equal(wide[0], 'a');
    assert_int_equal(RtlStringCchCopyA(narrow, NTSTRSAFE_MAX_CCH + 1ULL, "x"),
                     STATUS_INVALID_PARAMETER);
    assert_string_equal(narrow, "");
    assert_int_equal(RtlStringCchPrintfW(wide, NTSTRSAFE_MAX_CCH + 1ULL, L"x"),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(wide[0], 0);
}

static void odd_byte_sizes_are_rounded_down(void **state)
{
    PROVES("RTL-68");
    WCHAR wide[3] = {'#', '#', '#'};
    size_t remaining = 0;
    assert_int_equal(RtlStringCbCopyW(wide, 5, L"abc"), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(wide[1], 0);
    assert_int_equal(wide[2], '#');
    assert_int_equal(RtlStringCbCopyExW(wide, 5, L"a", NULL, &remaining, 0), STATUS_SUCCESS);
    assert_int_equal(remaining, 3);
}

static void counted_sources(void **state)
{
    PROVES("RTL-72");
    CHAR narrow[8];
    assert_int_equal(RtlStringCchCopyNA(narrow, 8, "abcdef", 3), STATUS_SUCCESS);
    assert_string_equal(narrow, "abc");
    assert_int_equal(RtlStringCchCatNA(narrow, 8, "xyzxyz", 2), STATUS_SUCCESS);
    assert_string_equal(narrow, "abcxy");
    assert_int_equal(RtlStringCchCatNA(narrow, 8, "123456", 3), STATUS_BUFFER_OVERFLOW);
    assert_string_equal(narrow, "abcxy12");
    WCHAR wide[4];
    assert_int_equal(RtlStringCbCopyNW(wide, sizeof(wide), L"abcdef", 5), STATUS_SUCCESS);
    assert_memory_equal(wide, L"ab", 6);
    assert_int_equal(RtlStringCchCopyNA(narrow, 8, "a", NTSTRSAFE_MAX_CCH + 1ULL),
                     STATUS_INVALID_PARAMETER);
    assert_string_equal(narrow, "");
}

static void appending(void **state)
{
    PROVES("RTL-73");
    CHAR narrow[6] = "ab";
    assert_int_equal(RtlStringCbCatA(narrow, sizeof(narrow), "cd"), STATUS_SUCCESS);
    assert_int_equal(RtlStringCbCatA(narrow, sizeof(narrow), "ef"), STATUS_BUFFER_OVERFLOW);
    assert_string_equal(narrow, "abcde");
    assert_int_equal(RtlStringCbCatA(narrow, sizeof(narrow), ""), STATUS_SUCCESS);
    memset(narrow, '#', sizeof(narrow));
    assert_int_equal(RtlStringCbCatA(narrow, sizeof(narrow), "x"), STATUS_INVALID_PARAMETER);
    assert_memory_equal(narrow, "######", sizeof(narrow));
}

static void lengths(void **state)
{
    PROVES("RTL-74");
    size_t length = 99;
    assert_int_equal(RtlStringCbLengthW(L"abc", 8, &length), STATUS_SUCCESS);
    assert_int_equal(length, 6);
    assert_int_equal(RtlStringCchLengthW(L"abc", 4, &length), STATUS_SUCCESS);
    assert_int_equal(length, 3);
    assert_int_equal(RtlStringCchLengthW(L"abc", 3, &length), STATUS_INVALID_PARAMETER);
    assert_int_equal(length, 0);
    length = 99;
    assert_int_equal(RtlStringCbLengthA(NULL, 4, &length), STATUS_INVALID_PARAMETER);
    assert_int_equal(length, 0);
    assert_int_equal(RtlStringCbLengthA("ab", 3, NULL), STATUS_SUCCESS);
    assert_int_equal(RtlStringCbLengthA("ab", 0, NULL), STATUS_INVALID_PARAMETER);
}

static void printing_cuts_off(void **state)
{
    PROVES("RTL-75");
    CHAR narrow[6];
    WCHAR wide[4];
    assert_int_equal(RtlStringCbPrintfA(narrow, sizeof(narrow), "%d", 12345), STATUS_SUCCESS);
    assert_string_equal(narrow, "12345");
    assert_int_equal(RtlStringCbPrintfA(narrow, sizeof(narrow), "%d", 123456),
                     STATUS_BUFFER_OVERFLOW);
    assert_string_equal(narrow, "12345");
    assert_int_equal(RtlStringCchPrintfW(wide, 4, L"%ws", L"abcdef"), STATUS_BUFFER_OVERFLOW);
    assert_memory_equal(wide, L"abc", 8);
    assert_int_equal(RtlStringCbPrintfA(narrow, 1, "x"), STATUS_BUFFER_OVERFLOW);
    assert_string_equal(narrow, "");
}

static void extended_functions_report_the_rest(void **state)
{
    PROVES("RTL-79");
    CHAR narrow[8];
    WCHAR wide[8];
    PSTR end;
    PWSTR wide_end;
    size_t remaining;
    assert_int_equal(RtlStringCbCopyExA(narrow, 8, "abc", &end, &remaining, 0), STATUS_SUCCESS);
    assert_ptr_equal(end, narrow + 3);
    assert_int_equal(remaining, 5);
    assert_int_equal(RtlStringCbCatExA(narrow, 8, "de", &end, &remaining, 0), STATUS_SUCCESS);
    assert_ptr_equal(end, narrow + 5);
    assert_int_equal(remaining, 3);
    assert_int_equal(RtlStringCbPrintfExW(wide, 16, &wide_end, &remaining, 0, L"%d", 42),
                     STATUS_SUCCESS);
    assert_ptr_equal(wide_end, wide + 2);
    assert_int_equal(remaining, 12);
    assert_int_equal(RtlStringCchPrintfExW(wide, 3, &wide_end, &remaining, 0, L"%d", 12345),
                     STATUS_BUFFER_OVERFLOW);
    assert_ptr_equal(wide_end, wide + 2);
    assert_int_equal(remaining, 1);
    assert_int_equal(RtlStringCbCopyExA(narrow, 8, "abc", NULL, NULL, 0x2000),
                     STATUS_INVALID_PARAMETER);
    assert_string_equal(narrow, "");
}

static void flags_fill_and_empty(void **state)
{
    PROVES("RTL-79");
    CHAR narrow[8];
    memset(narrow, '.', sizeof(narrow));
    assert_int_equal(RtlStringCbCopyExA(narrow, 8, "abc", NULL, NULL, STRSAFE_FILL_BYTE('#')),
                     STATUS_SUCCESS);
    assert_memory_equal(narrow, "abc\0####", 8);
    assert_int_equal(RtlStringCbCopyExA(narrow, 4, "abcdef", NULL, NULL, STRSAFE_FAILURE_BYTE('!')),
                     STATUS_BUFFER_OVERFLOW);
    assert_memory_equal(narrow, "!!!\0####", 8);
    assert_int_equal(RtlStringCbCopyExA(narrow, 4, "abcdef", NULL, NULL, STRSAFE_FAILURE_BYTE(0)),
                     STATUS_BUFFER_OVERFLOW);
    assert_memory_equal(narrow, "\0\0\0\0####", 8);
    RtlStringCbCopyA(narrow, 8, "abc");
    assert_int_equal(RtlStringCbCatExA(narrow, 8, "defgh", NULL, NULL, STRSAFE_NO_TRUNCATION),
                     STATUS_BUFFER_OVERFLOW);
    assert_string_equal(narrow, "abc");
    assert_int_equal(RtlStringCbCatExA(narrow, 8, "defgh", NULL, NULL, STRSAFE_NULL_ON_FAILURE),
                     STATUS_BUFFER_OVERFLOW);
    assert_string_equal(narrow, "");
}

static void nulls_may_be_ignored(void **state)
{
    PROVES("RTL-80");
    CHAR narrow[4] = "abc";
    size_t remaining = 99;
    ULONG flags = STRSAFE_IGNORE_NULLS;
    assert_int_equal(RtlStringCbCopyExA(narrow, 4, NULL, NULL, &remaining, flags), STATUS_SUCCESS);
    assert_string_equal(narrow, "");
    assert_int_equal(remaining, 4);
    assert_int_equal(RtlStringCbCatExA(narrow, 4, NULL, NULL, NULL, flags), STATUS_SUCCESS);
    assert_int_equal(RtlStringCbCopyExA(NULL, 0, NULL, NULL, &remaining, flags), STATUS_SUCCESS);
    assert_int_equal(remaining, 0);
    assert_int_equal(RtlStringCbCopyExA(NULL, 0, "a", NULL, NULL, flags), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlStringCbCopyExA(narrow, 0, "a", NULL, NULL, flags), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(RtlStringCbPrintfExA(narrow, 4, NULL, NULL, flags, NULL), STATUS_SUCCESS);
    assert_int_equal(RtlStringCbCopyExA(NULL, 4, "a", NULL, NULL, flags), STATUS_INVALID_PARAMETER);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bytes_and_characters),
    cmocka_unit_test(sizes_out_of_bounds),
    cmocka_unit_test(odd_byte_sizes_are_rounded_down),
    cmocka_unit_test(counted_sources),
    cmocka_unit_test(appending),
    cmocka_unit_test(lengths),
    cmocka_unit_test(printing_cuts_off),
    cmocka_unit_test(extended_functions_report_the_rest),
    cmocka_unit_test(flags_fill_and_empty),
    cmocka_unit_test(nulls_may_be_ignored),
};

TEST_MAIN(tests)
