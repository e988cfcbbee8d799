/*
 * The host's stacks are so large that hardly a driver comes to their end, as it would on Windows:
 * runaway recursion does, and is then told by what is on the stack most often. For all others,
 * functions that most drivers call now and then look how far it is from there to the routine of
 * the driver that runs. What the emulator itself has on the stack, between routines that are called
 * from within others, does not count.
 */
#include "verifier/stack_use.h"

#include "base/sanitize.h"
#include "base/stack.h"
#include "ke/callback.h"
#include "ke/warning.h"
#include "verifier/once.h"
#include "verifier/report.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* A kernel stack of x64; sanitizers make a multiple of a frame. */
#if defined(BASE_IS_SANITIZED)
#define BYTES_MAX (4 * 24 * 1024)
#else
#define BYTES_MAX (24 * 1024)
#endif

/* Farther than that is another stack. */
#define BYTES_ABSURD (16 * 1024 * 1024)

void verifier_stack_use_look(const char *action)
{
    char here = 0;
    const struct ke_callback *callback = ke_callback_innermost();
    uintptr_t bytes = (uintptr_t)callback - (uintptr_t)&here;
    if (callback == NULL || bytes <= BYTES_MAX || bytes > BYTES_ABSURD ||
        strcmp(callback->what, VERIFIER_EXPANDED) == 0 ||
        !verifier_speaks_first("THREAD-36", callback->routine)) {
        return;
    }
    ke_warning("THREAD-36",
               "the driver's routine %p, called as %s, had %u KB on the stack when it %s; a kernel "
               "stack has 24 KB for all that run on it",
               callback->routine, callback->what, (unsigned)(bytes / 1024), action);
}

/* ---- an exhausted stack ---- */

#define CALLS_MAX 16

/* So often one call is on a stack only by recursion. */
#define RECURSION_MIN 16

/* The calls on a stack, innermost first, each place once, as far as they are the driver's. */
struct calls {
    struct {
        uintptr_t pc;
        bool is_driver;
        unsigned count;
    } call[CALLS_MAX];
    unsigned count;
};

static bool count_call(void *context, uintptr_t pc, uintptr_t frame_pointer)
{
    struct calls *calls = context;
    struct base_stack_frame frame;
    UNREFERENCED_PARAMETER(frame_pointer);
    unsigned i = 0;
    while (i < calls->count && calls->call[i].pc != pc) {
        i++;
    }
    if (i == CALLS_MAX) {
        return false;
    }
    if (i == calls->count) {
        base_stack_name(pc, &frame);
        calls->call[i].pc = pc;
        calls->call[i].is_driver = verifier_is_driver_frame(&frame);
        calls->count++;
    }
    calls->call[i].count++;
    return false;
}

struct verifier_stack_content verifier_stack_content(void)
{
    struct verifier_stack_content content;
    struct calls calls = {.count = 0};
    uintptr_t low;
    uintptr_t high;
    base_stack_bounds(&low, &high);
    base_stack_walk(count_call, &calls);
    int innermost = -1;
    int most = -1;
    for (int i = (int)calls.count - 1; i >= 0; i--) {
        if (calls.call[i].is_driver) {
            innermost = i;
            most = most < 0 || calls.call[i].count >= calls.call[most].count ? i : most;
        }
    }
    int length = snprintf(content.text, sizeof(content.text), "%llu KB here",
                          (unsigned long long)(high - low) / 1024);
    if (most < 0) {
        return content;
    }
    bool is_recursion = calls.call[most].count >= RECURSION_MIN;
    struct base_site site =
        base_stack_site((const void *)(calls.call[is_recursion ? most : innermost].pc + 1));
    if (is_recursion) {
        snprintf(content.text + length, sizeof(content.text) - (size_t)length,
                 ": the call in %s is on it %u times", site.text, calls.call[most].count);
    } else {
        snprintf(content.text + length, sizeof(content.text) - (size_t)length, ", in %s",
                 site.text);
    }
    return content;
}
