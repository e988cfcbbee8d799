/* Pool memory: every way to get it, and what the kernel says to those who misuse it. */
#include "kernel.h"

#define TAG 'tseT'

static bool is_zero(const UCHAR *bytes, SIZE_T count)
{
    for (SIZE_T i = 0; i < count; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

/* The status that body raises, STATUS_SUCCESS if none. */
static NTSTATUS raised_by(void (*body)(void))
{
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        body();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

static void flags_have_windows_values(void **state)
{
    PROVES("POOL-03", "POOL-20");
    assert_int_equal(POOL_FLAG_USE_QUOTA, 0x1);
    assert_int_equal(POOL_FLAG_UNINITIALIZED, 0x2);
    assert_int_equal(POOL_FLAG_SESSION, 0x4);
    assert_int_equal(POOL_FLAG_CACHE_ALIGNED, 0x8);
    assert_int_equal(POOL_FLAG_RAISE_ON_FAILURE, 0x20);
    assert_int_equal(POOL_FLAG_NON_PAGED, 0x40);
    assert_int_equal(POOL_FLAG_NON_PAGED_EXECUTE, 0x80);
    assert_int_equal(POOL_FLAG_PAGED, 0x100);
    assert_true(POOL_FLAG_SPECIAL_POOL == 0x100000000ULL);
    assert_int_equal(NonPagedPool, 0);
    assert_int_equal(NonPagedPoolExecute, 0);
    assert_int_equal(PagedPool, 1);
    assert_int_equal(NonPagedPoolMustSucceed, 2);
    assert_int_equal(NonPagedPoolCacheAligned, 4);
    assert_int_equal(PagedPoolCacheAligned, 5);
    assert_int_equal(NonPagedPoolNx, 512);
}

static void pool2_zeroes_unless_told_otherwise(void **state)
{
    PROVES("POOL-01", "POOL-02", "POOL-30");
    static const POOL_FLAGS pools[] = {POOL_FLAG_NON_PAGED, POOL_FLAG_NON_PAGED_EXECUTE,
                                       POOL_FLAG_PAGED};
    for (int i = 0; i < 3; i++) {
        UCHAR *block = ExAllocatePool2(pools[i], 5000, TAG);
        assert_non_null(block);
        assert_true(is_zero(block, 5000));
        ExFreePool(block);
        block = ExAllocatePool2(pools[i] | POOL_FLAG_UNINITIALIZED, 64, TAG);
        assert_non_null(block);
        assert_false(is_zero(block, 64));
        ExFreePoolWithTag(block, TAG);
    }
}

static void pool2_refuses_bad_arguments(void **state)
{
    PROVES("POOL-01", "POOL-04", "POOL-07", "POOL-24");
    assert_null(ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, 0));
    assert_null(ExAllocatePool2(0, 16, TAG));
    assert_null(ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_PAGED, 16, TAG));
    assert_null(ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_SESSION, 16, TAG));
    assert_null(ExAllocatePool2(POOL_FLAG_NON_PAGED | 0x80000000ULL, 16, TAG));
    PVOID block = ExAllocatePool2(POOL_FLAG_NON_PAGED | 0x4000000000000000ULL, 16, TAG);
    assert_non_null(block);
    ExFreePool(block);
}

static void raise_for_bad_tag(void)
{
    ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_RAISE_ON_FAILURE, 16, 0);
}

static void raise_for_size(void)
{
    ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_RAISE_ON_FAILURE, MAXLONG_PTR, TAG);
}

static void raise_for_size_with_tag(void)
{
    ExAllocatePoolWithTag((POOL_TYPE)(NonPagedPoolNx | POOL_RAISE_IF_ALLOCATION_FAILURE),
                          MAXLONG_PTR, TAG);
}

static void raise_for_quota(void)
{
    ExAllocatePoolWithQuotaTag(NonPagedPoolNx, MAXLONG_PTR, TAG);
}

static void raise_for_quota_zero(void)
{
    ExAllocatePoolQuotaZero(PagedPool, MAXLONG_PTR, TAG);
}

static void failing_allocations_return_null_or_raise(void **state)
{
    PROVES("POOL-01", "POOL-09", "POOL-11");
    POOL_TYPE silent = (POOL_TYPE)(NonPagedPoolNx | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE);
    assert_null(ExAllocatePool2(POOL_FLAG_PAGED, MAXLONG_PTR, TAG));
    assert_null(ExAllocatePoolWithTag(NonPagedPoolNx, MAXLONG_PTR, TAG));
    assert_null(ExAllocatePoolWithQuotaTag(silent, MAXLONG_PTR, TAG));
    assert_null(ExAllocatePoolQuotaZero(silent, MAXLONG_PTR, TAG));
    assert_false(NT_SUCCESS(raised_by(raise_for_bad_tag)));
    assert_int_equal(raised_by(raise_for_size), STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(raised_by(raise_for_size_with_tag), STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(raised_by(raise_for_quota), STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(raised_by(raise_for_quota_zero), STATUS_INSUFFICIENT_RESOURCES);
}

static void pool3_reads_its_parameters(void **state)
{
    PROVES("POOL-08");
    POOL_EXTENDED_PARAMETER parameters[2];
    RtlZeroMemory(parameters, sizeof(parameters));
    parameters[0].Type = PoolExtendedParameterPriority;
    parameters[0].Priority = HighPoolPriority;
    parameters[1].Type = PoolExtendedParameterNumaNode;
    PVOID block = ExAllocatePool3(POOL_FLAG_NON_PAGED, 32, TAG, parameters, 2);
    assert_non_null(block);
    ExFreePool2(block, TAG, NULL, 0);
    block = ExAllocatePool3(POOL_FLAG_NON_PAGED, 32, TAG, NULL, 0);
    assert_non_null(block);
    ExFreePool(block);
    parameters[1].Type = PoolExtendedParameterInvalidType;
    assert_null(ExAllocatePool3(POOL_FLAG_NON_PAGED, 32, TAG, parameters, 2));
    assert_null(ExAllocatePool3(POOL_FLAG_NON_PAGED, 32, TAG, NULL, 1));
}

static void old_functions_allocate(void **state)
{
    PROVES("POOL-09", "POOL-10", "POOL-11", "POOL-13", "POOL-30");
    STAYS_SILENT("POOL-21");
    UCHAR *blocks[] = {
        ExAllocatePoolZero(NonPagedPoolNx, 100, TAG),
        ExAllocatePoolQuotaZero(PagedPool, 100, TAG),
        ExAllocatePoolPriorityZero(NonPagedPool, 100, TAG, LowPoolPriority),
        ExAllocatePoolUninitialized(NonPagedPoolNx, 100, TAG),
        ExAllocatePoolWithTag(PagedPool, 100, TAG),
        ExAllocatePool(NonPagedPool, 100),
        ExAllocatePoolWithQuotaTag(NonPagedPool, 100, TAG),
        ExAllocatePoolWithTagPriority(NonPagedPoolNx, 100, TAG, HighPoolPriority),
    };
    for (int i = 0; i < 8; i++) {
        assert_non_null(blocks[i]);
        assert_int_equal(is_zero(blocks[i], 100), i < 3);
        ExFreePool(blocks[i]);
    }
}

static void blocks_are_aligned(void **state)
{
    PROVES("POOL-18");
    PVOID blocks[64];
    for (ULONG i = 0; i < 64; i++) {
        SIZE_T size = 1 + i * 80;
        blocks[i] = ExAllocatePool2(POOL_FLAG_NON_PAGED, size, TAG);
        ULONG_PTR start = (ULONG_PTR)blocks[i];
        assert_int_equal(start % 16, 0);
        if (size >= PAGE_SIZE) {
            assert_int_equal(start % PAGE_SIZE, 0);
        } else {
            assert_int_equal(start / PAGE_SIZE, (start + size - 1) / PAGE_SIZE);
        }
    }
    for (ULONG i = 0; i < 64; i++) {
        ExFreePool(blocks[i]);
    }
    PVOID aligned = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_CACHE_ALIGNED, 24, TAG);
    assert_int_equal((ULONG_PTR)aligned % SYSTEM_CACHE_ALIGNMENT_SIZE, 0);
    ExFreePool(aligned);
}

static void tags_read_backwards(void **state)
{
    PROVES("POOL-26");
    ULONG tag = 'abcd';
    assert_memory_equal(&tag, "dcba", 4);
}

static void tag_zero_skips_the_check(void **state)
{
    ExFreePoolWithTag(ExAllocatePool2(POOL_FLAG_PAGED, 8, TAG), 0);
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
}

/* ---- misuse ---- */

static void allocate_without_tag(void *context)
{
    ExAllocatePoolWithTag(NonPagedPoolNx, 16, 0);
}

static void allocate_big(void *context)
{
    ExAllocatePoolWithTag(NonPagedPoolNx, 16, 'GIB');
}

static void allocate_dashes(void *context)
{
    ExAllocatePoolZero(NonPagedPoolNx, 16, '----');
}

static void allocate_must_succeed(void *context)
{
    ExAllocatePoolWithTag(NonPagedPoolMustSucceed, 16, TAG);
}

static void old_allocations_check_tag_and_type(void **state)
{
    PROVES("POOL-21", "POOL-24");
    expect_bugcheck(allocate_without_tag, NULL, BAD_POOL_CALLER, 0x9B, "POOL-24");
    expect_bugcheck(allocate_big, NULL, BAD_POOL_CALLER, 0x9C, "POOL-24");
    expect_bugcheck(allocate_dashes, NULL, BAD_POOL_CALLER, 0x9D, "POOL-24");
    expect_bugcheck(allocate_must_succeed, NULL, BAD_POOL_CALLER, 0x9A, "POOL-21");
}

static void free_with_other_tag(void *context)
{
    ExFreePoolWithTag(ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, TAG), 'rhtO');
}

static void free_twice(void *context)
{
    PVOID block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, TAG);
    ExFreePool(block);
    ExFreePool(block);
}

static void free_stack(void *context)
{
    ULONG variable = 0;
    ExFreePool(&variable);
}

static void free_middle(void *context)
{
    UCHAR *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, TAG);
    ExFreePool(block + 32);
}

static void free_null(void *context)
{
    ExFreePool(NULL);
}

static void bad_frees_stop(void **state)
{
    PROVES("POOL-31", "POOL-33", "POOL-34");
    expect_bugcheck(free_with_other_tag, NULL, BAD_POOL_CALLER, 0x0A, "POOL-31");
    expect_bugcheck(free_twice, NULL, BAD_POOL_CALLER, 0x07, "POOL-33");
    expect_bugcheck(free_stack, NULL, BAD_POOL_CALLER, 0x46, "POOL-34");
    expect_bugcheck(free_middle, NULL, BAD_POOL_CALLER, 0x46, "POOL-34");
    expect_bugcheck(free_null, NULL, BAD_POOL_CALLER, 0x46, "POOL-34");
}

#if defined(__SANITIZE_ADDRESS__)
/* The sanitizer sees these writes itself. */
static void overruns_are_found(void **state)
{
    skip();
}
#else
static void overrun(void *context)
{
    volatile UCHAR *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 21, TAG);
    block[21] = 7;
    ExFreePool((PVOID)block);
}

static void underrun(void *context)
{
    volatile UCHAR *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 21, TAG);
    *(block - 1) = 7;
    ExFreePool((PVOID)block);
}

static void overruns_are_found(void **state)
{
    PROVES("POOL-19", "POOL-36");
    expect_bugcheck(overrun, NULL, BAD_POOL_HEADER, 0x21, "POOL-36");
    expect_bugcheck(underrun, NULL, BAD_POOL_HEADER, 0x20, "POOL-19");
}
#endif

static void allocate_paged_high(void *context)
{
    KeRaiseIrqlToDpcLevel();
    ExAllocatePool2(POOL_FLAG_PAGED, 16, TAG);
}

static void allocate_high(void *context)
{
    KIRQL old;
    KeRaiseIrql(DISPATCH_LEVEL + 1, &old);
    ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, TAG);
}

static void free_paged_high(void *context)
{
    PVOID block = ExAllocatePool2(POOL_FLAG_PAGED, 16, TAG);
    KeRaiseIrqlToDpcLevel();
    ExFreePool(block);
}

static void free_high(void *context)
{
    KIRQL old;
    PVOID block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, TAG);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &old);
    ExFreePool(block);
}

static void levels_are_checked(void **state)
{
    PROVES("POOL-27");
    KIRQL old = KeRaiseIrqlToDpcLevel();
    PVOID block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, TAG);
    ExFreePool(block);
    KeLowerIrql(old);
    expect_bugcheck(allocate_paged_high, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x01, "POOL-27");
    expect_bugcheck(allocate_high, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x02, "POOL-27");
    expect_bugcheck(free_paged_high, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x11, "POOL-27");
    expect_bugcheck(free_high, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x12, "POOL-27");
}

static void free_with_resource(void *context)
{
    PERESOURCE resource = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*resource), TAG);
    ExInitializeResourceLite(resource);
    ExFreePool(resource);
}

static void free_with_list(void *context)
{
    PLOOKASIDE_LIST_EX list = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*list), TAG);
    ExInitializeLookasideListEx(list, NULL, NULL, NonPagedPoolNx, 0, 32, TAG, 0);
    ExFreePool(list);
}

static void blocks_with_live_objects_are_not_freed(void **state)
{
    PROVES("POOL-37");
    expect_bugcheck(free_with_resource, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xD2, "POOL-37");
    expect_bugcheck(free_with_list, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xCC, "POOL-37");
}

struct contents {
    KTIMER timer;
    ERESOURCE resource;
    LOOKASIDE_LIST_EX list;
    WORK_QUEUE_ITEM item;
    KEVENT worked;
};

static VOID say_worked(PVOID context)
{
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static void blocks_whose_objects_have_ended_are_freed(void **state)
{
    STAYS_SILENT("POOL-37");
    LARGE_INTEGER due = interval_ms(60000);
    struct contents *contents = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*contents), TAG);
    KeInitializeTimer(&contents->timer);
    KeSetTimer(&contents->timer, due, NULL);
    ExInitializeResourceLite(&contents->resource);
    ExInitializeLookasideListEx(&contents->list, NULL, NULL, NonPagedPoolNx, 0, 32, TAG, 0);
    KeInitializeEvent(&contents->worked, NotificationEvent, FALSE);
    ExInitializeWorkItem(&contents->item, say_worked, &contents->worked);
    ExQueueWorkItem(&contents->item, DelayedWorkQueue);
    wait_object(&contents->worked);
    KeCancelTimer(&contents->timer);
    ExDeleteLookasideListEx(&contents->list);
    ExDeleteResourceLite(&contents->resource);
    ExFreePool(contents);
}

/* Text that the kernel printed. */
struct text {
    char bytes[4096];
    size_t length;
};

static void keep_text(void *context, const char *text, size_t length)
{
    struct text *kept = context;
    for (size_t i = 0; i < length && kept->length < sizeof(kept->bytes) - 1; i++) {
        kept->bytes[kept->length++] = text[i];
    }
}

static void leaks_are_reported(void **state)
{
    struct text text = {.length = 0};
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    assert_non_null(ExAllocatePool2(POOL_FLAG_NON_PAGED, 24, 'kaeL'));
    assert_non_null(ExAllocatePool2(POOL_FLAG_PAGED, 5000, 'kaeL'));
    wskemu_log_redirect(keep_text, &text);
    unsigned left = wskemu_shutdown();
    wskemu_log_redirect(NULL, NULL);
    assert_int_equal(left, 2);
    assert_non_null(strstr(text.bytes, "24 bytes, tag 'Leak'"));
    assert_non_null(strstr(text.bytes, "5000 bytes, tag 'Leak'"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(flags_have_windows_values),
    cmocka_unit_test(tags_read_backwards),
    kernel_test(pool2_zeroes_unless_told_otherwise),
    kernel_test(pool2_refuses_bad_arguments),
    kernel_test(failing_allocations_return_null_or_raise),
    kernel_test(pool3_reads_its_parameters),
    kernel_test(old_functions_allocate),
    kernel_test(blocks_are_aligned),
    kernel_test(tag_zero_skips_the_check),
    kernel_test(old_allocations_check_tag_and_type),
    kernel_test(bad_frees_stop),
    kernel_test(overruns_are_found),
    kernel_test(levels_are_checked),
    kernel_test(blocks_with_live_objects_are_not_freed),
    kernel_test(blocks_whose_objects_have_ended_are_freed),
    cmocka_unit_test(leaks_are_reported),
};

TEST_MAIN(tests)
