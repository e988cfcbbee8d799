/*
 * Faults: calls of a driver that take a resource fail, one at a time, to see that the driver
 * survives it. They fail as these calls do when memory is short: pool, IRPs, MDLs and work items
 * are NULL, or an exception where that was asked for; all others return
 * STATUS_INSUFFICIENT_RESOURCES. A WSK call completes its IRP, too: at once, or later after
 * STATUS_PENDING, as the completion policy says.
 *
 * Which call it is says a text, here or in the environment (WSKEMU_FAULT):
 *
 *   nth:5        the fifth call of the process, or since wskemu_fault
 *   stack:HASH   the first call with this call stack
 *   stacks       the first call with each call stack
 *   random:0.01  each with this probability, drawn from WSKEMU_SEED if that is set
 *
 * A call stack is the driver's functions from the one that the kernel called to the one that makes
 * the call. Only calls of drivers count which wskemu_add_driver() built; those of WSK's dispatch
 * tables from any loaded driver, or from everybody where none is loaded.
 *
 * Each call that fails is printed, with its place and its stack's hash.
 */
#ifndef WSKEMU_FAULT_H
#define WSKEMU_FAULT_H

#include <wdm.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Begins faults, until the end of wskemu_shutdown() or NULL. STATUS_INVALID_PARAMETER if it is none
 * of the texts above; it says so. */
NTSTATUS wskemu_fault(const char *which);

/* Lets only calls of these kinds fail, "pool,irp"; NULL: all. The kinds: pool, irp, mdl, thread,
 * work_item, timer, device, object, registry, string, registration, socket, bind, connect, accept,
 * send, receive, name, control. (WSKEMU_FAULT_KINDS) */
NTSTATUS wskemu_fault_kinds(const char *kinds);

/* How many calls could have failed since faults began, and how many did. */
ULONG wskemu_fault_calls(void);
ULONG wskemu_faults(void);

/*
 * A sweep runs a test again and again, each time in a new process and with another call failing,
 * and says what it finds on the way: bug checks, crashes, hangs, and what is left at the end, each
 * with the command that repeats it. Assertions of the test may fail: the driver need not do its
 * work, it must only get away. A sweep ends with a run in which nothing failed, and that must pass.
 *
 * The program of the test must run it alone when it is named as the only argument:
 * if (argc > 1) cmocka_set_test_filter(argv[1]).
 */
struct wskemu_sweep {
    const char *program; /* NULL: the running one */
    const char *test;    /* NULL: the program is run without an argument */
    BOOLEAN is_each;     /* each call fails once, the 1st, 2nd, 3rd ...; FALSE: each call stack */
    BOOLEAN spares_done; /* leaves out the call stacks that an earlier sweep of this process has
                            failed: for many tests of one driver, where what follows the failure
                            is mostly the same */
    ULONG time_limit_ms; /* of a run; 0: 10 seconds */
    ULONG trials_max;    /* 0: no limit */
};

struct wskemu_sweep_result {
    ULONG trials; /* runs in which a call failed */
    ULONG found;  /* how many of them found something, and 1 if the last run did not pass */
    ULONG spared; /* call stacks that were left out */
};

/* STATUS_SUCCESS if nothing was found; STATUS_UNSUCCESSFUL, also if the program cannot be run;
 * STATUS_INVALID_DEVICE_STATE inside a kernel. result may be NULL. */
NTSTATUS wskemu_fault_sweep_with(const struct wskemu_sweep *sweep,
                                 struct wskemu_sweep_result *result);

/* Sweeps a test of the running program by call stacks, or by calls if WSKEMU_LONG is set. Returns
 * how much was found. */
ULONG wskemu_fault_sweep(const char *test);

#ifdef __cplusplus
}
#endif

#endif
