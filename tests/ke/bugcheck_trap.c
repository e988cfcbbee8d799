/*
 * Faults of which the host says little: an exhausted stack, addresses that no processor maps, and
 * memory that allows less than was wanted. 0x7F, 0x7E, 0x1E, 0xBE, 0xFC.
 */
#include "bugcheck.h"
#include "kernel.h"

#include "base/sanitize.h"
#include "rtl/exception.h"

/* Mistakes that a sanitizer would report before the kernel sees them. */
#define WILD __attribute__((noinline, no_sanitize("undefined", "address", "thread")))

/* What a routine does, at the level given. */
struct mistake {
    void (*routine)(void);
    KIRQL level;
};

static void make(void *context)
{
    const struct mistake *mistake = context;
    KIRQL irql;
    seh_catch_faults(); /* CMocka takes the host's signals for each test */
    KeRaiseIrql(mistake->level, &irql);
    mistake->routine();
    KeLowerIrql(irql);
}

static struct wskemu_bugcheck stop_of(void (*routine)(void), KIRQL level)
{
    struct mistake mistake = {.routine = routine, .level = level};
    return bugcheck_of(make, &mistake);
}

static void assert_says(const struct wskemu_bugcheck *stop, const char *words)
{
    if (strstr(stop->sentence, words) == NULL) {
        print_error("expected \"%s\", got: %s\n", words, stop->sentence);
        fail();
    }
}

/* ---- addresses that no processor maps ---- */

static volatile ULONG *volatile wild;
static void (*volatile wild_routine)(void);

WILD static void read_wild(void)
{
    (void)*wild;
}

WILD static void write_wild(void)
{
    *wild = 1;
}

WILD static void read_member_of_wild(void)
{
    (void)wild[0x100];
}

WILD static void call_wild(void)
{
    wild_routine();
}

static void an_address_that_is_not_canonical_is_told(void **state)
{
    UNREFERENCED_PARAMETER(state);
    const ULONG code = (ULONG)STATUS_ACCESS_VIOLATION;
    wild = (volatile ULONG *)0xDEADBEEFDEADBEEFULL;
    struct wskemu_bugcheck stop = stop_of(write_wild, PASSIVE_LEVEL);
    assert_bugcheck(stop, SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, code, ANY, ANY, ANY);
    assert_says(&stop, "wrote to address 0xDEADBEEFDEADBEEF, which no processor can map");
    stop = stop_of(read_wild, DISPATCH_LEVEL);
    assert_bugcheck(stop, KMODE_EXCEPTION_NOT_HANDLED, code, ANY, 0, ~(ULONG_PTR)0);
    assert_says(&stop, "read from address 0xDEADBEEFDEADBEEF, which no processor can map");
    stop = stop_of(read_member_of_wild, PASSIVE_LEVEL);
    assert_says(&stop, "read from address 0xDEADBEEFDEADC2EF");
}

static void a_call_of_what_is_not_canonical_is_told(void **state)
{
    UNREFERENCED_PARAMETER(state);
    wild_routine = (void (*)(void))0xDEADBEEFDEADBEEFULL;
    struct wskemu_bugcheck stop = stop_of(call_wild, PASSIVE_LEVEL);
    assert_bugcheck(stop, SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, (ULONG)STATUS_ACCESS_VIOLATION, ANY,
                    ANY, ANY);
    assert_says(&stop, "executed address 0xDEADBEEFDEADBEEF, which no processor can map");
}

static void a_pattern_is_called_one(void **state)
{
    UNREFERENCED_PARAMETER(state);
    wild = (volatile ULONG *)0xDDDDDDDDDDDDDDDDULL;
    struct wskemu_bugcheck stop = stop_of(read_wild, PASSIVE_LEVEL);
    assert_says(&stop, "memory is filled with that was freed or never initialised");
    wild = (volatile ULONG *)0xBABABABABABABABAULL;
    stop = stop_of(read_wild, PASSIVE_LEVEL);
    assert_says(&stop, "what new pool is filled with");
}

/* Windows tells neither the address nor the access. */
static void a_handler_gets_what_windows_tells(void **state)
{
    UNREFERENCED_PARAMETER(state);
    NTSTATUS status = STATUS_SUCCESS;
    wild = (volatile ULONG *)0xDEADBEEFDEADBEEFULL;
    seh_catch_faults();
    __try {
        write_wild();
    } __except (GetExceptionInformation()->ExceptionRecord->ExceptionInformation[1] ==
                ~(ULONG_PTR)0) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_ACCESS_VIOLATION);
}

/* ---- memory that allows less ---- */

static const char constant[] = "a constant";
static const char *volatile constant_pointer = constant;

WILD static void write_constant(void)
{
    *(volatile char *)(ULONG_PTR)constant_pointer = 'A';
}

static void a_write_to_a_constant_stops(void **state)
{
    UNREFERENCED_PARAMETER(state);
    const ULONG_PTR address = (ULONG_PTR)constant;
    struct wskemu_bugcheck stop = stop_of(write_constant, PASSIVE_LEVEL);
    assert_bugcheck(stop, ATTEMPTED_WRITE_TO_READONLY_MEMORY, address, ANY, ANY, ANY);
    assert_says(&stop, "memory is that may only be read");
    stop = stop_of(write_constant, DISPATCH_LEVEL);
    assert_bugcheck(stop, ATTEMPTED_WRITE_TO_READONLY_MEMORY, address, ANY, ANY, ANY);
}

static UCHAR data[16] = {0xC3};

static void a_call_of_data_stops(void **state)
{
    UNREFERENCED_PARAMETER(state);
    wild_routine = (void (*)(void))(ULONG_PTR)data;
    struct wskemu_bugcheck stop = stop_of(call_wild, PASSIVE_LEVEL);
    assert_bugcheck(stop, ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY, (ULONG_PTR)data, ANY, ANY, ANY);
    assert_says(&stop, "where data lies and not code");
}

/* ---- exceptions by their names ---- */

static volatile int zero;

WILD static void divide_by_zero(void)
{
    zero = 12345 / zero;
}

static void release_foreign_mutex(void)
{
    KMUTEX mutex;
    KeInitializeMutex(&mutex, 0);
    KeReleaseMutex(&mutex, FALSE);
}

WILD static void disable_interrupts(void)
{
    __asm__ volatile("cli");
}

static void an_exception_is_called_by_its_name(void **state)
{
    UNREFERENCED_PARAMETER(state);
    struct wskemu_bugcheck stop = stop_of(divide_by_zero, PASSIVE_LEVEL);
    assert_says(&stop, "STATUS_INTEGER_DIVIDE_BY_ZERO");
    assert_says(&stop, "divided an integer by zero");
    stop = stop_of(divide_by_zero, DISPATCH_LEVEL);
    assert_says(&stop, "STATUS_INTEGER_DIVIDE_BY_ZERO, was raised at IRQL 2");
    stop = stop_of(release_foreign_mutex, PASSIVE_LEVEL);
    assert_says(&stop, "STATUS_MUTANT_NOT_OWNED");
    assert_says(&stop, "a mutex that this thread does not own");
    stop = stop_of(disable_interrupts, PASSIVE_LEVEL);
    assert_says(&stop, "STATUS_PRIVILEGED_INSTRUCTION");
}

/* ---- an exhausted stack ---- */

static volatile int depth_max = 0x7FFFFFFF;

/* NOLINTNEXTLINE(misc-no-recursion) */
WILD static int go_deeper(int depth)
{
    volatile char local[1024];
    local[0] = (char)depth;
    if (depth == depth_max) {
        return 0;
    }
    return go_deeper(depth + 1) + local[0];
}

WILD static void recurse(void)
{
    go_deeper(0);
}

static VOID recurse_in_thread(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    recurse();
}

static void start_recursion(void)
{
    wait_object(start_thread(recurse_in_thread, NULL));
}

static void recurse_in_try(void)
{
    __try {
        recurse();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        fail();
    }
}

static void assert_exhausted(void (*routine)(void), KIRQL level)
{
#if defined(BASE_IS_SANITIZED) && !defined(BASE_IS_ADDRESS_SANITIZED)
    UNREFERENCED_PARAMETER(routine);
    UNREFERENCED_PARAMETER(level);
    skip(); /* ThreadSanitizer has no stack for signals */
#else
    struct wskemu_bugcheck stop = stop_of(routine, level);
    assert_bugcheck(stop, UNEXPECTED_KERNEL_MODE_TRAP, 8, ANY, ANY, ANY);
    assert_string_equal(stop.rule, "THREAD-36");
    assert_says(&stop, "stack is exhausted");
#if !defined(_WIN32)
    assert_says(&stop, "the call in go_deeper at ");
#endif
#endif
}

static void recursion_without_end_stops(void **state)
{
    PROVES("THREAD-36");
    UNREFERENCED_PARAMETER(state);
    assert_exhausted(recurse, PASSIVE_LEVEL);
    assert_exhausted(recurse, DISPATCH_LEVEL);
}

static void recursion_without_end_in_a_thread_stops(void **state)
{
    PROVES("THREAD-36");
    UNREFERENCED_PARAMETER(state);
    assert_exhausted(start_recursion, PASSIVE_LEVEL);
}

static void no_handler_gets_an_exhausted_stack(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_exhausted(recurse_in_try, PASSIVE_LEVEL);
}

static const struct CMUnitTest tests[] = {
    kernel_test(an_address_that_is_not_canonical_is_told),
    kernel_test(a_call_of_what_is_not_canonical_is_told),
    kernel_test(a_pattern_is_called_one),
    kernel_test(a_handler_gets_what_windows_tells),
    kernel_test(a_write_to_a_constant_stops),
    kernel_test(a_call_of_data_stops),
    kernel_test(an_exception_is_called_by_its_name),
    kernel_test(recursion_without_end_stops),
    kernel_test(recursion_without_end_in_a_thread_stops),
    kernel_test(no_handler_gets_an_exhausted_stack),
};

TEST_MAIN(tests)
