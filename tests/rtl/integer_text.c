/* Numbers and GUIDs as text. */
#include "kernel.h"

static void assert_number(ULONG value, ULONG base, PCWSTR expected)
{
    WCHAR buffer[40];
    UNICODE_STRING string = {0, sizeof(buffer), buffer};
    assert_int_equal(RtlIntegerToUnicodeString(value, base, &string), STATUS_SUCCESS);
    assert_int_equal(string.Length, wcslen(expected) * sizeof(WCHAR));
    assert_memory_equal(buffer, expected, string.Length);
}

static void numbers_in_four_bases(void **state)
{
    PROVES("RTL-25");
    assert_number(0, 10, L"0");
    assert_number(4294967295u, 0, L"4294967295");
    assert_number(255, 16, L"FF");
    assert_number(8, 8, L"10");
    assert_number(5, 2, L"101");
    WCHAR buffer[70];
    UNICODE_STRING string = {0, sizeof(buffer), buffer};
    assert_int_equal(RtlInt64ToUnicodeString(MAXULONG64, 2, &string), STATUS_SUCCESS);
    assert_int_equal(string.Length, 128);
    assert_int_equal(RtlIntegerToUnicodeString(1, 7, &string), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlInt64ToUnicodeString(1, 36, &string), STATUS_INVALID_PARAMETER);
    string.MaximumLength = 4;
    assert_int_equal(RtlIntegerToUnicodeString(12345, 10, &string), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(RtlInt64ToUnicodeString(12345, 10, &string), STATUS_BUFFER_OVERFLOW);
}

static const struct {
    PCWSTR wide;
    PCSTR narrow;
    ULONG base;
    ULONG value;
} numbers[] = {
    {L"123", "123", 10, 123},  {L"  \t123", "  \t123", 0, 123},
    {L"+7", "+7", 0, 7},       {L"-1", "-1", 10, MAXULONG},
    {L"0x1F", "0x1F", 0, 31},  {L"0o17", "0o17", 0, 15},
    {L"0b101", "0b101", 0, 5}, {L"017", "017", 0, 17},
    {L"12ab", "12ab", 10, 12}, {L"12ab", "12ab", 16, 0x12ab},
    {L"0x10", "0x10", 16, 0},  {L"129", "129", 8, 10},
    {L"102", "102", 2, 2},     {L"-0x10", "-0x10", 0, -16u},
    {L"xyz", "xyz", 10, 0},    {L"   ", "   ", 10, 0},
    {L"0", "0", 0, 0},
};

static void text_gives_a_number(void **state)
{
    PROVES("RTL-26", "RTL-27", "RTL-29");
    for (ULONG index = 0; index < RTL_NUMBER_OF(numbers); index++) {
        UNICODE_STRING string;
        ULONG value = 99;
        RtlInitUnicodeString(&string, numbers[index].wide);
        assert_int_equal(RtlUnicodeStringToInteger(&string, numbers[index].base, &value),
                         STATUS_SUCCESS);
        assert_int_equal(value, numbers[index].value);
        value = 99;
        assert_int_equal(RtlCharToInteger(numbers[index].narrow, numbers[index].base, &value),
                         STATUS_SUCCESS);
        assert_int_equal(value, numbers[index].value);
    }
}

static void refused_numbers(void **state)
{
    PROVES("RTL-27", "RTL-28", "RTL-29");
    UNICODE_STRING empty = {0};
    UNICODE_STRING one = RTL_CONSTANT_STRING(L"1");
    ULONG value = 99;
    assert_int_equal(RtlUnicodeStringToInteger(&empty, 10, &value), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUnicodeStringToInteger(&one, 7, &value), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlCharToInteger("1", 7, &value), STATUS_INVALID_PARAMETER);
    assert_int_equal(value, 99);
}

static void wide_numbers(void **state)
{
    UNICODE_STRING text = RTL_CONSTANT_STRING(L"-9000000000x");
    UNICODE_STRING large = RTL_CONSTANT_STRING(L"99999999999999999999");
    LONG64 value;
    PWSTR end;
    assert_int_equal(RtlUnicodeStringToInt64(&text, 0, &value, &end), STATUS_SUCCESS);
    assert_int_equal(value, -9000000000LL);
    assert_int_equal(*end, 'x');
    assert_int_equal(RtlUnicodeStringToInt64(&large, 0, &value, NULL), STATUS_INTEGER_OVERFLOW);
}

static const GUID sample = {
    0x2227E803, 0x8D8B, 0x11D4, {0xAB, 0xAD, 0x00, 0x90, 0x27, 0x71, 0x9E, 0x09}};

static void guid_round_trips(void **state)
{
    PROVES("RTL-31");
    UNICODE_STRING string;
    GUID guid;
    static const WCHAR expected[] = L"{2227e803-8d8b-11d4-abad-009027719e09}";
#ifdef __cplusplus
    assert_int_equal(RtlStringFromGUID(sample, &string), STATUS_SUCCESS);
#else
    assert_int_equal(RtlStringFromGUID(&sample, &string), STATUS_SUCCESS);
#endif
    assert_int_equal(string.Length, sizeof(expected) - sizeof(WCHAR));
    assert_memory_equal(string.Buffer, expected, sizeof(expected));
    assert_int_equal(RtlGUIDFromString(&string, &guid), STATUS_SUCCESS);
    assert_memory_equal(&guid, &sample, sizeof(guid));
    string.Buffer[3] = 'x';
    assert_int_equal(RtlGUIDFromString(&string, &guid), STATUS_INVALID_PARAMETER);
    string.Length = 10;
    assert_int_equal(RtlGUIDFromString(&string, &guid), STATUS_INVALID_PARAMETER);
    RtlFreeUnicodeString(&string);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(numbers_in_four_bases), cmocka_unit_test(text_gives_a_number),
    cmocka_unit_test(refused_numbers),       cmocka_unit_test(wide_numbers),
    kernel_test(guid_round_trips),
};

TEST_MAIN(tests)
