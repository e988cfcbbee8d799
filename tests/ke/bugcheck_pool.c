/* Bug checks of pool: 0x19, 0xC2, and 0xC4 for pool at wrong levels. */
#include "bugcheck.h"
#include "kernel.h"

#define TAG 'looP'
#define BYTES 40

/* Mistakes that a sanitizer would report before the kernel sees them. */
#define WILD __attribute__((noinline, no_sanitize("undefined", "address", "thread")))

static UCHAR *block;

static UCHAR *allocate(void)
{
    block = ExAllocatePool2(POOL_FLAG_NON_PAGED, BYTES, TAG);
    return block;
}

WILD static void write_at(volatile UCHAR *address)
{
    *address = 0x5A;
}

static void write_behind(void *context)
{
    write_at(allocate() + BYTES);
    ExFreePool(block);
}

static void write_before(void *context)
{
    write_at(allocate() - 1);
    ExFreePool(block);
}

static void a_block_with_bad_surroundings_stops_when_it_is_freed(void **state)
{
    PROVES("BUGCHECK-13", "POOL-36");
    struct wskemu_bugcheck stop = bugcheck_of(write_behind, NULL);
    assert_bugcheck(stop, BAD_POOL_HEADER, 0x21, block, BYTES, 0x5A);
    stop = bugcheck_of(write_before, NULL);
    assert_bugcheck(stop, BAD_POOL_HEADER, 0x20, ANY, ANY, ANY);
}

static void free_twice(void *context)
{
    allocate();
    ExFreePool(block);
    ExFreePool(block);
}

static void free_with_other_tag(void *context)
{
    ExFreePoolWithTag(allocate(), 'rehO');
}

static void free_inside(void *context)
{
    ExFreePool(allocate() + 16);
}

static void a_bad_free_stops(void **state)
{
    PROVES("BUGCHECK-36", "POOL-31", "POOL-33", "POOL-34");
    struct wskemu_bugcheck stop = bugcheck_of(free_twice, NULL);
    assert_bugcheck(stop, BAD_POOL_CALLER, 0x07, ANY, ANY, block);
    stop = bugcheck_of(free_with_other_tag, NULL);
    assert_bugcheck(stop, BAD_POOL_CALLER, 0x0A, block, TAG, 'rehO');
    stop = bugcheck_of(free_inside, NULL);
    assert_bugcheck(stop, BAD_POOL_CALLER, 0x46, block + 16, 0, 0);
}

static void allocate_tagged(void *context)
{
    ULONG tag = *(ULONG *)context;
    ExAllocatePoolWithTag(NonPagedPool, BYTES, tag);
}

static void a_bad_tag_stops(void **state)
{
    PROVES("BUGCHECK-36", "POOL-24");
    ULONG tag = 0;
    struct wskemu_bugcheck stop = bugcheck_of(allocate_tagged, &tag);
    assert_bugcheck(stop, BAD_POOL_CALLER, 0x9B, NonPagedPool, BYTES, ANY);
    tag = 'GIB';
    stop = bugcheck_of(allocate_tagged, &tag);
    assert_bugcheck(stop, BAD_POOL_CALLER, 0x9C, NonPagedPool, BYTES, ANY);
    tag = '----';
    stop = bugcheck_of(allocate_tagged, &tag);
    assert_bugcheck(stop, BAD_POOL_CALLER, 0x9D, '----', NonPagedPool, ANY);
}

static void allocate_must_succeed(void *context)
{
    ExAllocatePoolWithTag(NonPagedPoolMustSucceed, BYTES, TAG);
}

static void an_allocation_that_must_succeed_stops(void **state)
{
    PROVES("BUGCHECK-36", "POOL-21");
    struct wskemu_bugcheck stop = bugcheck_of(allocate_must_succeed, NULL);
    assert_bugcheck(stop, BAD_POOL_CALLER, 0x9A, NonPagedPoolMustSucceed, BYTES, TAG);
}

static void allocate_paged_raised(void *context)
{
    KeRaiseIrqlToDpcLevel();
    ExAllocatePoolWithTag(PagedPool, BYTES, TAG);
}

static void allocate_too_high(void *context)
{
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL + 1, &irql);
    ExAllocatePoolWithTag(NonPagedPool, BYTES, TAG);
}

static void free_paged_raised(void *context)
{
    block = ExAllocatePoolWithTag(PagedPool, BYTES, TAG);
    KeRaiseIrqlToDpcLevel();
    ExFreePool(block);
}

static void pool_at_a_wrong_level_stops(void **state)
{
    PROVES("BUGCHECK-37", "POOL-27");
    const ULONG code = DRIVER_VERIFIER_DETECTED_VIOLATION;
    struct wskemu_bugcheck stop = bugcheck_of(allocate_paged_raised, NULL);
    assert_bugcheck(stop, code, 0x01, DISPATCH_LEVEL, PagedPool, BYTES);
    stop = bugcheck_of(allocate_too_high, NULL);
    assert_bugcheck(stop, code, 0x02, DISPATCH_LEVEL + 1, NonPagedPool, BYTES);
    stop = bugcheck_of(free_paged_raised, NULL);
    assert_bugcheck(stop, code, 0x11, DISPATCH_LEVEL, PagedPool, block);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_block_with_bad_surroundings_stops_when_it_is_freed),
    kernel_test(a_bad_free_stops),
    kernel_test(a_bad_tag_stops),
    kernel_test(an_allocation_that_must_succeed_stops),
    kernel_test(pool_at_a_wrong_level_stops),
};

TEST_MAIN(tests)
