/*
 * wskemu: what a test calls to run a driver. Include it after or before any WDK header.
 *
 *     wskemu_boot(NULL);
 *     wskemu_load_driver(WSKEMU_DRIVER(echo), &driver);
 *     ... talk to it ...
 *     wskemu_unload_driver(driver);
 *     assert_int_equal(wskemu_shutdown(), 0);
 */
#ifndef WSKEMU_H
#define WSKEMU_H

#include <wdm.h>

#include <stdbool.h>
#include <stdint.h>

#include <wskemu/driver_image.h>

#ifdef __cplusplus
extern "C" {
#endif

/* When the result of a WSK call is delivered. A driver must pass under all three. */
enum wskemu_completion {
    WSKEMU_COMPLETION_DEFAULT, /* as the policy says */
    WSKEMU_COMPLETION_INLINE,  /* at once where possible: it may complete before the call returns */
    WSKEMU_COMPLETION_DEFERRED, /* always later, at DISPATCH_LEVEL, in another context */
    WSKEMU_COMPLETION_RANDOM,   /* each time one or the other */
};

/* How much is checked and recorded. Tests run at any; all at FULL before a release. */
enum wskemu_verifier {
    WSKEMU_VERIFIER_DEFAULT,  /* as WSKEMU_VERIFIER=off|standard|full says, else standard */
    WSKEMU_VERIFIER_OFF,      /* only what protects the emulator itself */
    WSKEMU_VERIFIER_STANDARD, /* all rules; who called is recorded */
    WSKEMU_VERIFIER_FULL,     /* whole call stacks are, and what costs is checked too */
};

/* How a kernel is made. A zero field takes its default: what the policy says. */
struct wskemu_options {
    ULONG processors; /* emulated processors, at most 64 */
    enum wskemu_completion completion;
    ULONG loops; /* loops of the network, at most 8 */
    enum wskemu_verifier verifier;
    ULONG hang_ms; /* WSKEMU_HANG_MS: after how long a hang is explained */
};

/* hang_ms of a kernel that may hang for ever. */
#define WSKEMU_HANG_NEVER 0xFFFFFFFF

/*
 * What a driver must not depend on, and this process therefore may choose: each from its variable
 * in the environment (WSKEMU_PROCESSORS, WSKEMU_COMPLETION=inline|deferred|random, WSKEMU_LOOPS),
 * else drawn from WSKEMU_SEED (a number, or "random") if that is set, else 2, inline, 1.
 */
struct wskemu_policy {
    BOOLEAN is_drawn; /* WSKEMU_SEED is set */
    ULONG seed;
    ULONG processors;
    enum wskemu_completion completion;
    ULONG loops;
};

struct wskemu_policy wskemu_policy(void);

/* Prints all options of the run, with what a seed drew, in one line: what repeats a failure. */
void wskemu_print_options(void);

/*
 * Makes the kernel. options may be NULL. One kernel runs at a time in a process; boot and shutdown
 * may be repeated. STATUS_SUCCESS, STATUS_DEVICE_ALREADY_ATTACHED if one runs already,
 * STATUS_INVALID_PARAMETER for an option that is not possible, or a variable WSKEMU_... in the
 * environment that is none or has no possible value (it says which), STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS wskemu_boot(const struct wskemu_options *options);

/*
 * Unloads what is still loaded, takes the kernel down and prints what was left: pool by tag, IRPs,
 * MDLs, threads, handles, timers, work items. Returns the number of things left.
 */
unsigned wskemu_shutdown(void);

/*
 * Keeps a rule from speaking until the kernel ends, with the reason why the driver may break it;
 * WSKEMU_SILENCE="WSK-BUF-02:reason;..." does the same from the start. A warning is not printed; a
 * bug check does not come where the kernel can go on without it, and says so where it cannot.
 * wskemu_shutdown() prints each silenced rule, the reason, and how often it would have spoken.
 * FALSE if there is no such rule or no reason.
 */
BOOLEAN wskemu_silence_rule(const char *rule, const char *reason);

/* How often a warning or a bug check named the rule in this process, expected ones too. */
unsigned wskemu_rule_spoken(const char *rule);

/* Where the emulator writes its text, one call a piece. NULL restores the standard error stream. */
typedef void wskemu_log_sink(void *context, const char *text, size_t length);
void wskemu_log_redirect(wskemu_log_sink *sink, void *context);

/*
 * Loads a driver: restores its image's initial data, makes a driver object \Driver\NAME and a
 * registry path, and calls its DriverEntry at PASSIVE_LEVEL. Returns DriverEntry's status, and then
 * *driver is NULL unless it is a success.
 */
NTSTATUS wskemu_load_driver(const struct wskemu_driver_image *image, PDRIVER_OBJECT *driver);

/*
 * Calls the driver's unload routine and frees its driver object. STATUS_INVALID_DEVICE_REQUEST if
 * the driver has no unload routine, or its unload is pending already; STATUS_PENDING if a device of
 * its is open or lies under another driver's: the last close or detach then unloads it.
 */
NTSTATUS wskemu_unload_driver(PDRIVER_OBJECT driver);

/* What a bug check said. */
struct wskemu_bugcheck {
    ULONG code;
    ULONG_PTR parameter[4];
    const char *name;   /* "IRQL_NOT_LESS_OR_EQUAL" */
    const char *rule;   /* id of the broken rule, or NULL */
    char sentence[512]; /* what the driver did; empty where the driver stopped by itself */
};

/*
 * Runs body(context) and expects a bug check, on this thread or on another. Returns TRUE and fills
 * *caught (which may be NULL) if one came; the kernel is then halted and abandoned, and the next
 * step is wskemu_boot(). Returns FALSE if body returned.
 */
BOOLEAN wskemu_catch_bugcheck(void (*body)(void *context), void *context,
                              struct wskemu_bugcheck *caught);

/*
 * The same for a test framework, which expects none: the bug check is printed as always, but ends
 * body instead of the process. Body may catch bug checks of its own, boot and shut down.
 */
BOOLEAN wskemu_contain_bugcheck(void (*body)(void *context), void *context,
                                struct wskemu_bugcheck *caught);

/*
 * For a test framework that left the body of one of the two by a jump, as a failed assertion does:
 * drops what this thread expects, and a kernel that was halted meanwhile. It must be the first call
 * after the jump.
 */
void wskemu_forget_expectations(void);

#ifdef __cplusplus
}
#endif

#endif
