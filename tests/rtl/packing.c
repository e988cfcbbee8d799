/* Packing by headers, the string instructions, and headers that only Microsoft's tools read. */
#include "test.h"

#include <ntddk.h>

#include <dontuse.h>
#include <suppress.h>

#ifdef __clang__
#pragma clang diagnostic ignored "-Wpragma-pack" /* that includes change it is the point */
#endif

#pragma prefast(disable : __WARNING_ENCODE_MEMBER_FUNCTION_POINTER, "not kept")

/* clang-format off: packings nest */
#include <pshpack8.h>
struct by_8 {
    UCHAR first;
    ULONG64 second;
};
#include <pshpack1.h>
struct by_1 {
    UCHAR first;
    ULONG64 second;
};
#include <pshpack4.h>
struct by_4 {
    UCHAR first;
    ULONG64 second;
};
#include <pshpack2.h>
struct by_2 {
    UCHAR first;
    ULONG64 second;
};
#include <poppack.h>
struct by_4_again {
    UCHAR first;
    ULONG64 second;
};
#include <poppack.h>
struct by_1_again {
    UCHAR first;
    ULONG64 second;
};
#include <pshpack1.h>
#include <poppack.h>
#include <poppack.h>
#include <pshpck16.h>
struct by_16 {
    UCHAR first;
    DECLSPEC_ALIGN(16) ULONG64 second;
};
#include <poppack.h>
#include <poppack.h>
struct natural {
    UCHAR first;
    ULONG64 second;
};
/* clang-format on */

static void packings_nest(void **state)
{
    assert_int_equal(FIELD_OFFSET(struct by_8, second), 8);
    assert_int_equal(sizeof(struct by_1), 9);
    assert_int_equal(sizeof(struct by_4), 12);
    assert_int_equal(sizeof(struct by_2), 10);
    assert_int_equal(sizeof(struct by_4_again), 12);
    assert_int_equal(sizeof(struct by_1_again), 9);
    assert_int_equal(FIELD_OFFSET(struct by_16, second), 16);
    assert_int_equal(sizeof(struct natural), 16);
}

#define FILLED(letter, type, data)                                                                 \
    do {                                                                                           \
        type field[5] = {1, 1, 1, 1, 1};                                                           \
        type copy[5] = {0};                                                                        \
        __stos##letter(field + 1, data, 3);                                                        \
        assert_true(field[0] == 1 && field[4] == 1);                                               \
        assert_true(field[1] == (data) && field[2] == (data) && field[3] == (data));               \
        __movs##letter(copy, field, 5);                                                            \
        assert_memory_equal(copy, field, sizeof(copy));                                            \
        __stos##letter(field, 0, 0);                                                               \
        assert_true(field[0] == 1);                                                                \
    } while (0)

static void string_instructions_fill_and_move(void **state)
{
    FILLED(b, UCHAR, 0xa5);
    FILLED(w, USHORT, 0xa5b6);
    FILLED(d, ULONG, 0xa5b6c7d8);
    FILLED(q, ULONG64, 0xa5b6c7d8e9fa0b1c);
}

static void string_instructions_repeat_what_overlaps(void **state)
{
    UCHAR bytes[] = "abcdefgh";
    ULONG words[] = {1, 2, 3, 4};
    __movsb(bytes + 2, bytes, 6);
    assert_string_equal(bytes, "abababab");
    __movsb(bytes, bytes + 1, 3);
    assert_string_equal(bytes, "babbabab");
    __movsd(words + 1, words, 3);
    assert_true(words[1] == 1 && words[2] == 1 && words[3] == 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(packings_nest),
    cmocka_unit_test(string_instructions_fill_and_move),
    cmocka_unit_test(string_instructions_repeat_what_overlaps),
};

TEST_MAIN(tests)
