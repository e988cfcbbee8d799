/* Text between encodings. */
#include "kernel.h"

static void ansi_and_unicode_strings(void **state)
{
    PROVES("RTL-17");
    STRING narrow = RTL_CONSTANT_STRING("a\x80\xE4");
    UNICODE_STRING wide = {0};
    assert_int_equal(RtlAnsiStringToUnicodeString(&wide, &narrow, TRUE), STATUS_SUCCESS);
    assert_int_equal(wide.Length, 6);
    assert_int_equal(wide.MaximumLength, 8);
    assert_memory_equal(wide.Buffer, L"a\x20AC\xE4", 8);
    STRING back = {0};
    assert_int_equal(RtlUnicodeStringToAnsiString(&back, &wide, TRUE), STATUS_SUCCESS);
    assert_int_equal(back.Length, 3);
    assert_string_equal(back.Buffer, "a\x80\xE4");
    RtlFreeUnicodeString(&wide);
    RtlFreeAnsiString(&back);
    assert_null(back.Buffer);
}

static void a_given_buffer_must_be_large_enough(void **state)
{
    PROVES("RTL-17", "RTL-18");
    STRING narrow = RTL_CONSTANT_STRING("abc");
    WCHAR buffer[4];
    UNICODE_STRING wide = {0, sizeof(buffer), buffer};
    assert_int_equal(RtlAnsiStringToUnicodeString(&wide, &narrow, FALSE), STATUS_SUCCESS);
    assert_memory_equal(buffer, L"abc", 8);
    wide.MaximumLength = 4;
    assert_int_equal(RtlAnsiStringToUnicodeString(&wide, &narrow, FALSE), STATUS_BUFFER_OVERFLOW);
    CHAR small[3];
    UNICODE_STRING source = RTL_CONSTANT_STRING(L"abc");
    STRING cut = {0, sizeof(small), small};
    assert_int_equal(RtlUnicodeStringToAnsiString(&cut, &source, FALSE), STATUS_BUFFER_OVERFLOW);
    assert_string_equal(small, "ab");
}

static void failure_allocates_nothing(void **state)
{
    PROVES("RTL-21");
    static CHAR long_text[40000];
    STRING narrow = {sizeof(long_text), sizeof(long_text), long_text};
    UNICODE_STRING wide = {0};
    memset(long_text, 'x', sizeof(long_text));
    assert_int_equal(RtlAnsiStringToUnicodeString(&wide, &narrow, TRUE),
                     STATUS_INVALID_PARAMETER_2);
}

static void ansi_size_counts_the_null(void **state)
{
    PROVES("RTL-22");
    UNICODE_STRING good = RTL_CONSTANT_STRING(L"abc\x20AC");
    UNICODE_STRING bad = RTL_CONSTANT_STRING(L"abc\x4E2D");
    STRING narrow = RTL_CONSTANT_STRING("abc");
    assert_int_equal(RtlUnicodeStringToAnsiSize(&good), 5);
    assert_int_equal(RtlUnicodeStringToAnsiSize(&bad), 0);
    assert_int_equal(RtlAnsiStringToUnicodeSize(&narrow), 8);
}

static void multi_byte_cuts_off_in_silence(void **state)
{
    PROVES("RTL-36");
    WCHAR wide[2];
    CHAR narrow[2];
    ULONG bytes = 0;
    assert_int_equal(RtlMultiByteToUnicodeN(wide, sizeof(wide), &bytes, "abc", 3), STATUS_SUCCESS);
    assert_int_equal(bytes, 4);
    assert_memory_equal(wide, L"ab", 4);
    assert_int_equal(RtlUnicodeToMultiByteN(narrow, sizeof(narrow), &bytes, L"xyz", 6),
                     STATUS_SUCCESS);
    assert_int_equal(bytes, 2);
    assert_memory_equal(narrow, "xy", 2);
    assert_int_equal(RtlMultiByteToUnicodeSize(&bytes, "abc", 3), STATUS_SUCCESS);
    assert_int_equal(bytes, 6);
}

static NTSTATUS to_utf8(PCWSTR text, ULONG count, const char *expected)
{
    CHAR out[32];
    ULONG bytes = 0;
    NTSTATUS status = RtlUnicodeToUTF8N(out, sizeof(out), &bytes, text, count * sizeof(WCHAR));
    assert_int_equal(bytes, strlen(expected));
    assert_memory_equal(out, expected, bytes);
    return status;
}

static NTSTATUS from_utf8(const char *text, PCWSTR expected)
{
    WCHAR out[32];
    ULONG bytes = 0;
    NTSTATUS status = RtlUTF8ToUnicodeN(out, sizeof(out), &bytes, text, (ULONG)strlen(text));
    assert_int_equal(bytes, wcslen(expected) * sizeof(WCHAR));
    assert_memory_equal(out, expected, bytes);
    return status;
}

static void utf8_round_trips(void **state)
{
    assert_int_equal(
        to_utf8(L"a\xE4\x20AC\xD83D\xDE00", 5, "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"),
        STATUS_SUCCESS);
    assert_int_equal(from_utf8("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", L"a\xE4\x20AC\xD83D\xDE00"),
                     STATUS_SUCCESS);
}

static void broken_text_is_replaced(void **state)
{
    PROVES("RTL-32");
    assert_int_equal(to_utf8(L"a\xD800z", 3, "a\xEF\xBF\xBDz"), STATUS_SOME_NOT_MAPPED);
    assert_int_equal(to_utf8(L"\xDC00", 1, "\xEF\xBF\xBD"), STATUS_SOME_NOT_MAPPED);
    assert_int_equal(from_utf8("a\xFFz", L"a\xFFFDz"), STATUS_SOME_NOT_MAPPED);
    assert_int_equal(from_utf8("\xE2\x82z", L"\xFFFDz"), STATUS_SOME_NOT_MAPPED);
    assert_int_equal(from_utf8("\xC0\x80", L"\xFFFD\xFFFD"), STATUS_SOME_NOT_MAPPED);
    assert_int_equal(from_utf8("\xED\xA0\x80", L"\xFFFD\xFFFD\xFFFD"), STATUS_SOME_NOT_MAPPED);
    assert_int_equal(from_utf8("\xF4\x90\x80\x80", L"\xFFFD\xFFFD\xFFFD\xFFFD"),
                     STATUS_SOME_NOT_MAPPED);
    assert_true(NT_SUCCESS(STATUS_SOME_NOT_MAPPED));
}

static void sizes_and_short_buffers(void **state)
{
    PROVES("RTL-33");
    ULONG bytes = 0;
    assert_int_equal(RtlUnicodeToUTF8N(NULL, 0, &bytes, L"\x20ACx", 4), STATUS_SUCCESS);
    assert_int_equal(bytes, 4);
    assert_int_equal(RtlUTF8ToUnicodeN(NULL, 0, &bytes, "\xE2\x82\xACx", 4), STATUS_SUCCESS);
    assert_int_equal(bytes, 4);
    CHAR narrow[3] = "##";
    assert_int_equal(RtlUnicodeToUTF8N(narrow, 3, &bytes, L"x\x20ACy", 6), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(bytes, 1);
    assert_memory_equal(narrow, "x#", 2);
    WCHAR wide[2] = {'#', '#'};
    assert_int_equal(RtlUTF8ToUnicodeN(wide, sizeof(wide), &bytes, "x\xF0\x9F\x98\x80", 5),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(bytes, 2);
    assert_int_equal(wide[1], '#');
}

static void refused_parameters(void **state)
{
    PROVES("RTL-34");
    ULONG bytes;
    CHAR narrow[4];
    WCHAR wide[4];
    assert_int_equal(RtlUnicodeToUTF8N(NULL, 0, NULL, L"x", 2), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUTF8ToUnicodeN(NULL, 0, NULL, "x", 1), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUnicodeToUTF8N(narrow, 4, &bytes, NULL, 2), STATUS_INVALID_PARAMETER_4);
    assert_int_equal(RtlUTF8ToUnicodeN(wide, 8, &bytes, NULL, 1), STATUS_INVALID_PARAMETER_4);
    assert_int_equal(RtlUnicodeToUTF8N(narrow, 4, &bytes, L"xy", 3), STATUS_INVALID_PARAMETER_5);
}

static void nulls_are_characters(void **state)
{
    PROVES("RTL-35");
    CHAR narrow[8];
    ULONG bytes;
    memset(narrow, '#', sizeof(narrow));
    assert_int_equal(RtlUnicodeToUTF8N(narrow, sizeof(narrow), &bytes, L"a\0b", 6), STATUS_SUCCESS);
    assert_int_equal(bytes, 3);
    assert_memory_equal(narrow, "a\0b#", 4);
    assert_int_equal(RtlUnicodeToUTF8N(narrow, sizeof(narrow), &bytes, L"ab", 6), STATUS_SUCCESS);
    assert_memory_equal(narrow, "ab\0#", 4);
}

static void utf8_strings(void **state)
{
    UNICODE_STRING wide = RTL_CONSTANT_STRING(L"\x20AC");
    UTF8_STRING narrow = {0};
    assert_int_equal(RtlUnicodeStringToUTF8String(&narrow, &wide, TRUE), STATUS_SUCCESS);
    assert_string_equal(narrow.Buffer, "\xE2\x82\xAC");
    UNICODE_STRING back = {0};
    assert_int_equal(RtlUTF8StringToUnicodeString(&back, &narrow, TRUE), STATUS_SUCCESS);
    assert_true(RtlEqualUnicodeString(&back, &wide, FALSE));
    RtlFreeUTF8String(&narrow);
    RtlFreeUnicodeString(&back);
}

static const struct CMUnitTest tests[] = {
    kernel_test(ansi_and_unicode_strings),
    cmocka_unit_test(a_given_buffer_must_be_large_enough),
    kernel_test(failure_allocates_nothing),
    cmocka_unit_test(ansi_size_counts_the_null),
    cmocka_unit_test(multi_byte_cuts_off_in_silence),
    cmocka_unit_test(utf8_round_trips),
    cmocka_unit_test(broken_text_is_replaced),
    cmocka_unit_test(sizes_and_short_buffers),
    cmocka_unit_test(refused_parameters),
    cmocka_unit_test(nulls_are_characters),
    kernel_test(utf8_strings),
};

TEST_MAIN(tests)
