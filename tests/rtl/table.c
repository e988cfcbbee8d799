/* Ordered tables: AVL trees and splay trees against a sorted array. */
#include "kernel.h"

#define KEYS 200
#define STEPS 4000

struct element {
    ULONG key;
    ULONG value;
};

static ULONG allocated;

static RTL_GENERIC_COMPARE_RESULTS compare(PVOID first, PVOID second)
{
    ULONG key1 = ((struct element *)first)->key;
    ULONG key2 = ((struct element *)second)->key;
    return key1 < key2 ? GenericLessThan : key1 > key2 ? GenericGreaterThan : GenericEqual;
}

static PVOID allocate(CLONG bytes, SIZE_T links)
{
    assert_int_equal(bytes, sizeof(struct element) + links);
    allocated++;
    return ExAllocatePool2(POOL_FLAG_NON_PAGED, bytes, 'lbaT');
}

static VOID release(PVOID buffer)
{
    allocated--;
    ExFreePoolWithTag(buffer, 'lbaT');
}

static RTL_AVL_COMPARE_ROUTINE avl_compare;
static RTL_AVL_ALLOCATE_ROUTINE avl_allocate;
static RTL_AVL_FREE_ROUTINE avl_free;
static RTL_GENERIC_COMPARE_ROUTINE splay_compare;
static RTL_GENERIC_ALLOCATE_ROUTINE splay_allocate;
static RTL_GENERIC_FREE_ROUTINE splay_free;

static RTL_GENERIC_COMPARE_RESULTS avl_compare(PRTL_AVL_TABLE Table, PVOID First, PVOID Second)
{
    assert_ptr_equal(Table->TableContext, &allocated);
    return compare(First, Second);
}

static PVOID avl_allocate(PRTL_AVL_TABLE Table, CLONG ByteSize)
{
    return allocate(ByteSize, sizeof(RTL_BALANCED_LINKS));
}

static VOID avl_free(PRTL_AVL_TABLE Table, PVOID Buffer)
{
    release(Buffer);
}

static RTL_GENERIC_COMPARE_RESULTS splay_compare(PRTL_GENERIC_TABLE Table, PVOID First,
                                                 PVOID Second)
{
    return compare(First, Second);
}

static PVOID splay_allocate(PRTL_GENERIC_TABLE Table, CLONG ByteSize)
{
    return allocate(ByteSize, sizeof(RTL_SPLAY_LINKS) + sizeof(LIST_ENTRY));
}

static VOID splay_free(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    release(Buffer);
}

/* The height of a subtree whose balances and parents are right. */
static LONG check_avl(PRTL_BALANCED_LINKS node, PRTL_BALANCED_LINKS parent)
{
    if (node == NULL) {
        return 0;
    }
    assert_ptr_equal(node->Parent, parent);
    LONG left = check_avl(node->LeftChild, node);
    LONG right = check_avl(node->RightChild, node);
    assert_int_equal(node->Balance, right - left);
    assert_in_range(right - left + 1, 0, 2);
    return max(left, right) + 1;
}

static void check_avl_table(PRTL_AVL_TABLE table, const BOOLEAN present[KEYS])
{
    ULONG count = 0;
    PVOID restart = NULL;
    LONG height = check_avl(table->BalancedRoot.RightChild, &table->BalancedRoot);
    assert_int_equal(height, table->DepthOfTree);
    for (ULONG key = 0; key < KEYS; key++) {
        if (present[key]) {
            struct element *element = RtlEnumerateGenericTableWithoutSplayingAvl(table, &restart);
            assert_int_equal(element->key, key);
            assert_ptr_equal(RtlGetElementGenericTableAvl(table, count), element);
            count++;
        }
    }
    assert_null(RtlEnumerateGenericTableWithoutSplayingAvl(table, &restart));
    assert_null(RtlGetElementGenericTableAvl(table, count));
    assert_int_equal(RtlNumberGenericTableElementsAvl(table), count);
    assert_int_equal(RtlIsGenericTableEmptyAvl(table), count == 0);
    assert_int_equal(allocated, count);
}

static void avl_table_stays_balanced_and_ordered(void **state)
{
    RTL_AVL_TABLE table;
    BOOLEAN present[KEYS] = {FALSE};
    ULONG seed = 7;
    RtlInitializeGenericTableAvl(&table, avl_compare, avl_allocate, avl_free, &allocated);
    check_avl_table(&table, present);
    for (ULONG step = 0; step < STEPS; step++) {
        struct element element = {RtlRandomEx(&seed) % KEYS, step};
        if (RtlRandomEx(&seed) % 2) {
            BOOLEAN is_new;
            struct element *stored =
                RtlInsertElementGenericTableAvl(&table, &element, sizeof(element), &is_new);
            assert_int_equal(stored->key, element.key);
            assert_int_equal(is_new, !present[element.key]);
            present[element.key] = TRUE;
        } else {
            BOOLEAN was_there = RtlDeleteElementGenericTableAvl(&table, &element);
            assert_int_equal(was_there, present[element.key]);
            present[element.key] = FALSE;
        }
        assert_int_equal(RtlLookupElementGenericTableAvl(&table, &element) != NULL,
                         present[element.key]);
        if (step % 16 == 0) {
            check_avl_table(&table, present);
        }
    }
    /* As drivers empty their tables. */
    while (!RtlIsGenericTableEmptyAvl(&table)) {
        assert_true(
            RtlDeleteElementGenericTableAvl(&table, RtlGetElementGenericTableAvl(&table, 0)));
    }
    assert_int_equal(allocated, 0);
}

static void avl_enumeration_goes_on_behind_a_deleted_element(void **state)
{
    RTL_AVL_TABLE table;
    RtlInitializeGenericTableAvl(&table, avl_compare, avl_allocate, avl_free, &allocated);
    for (ULONG key = 0; key < 10; key++) {
        struct element element = {key, 0};
        RtlInsertElementGenericTableAvl(&table, &element, sizeof(element), NULL);
    }
    ULONG expected = 0;
    for (struct element *element = RtlEnumerateGenericTableAvl(&table, TRUE); element != NULL;
         element = RtlEnumerateGenericTableAvl(&table, FALSE)) {
        assert_int_equal(element->key, expected++);
        RtlDeleteElementGenericTableAvl(&table, element);
    }
    assert_int_equal(expected, 10);
    assert_true(RtlIsGenericTableEmptyAvl(&table));
}

static void splay_table_stays_ordered(void **state)
{
    RTL_GENERIC_TABLE table;
    BOOLEAN present[KEYS] = {FALSE};
    ULONG seed = 11;
    RtlInitializeGenericTable(&table, splay_compare, splay_allocate, splay_free, NULL);
    for (ULONG step = 0; step < STEPS; step++) {
        struct element element = {RtlRandomEx(&seed) % KEYS, step};
        if (RtlRandomEx(&seed) % 2) {
            BOOLEAN is_new;
            PVOID place;
            TABLE_SEARCH_RESULT result;
            RtlLookupElementGenericTableFull(&table, &element, &place, &result);
            struct element *stored = RtlInsertElementGenericTableFull(
                &table, &element, sizeof(element), &is_new, place, result);
            assert_int_equal(stored->key, element.key);
            assert_int_equal(is_new, !present[element.key]);
            present[element.key] = TRUE;
        } else {
            BOOLEAN was_there = RtlDeleteElementGenericTable(&table, &element);
            assert_int_equal(was_there, present[element.key]);
            present[element.key] = FALSE;
        }
        assert_int_equal(RtlLookupElementGenericTable(&table, &element) != NULL,
                         present[element.key]);
    }
    struct element *element = RtlEnumerateGenericTable(&table, TRUE);
    for (ULONG key = 0; key < KEYS; key++) {
        if (present[key]) {
            assert_int_equal(element->key, key);
            element = RtlEnumerateGenericTable(&table, FALSE);
        }
    }
    assert_null(element);
    while (!RtlIsGenericTableEmpty(&table)) {
        assert_true(RtlDeleteElementGenericTable(&table, RtlGetElementGenericTable(&table, 0)));
    }
    assert_int_equal(allocated, 0);
}

static void splay_table_counts_in_order_of_insertion(void **state)
{
    static const ULONG keys[] = {5, 1, 9, 3};
    RTL_GENERIC_TABLE table;
    RtlInitializeGenericTable(&table, splay_compare, splay_allocate, splay_free, NULL);
    for (ULONG index = 0; index < RTL_NUMBER_OF(keys); index++) {
        struct element element = {keys[index], 0};
        RtlInsertElementGenericTable(&table, &element, sizeof(element), NULL);
    }
    assert_int_equal(RtlNumberGenericTableElements(&table), 4);
    for (ULONG index = RTL_NUMBER_OF(keys); index-- != 0;) {
        struct element *element = RtlGetElementGenericTable(&table, index);
        assert_int_equal(element->key, keys[index]);
        RtlDeleteElementGenericTable(&table, element);
    }
    assert_null(RtlGetElementGenericTable(&table, 0));
}

static const struct CMUnitTest tests[] = {
    kernel_test(avl_table_stays_balanced_and_ordered),
    kernel_test(avl_enumeration_goes_on_behind_a_deleted_element),
    kernel_test(splay_table_stays_ordered),
    kernel_test(splay_table_counts_in_order_of_insertion),
};

TEST_MAIN(tests)
