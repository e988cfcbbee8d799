/* The C runtime that drivers expect: wide strings, formatting, checked functions. */
#include "test.h"

#include <ntddk.h>

static void wide_strings(void **state)
{
    WCHAR text[16];
    assert_int_equal(wcslen(L"abc"), 3);
    assert_int_equal(wcsnlen(L"abc", 2), 2);
    wcscpy(text, L"abc");
    wcscat(text, L"def");
    assert_int_equal(wcscmp(text, L"abcdef"), 0);
    assert_true(wcscmp(L"abc", L"abd") < 0);
    assert_true(wcscmp(L"\xE000", L"\x100") > 0);
    assert_int_equal(wcsncmp(L"abx", L"aby", 2), 0);
    assert_ptr_equal(wcschr(text, 'c'), text + 2);
    assert_null(wcschr(text, 'z'));
    assert_ptr_equal(wcsrchr(text, 'a'), text);
    assert_ptr_equal(wcsstr(text, L"de"), text + 3);
    assert_null(wcsstr(text, L"dx"));
    assert_int_equal(wcsspn(L"aabbc", L"ab"), 4);
    assert_int_equal(wcscspn(L"aabbc", L"c"), 4);
    assert_ptr_equal(wcspbrk(text, L"xd"), text + 3);
    wcsncpy(text, L"xyz", 5);
    assert_memory_equal(text, L"xyz\0\0", 10);
    wcsncat(text, L"1234", 2);
    assert_int_equal(wcscmp(text, L"xyz12"), 0);
    assert_int_equal(_wcsicmp(L"ABC1", L"abc1"), 0);
    assert_int_equal(_wcsnicmp(L"ABx", L"aby", 2), 0);
    assert_int_equal(wcscmp(_wcsupr(text), L"XYZ12"), 0);
    assert_int_equal(_wtoi(L" -12x"), -12);
    assert_int_equal(mbstowcs(text, "ab", 16), 2);
    assert_int_equal(wcscmp(text, L"ab"), 0);
}

static void narrow_strings(void **state)
{
    char text[80] = "AbC";
    assert_int_equal(_stricmp("ABC", "abc"), 0);
    assert_true(_stricmp("ABC", "abd") < 0);
    assert_int_equal(_strnicmp("ABx", "aby", 2), 0);
    assert_string_equal(_strupr(text), "ABC");
    assert_string_equal(_strlwr(text), "abc");
    assert_string_equal(_strrev(text), "cba");
    assert_string_equal(_itoa(-255, text, 10), "-255");
    assert_string_equal(_itoa(255, text, 16), "ff");
    assert_string_equal(_ui64toa(MAXULONG64, text, 10), "18446744073709551615");
    assert_true(_atoi64("-9000000000") == -9000000000LL);
}

static void plain_forms_do_not_end_what_they_cut_off(void **state)
{
    char text[8];
    memset(text, '#', sizeof(text));
    assert_int_equal(_snprintf(text, 4, "%d", 123456), -1);
    assert_memory_equal(text, "1234####", 8);
    assert_int_equal(_snprintf(text, 6, "%d", 123456), 6);
    assert_memory_equal(text, "123456##", 8);
    assert_int_equal(_snprintf(text, 7, "%lu", 123456u), 6);
    assert_string_equal(text, "123456");
    assert_int_equal(_scprintf("%d %s", 42, "abc"), 6);
    WCHAR wide[8];
    assert_int_equal(swprintf(wide, L"%ws%d", L"ab", 12), 4);
    assert_memory_equal(wide, L"ab12", 10);
    assert_int_equal(_snwprintf(wide, 2, L"%d", 123), -1);
}

static void checked_forms_always_end(void **state)
{
    char text[8];
    assert_int_equal(_snprintf_s(text, sizeof(text), _TRUNCATE, "%d", 123456789), -1);
    assert_string_equal(text, "1234567");
    assert_int_equal(_snprintf_s(text, sizeof(text), 3, "%d", 123456789), -1);
    assert_string_equal(text, "123");
    assert_int_equal(_snprintf_s(text, sizeof(text), _TRUNCATE, "%d", 123), 3);
}

#ifndef _WIN32
/* On Windows these end the process, which is the host's to do. */
static void checked_forms_refuse(void **state)
{
    char text[4];
    assert_int_equal(sprintf_s(text, sizeof(text), "%d", 12345), -1);
    assert_string_equal(text, "");
    assert_int_equal(strcpy_s(text, sizeof(text), "abcd"), 34);
    assert_string_equal(text, "");
    assert_int_equal(memcpy_s(text, sizeof(text), "abcdef", 6), 34);
    assert_int_equal(strcat_s(text, sizeof(text), NULL), 22);
}
#endif

static void checked_copies(void **state)
{
    char text[8];
    WCHAR wide[8];
    assert_int_equal(strcpy_s(text, sizeof(text), "abc"), 0);
    assert_int_equal(strcat_s(text, sizeof(text), "def"), 0);
    assert_string_equal(text, "abcdef");
    assert_int_equal(strncpy_s(text, sizeof(text), "123456789", _TRUNCATE), STRUNCATE);
    assert_string_equal(text, "1234567");
    assert_int_equal(wcscpy_s(wide, RTL_NUMBER_OF(wide), L"xyz"), 0);
    assert_int_equal(wcscmp(wide, L"xyz"), 0);
    assert_int_equal(memcpy_s(text, sizeof(text), "ab", 3), 0);
    assert_string_equal(text, "ab");
}

static void tokens(void **state)
{
    char text[] = "a,,b";
    char *context = NULL;
    assert_string_equal(strtok_s(text, ",", &context), "a");
    assert_string_equal(strtok_s(NULL, ",", &context), "b");
    assert_null(strtok_s(NULL, ",", &context));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(wide_strings),
    cmocka_unit_test(narrow_strings),
    cmocka_unit_test(plain_forms_do_not_end_what_they_cut_off),
    cmocka_unit_test(checked_forms_always_end),
#ifndef _WIN32
    cmocka_unit_test(checked_forms_refuse),
#endif
    cmocka_unit_test(checked_copies),
    cmocka_unit_test(tokens),
};

TEST_MAIN(tests)
