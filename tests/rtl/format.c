/* Windows' printf language, through the functions that drivers call. */
#include "test.h"

#include <ntddk.h>
#include <ntstrsafe.h>

static char text[256];
static WCHAR wide_text[256];

/* What the format makes of its arguments. */
static const char *print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    assert_int_equal(RtlStringCbVPrintfA(text, sizeof(text), format, arguments), STATUS_SUCCESS);
    va_end(arguments);
    return text;
}

/* The same for a wide format, narrowed for the comparison. */
static const char *print_wide(const WCHAR *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    assert_int_equal(RtlStringCbVPrintfW(wide_text, sizeof(wide_text), format, arguments),
                     STATUS_SUCCESS);
    va_end(arguments);
    for (size_t index = 0; index == 0 || wide_text[index - 1] != 0; index++) {
        text[index] = (char)wide_text[index];
    }
    return text;
}

static void l_has_32_bits(void **state)
{
    PROVES("RTL-75");
    assert_string_equal(print("%lu %ld %lx", 0xffffffffu, -5, 0xdeadbeef),
                        "4294967295 -5 deadbeef");
    assert_string_equal(print("%lu|%s", MAXULONG, "next"), "4294967295|next");
}

static void sizes_of_numbers(void **state)
{
    assert_string_equal(print("%I64u %I64d %I64x", MAXULONG64, MINLONG64, 0x123456789abcULL),
                        "18446744073709551615 -9223372036854775808 123456789abc");
    assert_string_equal(print("%llu %lld", MAXULONG64, -1LL), "18446744073709551615 -1");
    assert_string_equal(print("%Iu %Ix %Id", (SIZE_T)1 << 40, (SIZE_T)1 << 40, (LONG_PTR)-1),
                        "1099511627776 10000000000 -1");
    assert_string_equal(print("%I32d %I32u", -1, -1), "-1 4294967295");
    assert_string_equal(print("%zu %jd %td", (SIZE_T)7, 8LL, (LONG_PTR)9), "7 8 9");
    assert_string_equal(print("%hd %hu %hhd %hhu", 0x12345, 0x1ffff, 0x1ff, 0x1ff),
                        "9029 65535 -1 255");
}

static void bases_and_flags(void **state)
{
    assert_string_equal(print("%x %X %o %#x %#X %#o %#x", 255, 255, 8, 255, 255, 8, 0),
                        "ff FF 10 0xff 0XFF 010 0");
    assert_string_equal(print("[%5d][%-5d][%05d][%+d][% d]", 42, 42, 42, 42, 42),
                        "[   42][42   ][00042][+42][ 42]");
    assert_string_equal(print("[%05d][%.3d][%8.3d][%08.3d][%-8.3dx]", -42, 7, 7, 7, 7),
                        "[-0042][007][     007][     007][007     x]");
    assert_string_equal(print("[%.0d][%.d][%.0x]", 0, 0, 0), "[][][]");
    assert_string_equal(print("[%*d][%-*d][%*d][%.*d]", 4, 1, 4, 2, -4, 3, 2, 4),
                        "[   1][2   ][3   ][04]");
    assert_string_equal(print("%i %u %%", -1, 3), "-1 3 %");
}

static void pointers_have_16_digits(void **state)
{
    assert_string_equal(print("%p", (PVOID)0xffffa801deadbeefULL), "FFFFA801DEADBEEF");
    assert_string_equal(print("[%p][%20p]", NULL, (PVOID)0x1a),
                        "[0000000000000000][    000000000000001A]");
}

static void strings_of_either_width(void **state)
{
    PROVES("RTL-75");
    assert_string_equal(print("%s %hs %S %ls %ws", "a", "b", L"c", L"d", L"e"), "a b c d e");
    assert_string_equal(print_wide(L"%s %ws %ls %S %hs", L"a", L"b", L"c", "d", "e"), "a b c d e");
    assert_string_equal(print("[%5s][%-5s][%.2s][%5.1ws][%05s]", "ab", "ab", "abc", L"xyz", "ab"),
                        "[   ab][ab   ][ab][    x][000ab]");
    assert_string_equal(print("%c%C%hc%lc%wc", 'a', L'b', 'c', L'd', L'e'), "abcde");
    assert_string_equal(print_wide(L"%c%C%hc%lc%wc", L'a', 'b', 'c', L'd', L'e'), "abcde");
}

static void counted_strings(void **state)
{
    PROVES("RTL-01");
    STRING narrow = {3, 3, (PCHAR) "abcXXX"};
    UNICODE_STRING wide = {6, 6, (PWCH)L"defXXX"};
    UNICODE_STRING nothing = {0};
    assert_string_equal(print("%Z|%wZ|%hZ|%lZ|%wZ", &narrow, &wide, &narrow, &wide, &nothing),
                        "abc|def|abc|def|(null)");
    assert_string_equal(print("[%8wZ][%-8Z]", &wide, &narrow), "[     def][abc     ]");
    assert_string_equal(print_wide(L"%Z|%wZ", &narrow, &wide), "abc|def");
}

static void null_strings(void **state)
{
    assert_string_equal(print("%s %S %Z %wZ [%8s] [%.3s]", NULL, NULL, NULL, NULL, NULL, NULL),
                        "(null) (null) (null) (null) [  (null)] [(nu]");
}

static void unmapped_characters(void **state)
{
    assert_string_equal(print("%ws", L"\x20AC\x4e2d\xe4"), "\x80?\xe4");
    assert_int_equal(RtlStringCbPrintfW(wide_text, sizeof(wide_text), L"%hs", "\x80\xe4"),
                     STATUS_SUCCESS);
    assert_memory_equal(wide_text, L"\x20AC\xe4", 3 * sizeof(WCHAR));
}

static void floats(void **state)
{
    assert_string_equal(print("%f %.2f %e %g %.0f", 1.5, 2.345, 12345.678, 0.0001, 2.0),
                        "1.500000 2.35 1.234568e+04 0.0001 2");
    assert_string_equal(print("[%8.2f][%-8.2f][%08.2f][%+.1f]", -1.5, 1.5, -1.5, 1.0),
                        "[   -1.50][1.50    ][-0001.50][+1.0]");
}

static void odd_formats(void **state)
{
    assert_string_equal(print("%y %"), "y ");
    assert_string_equal(print("100%%"), "100%");
    assert_string_equal(print(""), "");
    int count = 7;
    assert_int_equal(RtlStringCbPrintfA(text, sizeof(text), "ab%n", &count),
                     STATUS_BUFFER_OVERFLOW);
    assert_int_equal(count, 7);
    assert_int_equal(RtlStringCbPrintfA(text, sizeof(text), "%2147483647d%2147483647d", 1, 2),
                     STATUS_BUFFER_OVERFLOW);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(l_has_32_bits),
    cmocka_unit_test(sizes_of_numbers),
    cmocka_unit_test(bases_and_flags),
    cmocka_unit_test(pointers_have_16_digits),
    cmocka_unit_test(strings_of_either_width),
    cmocka_unit_test(counted_strings),
    cmocka_unit_test(null_strings),
    cmocka_unit_test(unmapped_characters),
    cmocka_unit_test(floats),
    cmocka_unit_test(odd_formats),
};

TEST_MAIN(tests)
