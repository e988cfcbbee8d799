/* Counted strings. */
#include "kernel.h"

static UNICODE_STRING wide(PCWSTR text)
{
    UNICODE_STRING string;
    RtlInitUnicodeString(&string, text);
    return string;
}

static void assert_text(const UNICODE_STRING *string, PCWSTR expected)
{
    assert_int_equal(string->Length, wcslen(expected) * sizeof(WCHAR));
    assert_memory_equal(string->Buffer, expected, string->Length);
}

static void init_points_at_the_source(void **state)
{
    PROVES("RTL-02", "RTL-06");
    static const WCHAR source[] = L"abc";
    UNICODE_STRING string = wide(source);
    assert_ptr_equal(string.Buffer, source);
    assert_int_equal(string.Length, 6);
    assert_int_equal(string.MaximumLength, 8);
    ANSI_STRING narrow;
    RtlInitAnsiString(&narrow, "abcd");
    assert_int_equal(narrow.Length, 4);
    assert_int_equal(narrow.MaximumLength, 5);
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    RtlInitUnicodeString(&string, source);
    NTSTATUS status = RtlInitStringEx(&narrow, "x");
    KeLowerIrql(irql);
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(string.Length, 6);
}

static void init_of_nothing_is_empty(void **state)
{
    PROVES("RTL-03");
    UNICODE_STRING string = {1, 2, (PWCH)L"x"};
    ANSI_STRING narrow = {1, 2, (PCHAR) "x"};
    RtlInitUnicodeString(&string, NULL);
    RtlInitAnsiString(&narrow, NULL);
    assert_int_equal(string.Length + string.MaximumLength, 0);
    assert_null(string.Buffer);
    assert_int_equal(narrow.Length + narrow.MaximumLength, 0);
    assert_null(narrow.Buffer);
    assert_int_equal(RtlInitUnicodeStringEx(&string, NULL), STATUS_SUCCESS);
}

static void init_clamps_what_is_too_long(void **state)
{
    PROVES("RTL-04");
    static WCHAR long_wide[40000];
    static CHAR long_narrow[70000];
    for (ULONG index = 0; index < RTL_NUMBER_OF(long_wide) - 1; index++) {
        long_wide[index] = 'x';
    }
    memset(long_narrow, 'x', sizeof(long_narrow) - 1);
    UNICODE_STRING string = wide(long_wide);
    ANSI_STRING narrow;
    RtlInitAnsiString(&narrow, long_narrow);
    assert_int_equal(string.Length, 65532);
    assert_int_equal(string.MaximumLength, 65534);
    assert_int_equal(narrow.Length, 65534);
    assert_int_equal(narrow.MaximumLength, 65535);
    assert_int_equal(RtlInitUnicodeStringEx(&string, long_wide), STATUS_NAME_TOO_LONG);
    assert_int_equal(RtlInitStringEx(&narrow, long_narrow), STATUS_NAME_TOO_LONG);
}

static void empty_strings_and_constants(void **state)
{
    PROVES("RTL-08", "RTL-09");
    WCHAR buffer[10];
    UNICODE_STRING string;
    RtlInitEmptyUnicodeString(&string, buffer, sizeof(buffer));
    assert_int_equal(string.Length, 0);
    assert_int_equal(string.MaximumLength, 20);
    assert_ptr_equal(string.Buffer, buffer);
    UNICODE_STRING constant = RTL_CONSTANT_STRING(L"abc");
    STRING narrow = RTL_CONSTANT_STRING("abcd");
    assert_int_equal(constant.Length, 6);
    assert_int_equal(constant.MaximumLength, 8);
    assert_int_equal(narrow.Length, 4);
    assert_int_equal(narrow.MaximumLength, 5);
    DECLARE_CONST_UNICODE_STRING(declared, L"xyz");
    assert_int_equal(declared.Length, 6);
}

static void copy_cuts_off_and_ends_only_where_there_is_room(void **state)
{
    PROVES("RTL-10", "RTL-11");
    WCHAR buffer[6];
    UNICODE_STRING string = {0, 8, buffer};
    UNICODE_STRING source = wide(L"abcdefgh");
    memset(buffer, 0xAA, sizeof(buffer));
    RtlCopyUnicodeString(&string, &source);
    assert_text(&string, L"abcd");
    assert_int_equal(string.MaximumLength, 8);
    assert_ptr_equal(string.Buffer, buffer);
    assert_int_equal(buffer[4], 0xAAAA);
    source = wide(L"xy");
    RtlCopyUnicodeString(&string, &source);
    assert_text(&string, L"xy");
    assert_int_equal(buffer[2], 0);
    RtlCopyUnicodeString(&string, NULL);
    assert_int_equal(string.Length, 0);
}

static void append_is_all_or_nothing(void **state)
{
    PROVES("RTL-13", "RTL-14");
    WCHAR buffer[6];
    UNICODE_STRING string = {0, sizeof(buffer), buffer};
    UNICODE_STRING source = wide(L"def");
    assert_int_equal(RtlAppendUnicodeToString(&string, L"abc"), STATUS_SUCCESS);
    assert_int_equal(RtlAppendUnicodeToString(&string, NULL), STATUS_SUCCESS);
    assert_text(&string, L"abc");
    assert_int_equal(RtlAppendUnicodeStringToString(&string, &source), STATUS_SUCCESS);
    assert_text(&string, L"abcdef");
    assert_int_equal(RtlAppendUnicodeStringToString(&string, &source), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(RtlAppendUnicodeToString(&string, L"g"), STATUS_BUFFER_TOO_SMALL);
    assert_text(&string, L"abcdef");
}

static void comparisons(void **state)
{
    PROVES("RTL-15");
    UNICODE_STRING lower = wide(L"\\device\\echo");
    UNICODE_STRING upper = wide(L"\\Device\\Echo");
    UNICODE_STRING prefix = wide(L"\\DEVICE");
    assert_true(RtlCompareUnicodeString(&lower, &upper, FALSE) > 0);
    assert_true(RtlCompareUnicodeString(&upper, &lower, FALSE) < 0);
    assert_int_equal(RtlCompareUnicodeString(&lower, &upper, TRUE), 0);
    assert_true(RtlCompareUnicodeString(&prefix, &lower, TRUE) < 0);
    assert_false(RtlEqualUnicodeString(&lower, &upper, FALSE));
    assert_true(RtlEqualUnicodeString(&lower, &upper, TRUE));
    assert_true(RtlPrefixUnicodeString(&prefix, &lower, TRUE));
    assert_false(RtlPrefixUnicodeString(&prefix, &lower, FALSE));
    assert_false(RtlPrefixUnicodeString(&lower, &prefix, TRUE));
    UNICODE_STRING suffix = wide(L"\\ECHO");
    assert_true(RtlSuffixUnicodeString(&suffix, &lower, TRUE));
}

static void case_of_characters(void **state)
{
    PROVES("RTL-23");
    static const WCHAR pairs[][2] = {{'a', 'A'},       {'z', 'Z'},       {0xE4, 0xC4},
                                     {0xFF, 0x178},    {0x101, 0x100},   {0x3B1, 0x391},
                                     {0x44F, 0x42F},   {0x451, 0x401},   {0x24D0, 0x24B6},
                                     {0xFF41, 0xFF21}, {0x1E01, 0x1E00}, {0x561, 0x531}};
    for (ULONG index = 0; index < RTL_NUMBER_OF(pairs); index++) {
        assert_int_equal(RtlUpcaseUnicodeChar(pairs[index][0]), pairs[index][1]);
        assert_int_equal(RtlDowncaseUnicodeChar(pairs[index][1]), pairs[index][0]);
        assert_int_equal(RtlUpcaseUnicodeChar(pairs[index][1]), pairs[index][1]);
        assert_int_equal(RtlDowncaseUnicodeChar(pairs[index][0]), pairs[index][0]);
    }
    static const WCHAR without[] = {'1', '[', '{', 0xD7, 0xF7, 0xDF, 0xB5, 0x4E2D, 0xD800};
    for (ULONG index = 0; index < RTL_NUMBER_OF(without); index++) {
        assert_int_equal(RtlUpcaseUnicodeChar(without[index]), without[index]);
        assert_int_equal(RtlDowncaseUnicodeChar(without[index]), without[index]);
    }
    assert_int_equal(RtlUpperChar('q'), 'Q');
    assert_int_equal((UCHAR)RtlUpperChar((CHAR)0xE4), 0xC4);
}

static void upcase_converts_a_copy(void **state)
{
    PROVES("RTL-23");
    UNICODE_STRING source = wide(L"abC\xE4");
    UNICODE_STRING copy;
    assert_int_equal(RtlUpcaseUnicodeString(&copy, &source, TRUE), STATUS_SUCCESS);
    assert_text(&copy, L"ABC\xC4");
    assert_text(&source, L"abC\xE4");
    RtlFreeUnicodeString(&copy);
    WCHAR buffer[3];
    UNICODE_STRING small = {0, sizeof(buffer), buffer};
    assert_int_equal(RtlUpcaseUnicodeString(&small, &source, FALSE), STATUS_BUFFER_OVERFLOW);
    small.MaximumLength = 0;
    assert_int_equal(RtlDowncaseUnicodeString(&small, &source, FALSE), STATUS_BUFFER_OVERFLOW);
}

static void create_copies_into_pool(void **state)
{
    PROVES("RTL-24");
    UNICODE_STRING string;
    static const WCHAR source[] = L"copied";
    assert_true(RtlCreateUnicodeString(&string, source));
    assert_text(&string, source);
    assert_ptr_not_equal(string.Buffer, source);
    assert_int_equal(string.MaximumLength, sizeof(source));
    RtlFreeUnicodeString(&string);
    assert_null(string.Buffer);
    static WCHAR long_text[40000];
    wmemset(long_text, 'x', RTL_NUMBER_OF(long_text) - 1);
    assert_false(RtlCreateUnicodeString(&string, long_text));
}

static void duplicate_obeys_its_flags(void **state)
{
    UNICODE_STRING source = wide(L"abc");
    UNICODE_STRING empty = {0};
    UNICODE_STRING copy;
    assert_int_equal(RtlDuplicateUnicodeString(0, &source, &copy), STATUS_SUCCESS);
    assert_int_equal(copy.MaximumLength, 6);
    RtlFreeUnicodeString(&copy);
    assert_int_equal(
        RtlDuplicateUnicodeString(RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE, &source, &copy),
        STATUS_SUCCESS);
    assert_int_equal(copy.MaximumLength, 8);
    assert_int_equal(copy.Buffer[3], 0);
    RtlFreeUnicodeString(&copy);
    assert_int_equal(RtlDuplicateUnicodeString(1, &empty, &copy), STATUS_SUCCESS);
    assert_null(copy.Buffer);
    assert_int_equal(RtlDuplicateUnicodeString(3, &empty, &copy), STATUS_SUCCESS);
    assert_int_equal(copy.MaximumLength, 2);
    RtlFreeUnicodeString(&copy);
    assert_int_equal(RtlDuplicateUnicodeString(2, &source, &copy), STATUS_INVALID_PARAMETER);
}

static void hash_knows_one_algorithm(void **state)
{
    PROVES("RTL-30");
    UNICODE_STRING lower = wide(L"ab");
    UNICODE_STRING upper = wide(L"AB");
    ULONG hash = 0;
    ULONG other = 0;
    assert_int_equal(RtlHashUnicodeString(&upper, FALSE, HASH_STRING_ALGORITHM_DEFAULT, &hash),
                     STATUS_SUCCESS);
    assert_int_equal(hash, 'A' * 65599u + 'B');
    assert_int_equal(RtlHashUnicodeString(&lower, TRUE, HASH_STRING_ALGORITHM_X65599, &other),
                     STATUS_SUCCESS);
    assert_int_equal(other, hash);
    RtlHashUnicodeString(&lower, FALSE, HASH_STRING_ALGORITHM_X65599, &other);
    assert_int_not_equal(other, hash);
    assert_int_equal(RtlHashUnicodeString(&lower, FALSE, 2, &hash), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlHashUnicodeString(NULL, FALSE, 0, &hash), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlHashUnicodeString(&lower, FALSE, 0, NULL), STATUS_INVALID_PARAMETER);
}

static void narrow_strings(void **state)
{
    CHAR buffer[4];
    STRING string = {0, sizeof(buffer), buffer};
    STRING source = RTL_CONSTANT_STRING("Hello");
    STRING other = RTL_CONSTANT_STRING("hELLO");
    STRING prefix = RTL_CONSTANT_STRING("he");
    RtlCopyString(&string, &source);
    assert_int_equal(string.Length, 4);
    assert_memory_equal(buffer, "Hell", 4);
    RtlCopyString(&string, NULL);
    assert_int_equal(string.Length, 0);
    assert_int_equal(RtlAppendAsciizToString(&string, "abc"), STATUS_SUCCESS);
    assert_int_equal(RtlAppendStringToString(&string, &prefix), STATUS_BUFFER_TOO_SMALL);
    assert_true(RtlEqualString(&source, &other, TRUE));
    assert_false(RtlEqualString(&source, &other, FALSE));
    assert_true(RtlCompareString(&source, &other, FALSE) < 0);
    assert_true(RtlPrefixString(&prefix, &source, TRUE));
    RtlUpperString(&string, &other);
    assert_memory_equal(buffer, "HELL", 4);
}

static const struct CMUnitTest tests[] = {
    kernel_test(init_points_at_the_source),
    cmocka_unit_test(init_of_nothing_is_empty),
    cmocka_unit_test(init_clamps_what_is_too_long),
    cmocka_unit_test(empty_strings_and_constants),
    cmocka_unit_test(copy_cuts_off_and_ends_only_where_there_is_room),
    cmocka_unit_test(append_is_all_or_nothing),
    cmocka_unit_test(comparisons),
    cmocka_unit_test(case_of_characters),
    kernel_test(upcase_converts_a_copy),
    kernel_test(create_copies_into_pool),
    kernel_test(duplicate_obeys_its_flags),
    cmocka_unit_test(hash_knows_one_algorithm),
    cmocka_unit_test(narrow_strings),
};

TEST_MAIN(tests)
