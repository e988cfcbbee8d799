/* The safe string functions for UNICODE_STRING. */
#include "test.h"

#include <ntddk.h>
#include <ntstrsafe.h>

static WCHAR buffer[8];
static UNICODE_STRING string;

static void clear(USHORT maximum_length)
{
    wmemset(buffer, '#', RTL_NUMBER_OF(buffer));
    RtlInitEmptyUnicodeString(&string, buffer, maximum_length);
}

static void assert_text(PCWSTR expected)
{
    assert_int_equal(string.Length, wcslen(expected) * sizeof(WCHAR));
    assert_memory_equal(buffer, expected, string.Length);
}

static void init_refuses_what_is_too_long(void **state)
{
    PROVES("RTL-82", "RTL-67");
    static WCHAR long_text[32769];
    wmemset(long_text, 'x', 32768);
    UNICODE_STRING made = {1, 2, buffer};
    assert_int_equal(RtlUnicodeStringInit(&made, long_text), STATUS_INVALID_PARAMETER);
    assert_int_equal(made.Length + made.MaximumLength, 0);
    assert_null(made.Buffer);
    long_text[32767] = 0;
    assert_int_equal(RtlUnicodeStringInit(&made, long_text), STATUS_SUCCESS);
    assert_int_equal(made.Length, 65534);
    assert_int_equal(RtlUnicodeStringInit(&made, L"abc"), STATUS_SUCCESS);
    assert_int_equal(made.Length, 6);
    assert_int_equal(made.MaximumLength, 8);
    assert_int_equal(RtlUnicodeStringInit(&made, NULL), STATUS_SUCCESS);
    assert_int_equal(made.Length + made.MaximumLength, 0);
}

static void copy_cat_and_print_cut_off_without_a_null(void **state)
{
    PROVES("RTL-83");
    UNICODE_STRING source = RTL_CONSTANT_STRING(L"abcdef");
    clear(8);
    assert_int_equal(RtlUnicodeStringCopy(&string, &source), STATUS_BUFFER_OVERFLOW);
    assert_text(L"abcd");
    assert_int_equal(buffer[4], '#');
    clear(8);
    assert_int_equal(RtlUnicodeStringCopyString(&string, L"ab"), STATUS_SUCCESS);
    assert_text(L"ab");
    assert_int_equal(buffer[2], '#');
    assert_int_equal(RtlUnicodeStringCat(&string, &source), STATUS_BUFFER_OVERFLOW);
    assert_text(L"abab");
    assert_int_equal(buffer[4], '#');
    assert_int_equal(RtlUnicodeStringPrintf(&string, L"%d", 12), STATUS_SUCCESS);
    assert_text(L"12");
    assert_int_equal(buffer[2], 'a');
    assert_int_equal(RtlUnicodeStringPrintf(&string, L"%d", 12345), STATUS_BUFFER_OVERFLOW);
    assert_text(L"1234");
}

static void counted_and_extended_forms(void **state)
{
    UNICODE_STRING source = RTL_CONSTANT_STRING(L"abcdef");
    UNICODE_STRING rest;
    clear(16);
    assert_int_equal(RtlUnicodeStringCchCopyN(&string, &source, 3), STATUS_SUCCESS);
    assert_text(L"abc");
    assert_int_equal(RtlUnicodeStringCbCatStringN(&string, L"xyz", 4), STATUS_SUCCESS);
    assert_text(L"abcxy");
    assert_int_equal(RtlUnicodeStringCatStringEx(&string, L"z", &rest, 0), STATUS_SUCCESS);
    assert_text(L"abcxyz");
    assert_ptr_equal(rest.Buffer, buffer + 6);
    assert_int_equal(rest.Length, 0);
    assert_int_equal(rest.MaximumLength, 4);
    assert_int_equal(RtlUnicodeStringCatStringEx(&string, L"12345", NULL, STRSAFE_NO_TRUNCATION),
                     STATUS_BUFFER_OVERFLOW);
    assert_text(L"abcxyz");
    assert_int_equal(
        RtlUnicodeStringCatStringEx(&string, L"12345", NULL, STRSAFE_ZERO_LENGTH_ON_FAILURE),
        STATUS_BUFFER_OVERFLOW);
    assert_text(L"");
    assert_int_equal(RtlUnicodeStringPrintfEx(&string, &rest, STRSAFE_FILL_BYTE(0), L"%ws", L"q"),
                     STATUS_SUCCESS);
    assert_int_equal(buffer[7], 0);
    assert_int_equal(rest.MaximumLength, 14);
}

static void validate_checks_lengths_and_buffer(void **state)
{
    PROVES("RTL-84");
    UNICODE_STRING good = {4, 6, buffer};
    UNICODE_STRING odd_length = {3, 6, buffer};
    UNICODE_STRING odd_maximum = {2, 5, buffer};
    UNICODE_STRING longer = {8, 6, buffer};
    UNICODE_STRING headless = {2, 2, NULL};
    UNICODE_STRING empty = {0, 0, NULL};
    assert_int_equal(RtlUnicodeStringValidate(&good), STATUS_SUCCESS);
    assert_int_equal(RtlUnicodeStringValidate(&empty), STATUS_SUCCESS);
    assert_int_equal(RtlUnicodeStringValidate(&odd_length), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUnicodeStringValidate(&odd_maximum), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUnicodeStringValidate(&longer), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUnicodeStringValidate(&headless), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUnicodeStringValidate(NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUnicodeStringValidateEx(NULL, STRSAFE_IGNORE_NULLS), STATUS_SUCCESS);
    assert_int_equal(RtlUnicodeStringCopy(&longer, &good), STATUS_INVALID_PARAMETER);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(init_refuses_what_is_too_long),
    cmocka_unit_test(copy_cat_and_print_cut_off_without_a_null),
    cmocka_unit_test(counted_and_extended_forms),
    cmocka_unit_test(validate_checks_lengths_and_buffer),
};

TEST_MAIN(tests)
