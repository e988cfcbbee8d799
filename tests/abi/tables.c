/*
 * The rows of tests/data/abi that only a running program can check, and the count of all.
 *
 * Constants, sizes, offsets, alignments and prototypes are checked by the compiler in the generated
 * files that are linked with this one: a difference there does not compile.
 */
#include "all_headers.h"
#include "test.h"

#include <stdbool.h>
#include <string.h>

struct count {
    const char *file;
    const char *header;
    unsigned rows;
    unsigned checked;
};

#define X(file, header, rows, checked) {file, header, rows, checked},
static const struct count counts[] = {
#include "summary.inc"
};
#undef X

static void rows_are_counted(void **state)
{
    unsigned rows = 0;
    unsigned checked = 0;
    print_message("%-12s %-16s %6s %8s %8s\n", "file", "header", "rows", "checked", "missing");
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        const struct count *count = &counts[i];
        print_message("%-12s %-16s %6u %8u %8u\n", count->file, count->header, count->rows,
                      count->checked, count->rows - count->checked);
        rows += count->rows;
        checked += count->checked;
    }
    print_message("%-12s %-16s %6u %8u %8u\n", "all", "", rows, checked, rows - checked);
    assert_true(checked > 0);
}

static void required_rows_are_there(void **state)
{
    unsigned missing = 0;
#define X(file, name)                                                                              \
    print_error("%s: %s is required and missing\n", file, name);                                   \
    missing++;
#include "required.inc"
#undef X
    assert_int_equal(missing, 0);
}

/* Whether exactly width bits from bit first on are set; bit 0 is the lowest of the first byte. */
static bool is_only_set(const unsigned char *bytes, size_t count, unsigned first, unsigned width)
{
    for (unsigned bit = 0; bit < 8 * count; bit++) {
        bool is_set = (bytes[bit / 8] >> bit % 8 & 1) != 0;
        if (is_set != (bit >= first && bit < first + width)) {
            return false;
        }
    }
    return true;
}

/* Setting the field, and nothing else, to all ones shows which bits it has. */
#define CHECK_BITS(type, field, first, width)                                                      \
    do {                                                                                           \
        union {                                                                                    \
            type subject;                                                                          \
            unsigned char bytes[sizeof(type)];                                                     \
        } image;                                                                                   \
        memset(&image, 0, sizeof(image));                                                          \
        image.subject.field = ones;                                                                \
        if (!is_only_set(image.bytes, sizeof(type), first, width)) {                               \
            print_error("%s.%s: not %u bits from bit %u\n", #type, #field, width, first);          \
            differences++;                                                                         \
        }                                                                                          \
    } while (0)

static void bit_fields_have_windows_bits(void **state)
{
    volatile unsigned long long ones = ~0ULL;
    unsigned differences = 0;
#define X(type, field, first, width) CHECK_BITS(type, field, first, width);
#include "bitfields.inc"
#undef X
    assert_int_equal(differences, 0);
}

static void guids_have_windows_bytes(void **state)
{
#define X(name, ...)                                                                               \
    do {                                                                                           \
        static const unsigned char bytes[16] = {__VA_ARGS__};                                      \
        assert_memory_equal(&name, bytes, sizeof(bytes));                                          \
    } while (0);
#include "guids.inc"
#undef X
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rows_are_counted),
    cmocka_unit_test(required_rows_are_there),
    cmocka_unit_test(bit_fields_have_windows_bits),
    cmocka_unit_test(guids_have_windows_bytes),
};

TEST_MAIN(tests)
