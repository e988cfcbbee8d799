/* CR8 as code has it that was compiled against headers which inline it. */
#include "bugcheck.h"
#include "kernel.h"

#include "base/fault.h"
#include "base/instruction.h"
#include "rtl/exception.h"

static UINT64 read_cr8(void)
{
    UINT64 level;
    __asm__ __volatile__("mov %%cr8, %0" : "=r"(level) : : "memory");
    return level;
}

static void write_cr8(UINT64 level)
{
    __asm__ __volatile__("mov %0, %%cr8" : : "r"(level) : "memory");
}

/* The same by a register whose number has four bits. */
static UINT64 exchange_by_r11(UINT64 level)
{
    UINT64 old;
    __asm__ __volatile__("mov %1, %%r11\n\tmov %%r11, %%cr8\n\tmov %%cr8, %%r11\n\tmov %%r11, %0"
                         : "=r"(old)
                         : "r"(level)
                         : "r11", "memory");
    return old;
}

static void it_is_the_level(void **state)
{
    PROVES("IRQL-02");
    KIRQL irql;
    seh_catch_faults(); /* CMocka takes the host's signals for each test */
    assert_int_equal(read_cr8(), PASSIVE_LEVEL);
    KeRaiseIrql(APC_LEVEL, &irql);
    assert_int_equal(read_cr8(), APC_LEVEL);
    KeRaiseIrql(HIGH_LEVEL, &irql);
    assert_int_equal(read_cr8(), HIGH_LEVEL);
    KeLowerIrql(PASSIVE_LEVEL);
    assert_int_equal(read_cr8(), PASSIVE_LEVEL);
}

static void writing_it_sets_the_level(void **state)
{
    seh_catch_faults();
    static const KIRQL levels[] = {APC_LEVEL, DISPATCH_LEVEL, DISPATCH_LEVEL,
                                   12,        DISPATCH_LEVEL, PASSIVE_LEVEL};
    for (size_t i = 0; i < ARRAYSIZE(levels); i++) {
        write_cr8(levels[i]);
        assert_int_equal(KeGetCurrentIrql(), levels[i]);
    }
    assert_int_equal(exchange_by_r11(DISPATCH_LEVEL), DISPATCH_LEVEL);
    assert_int_equal(exchange_by_r11(PASSIVE_LEVEL), PASSIVE_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static VOID count_run(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    (*(volatile LONG *)context)++;
}

static void lowering_by_it_runs_what_was_queued(void **state)
{
    volatile LONG runs = 0;
    KDPC dpc;
    seh_catch_faults();
    KeInitializeDpc(&dpc, count_run, (PVOID)&runs);
    write_cr8(DISPATCH_LEVEL);
    assert_true(KeInsertQueueDpc(&dpc, NULL, NULL));
    assert_int_equal(runs, 0);
    write_cr8(PASSIVE_LEVEL);
    KeFlushQueuedDpcs();
    assert_int_equal(runs, 1);
}

static void lower_with_a_lock(void *context)
{
    KSPIN_LOCK lock;
    KIRQL irql;
    seh_catch_faults();
    KeInitializeSpinLock(&lock);
    KeAcquireSpinLock(&lock, &irql);
    write_cr8(irql);
}

static void lowering_by_it_obeys_the_rules(void **state)
{
    struct wskemu_bugcheck stop = bugcheck_of(lower_with_a_lock, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x31, DISPATCH_LEVEL, PASSIVE_LEVEL,
                    ANY);
}

static void write_too_much(void *context)
{
    seh_catch_faults();
    write_cr8(HIGH_LEVEL + 1);
}

static void a_level_of_more_than_four_bits_is_an_exception(void **state)
{
    struct wskemu_bugcheck stop = bugcheck_of(write_too_much, NULL);
    assert_bugcheck(stop, SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, (ULONG)STATUS_PRIVILEGED_INSTRUCTION,
                    ANY, ANY, ANY);
}

static void the_move_is_found_with_every_register(void **state)
{
    struct base_cr8_move move;
    for (unsigned general = BASE_RAX; general < BASE_REGISTER_COUNT; general++) {
        for (UCHAR opcode = 0x20; opcode <= 0x22; opcode += 2) {
            UCHAR code[] = {0x44 | (general >> 3), 0x0F, opcode, 0xC0 | (general & 7)};
            assert_true(base_decode_cr8((uintptr_t)code, &move));
            assert_int_equal(move.general, general);
            assert_int_equal(move.is_write, opcode == 0x22);
            assert_int_equal(move.bytes, sizeof(code));
        }
    }
}

static void other_instructions_are_not_taken_for_it(void **state)
{
    static const UCHAR others[][4] = {
        {0x0F, 0x20, 0xC0, 0x90}, /* mov %cr0, %rax */
        {0x41, 0x0F, 0x20, 0xC0}, /* mov %cr0, %r8 */
        {0x44, 0x0F, 0x20, 0xC8}, /* mov %cr9, %rax, which does not exist */
        {0x44, 0x0F, 0x21, 0xC0}, /* of a debug register */
        {0x44, 0x89, 0xC0, 0x90}, /* mov %r8d, %eax */
        {0xF4, 0x90, 0x90, 0x90}, /* hlt */
    };
    struct base_cr8_move move;
    for (size_t i = 0; i < ARRAYSIZE(others); i++) {
        assert_false(base_decode_cr8((uintptr_t)others[i], &move));
    }
}

static const struct CMUnitTest tests[] = {
    kernel_test(it_is_the_level),
    kernel_test(writing_it_sets_the_level),
    kernel_test(lowering_by_it_runs_what_was_queued),
    kernel_test(lowering_by_it_obeys_the_rules),
    kernel_test(a_level_of_more_than_four_bits_is_an_exception),
    cmocka_unit_test(the_move_is_found_with_every_register),
    cmocka_unit_test(other_instructions_are_not_taken_for_it),
};

TEST_MAIN(tests)
