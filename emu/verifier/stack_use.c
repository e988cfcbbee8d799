/*
 * The host's stacks are so large that a driver never comes to their end, as it would on Windows.
 * So functions that most drivers call now and then look how far it is from there to the routine of
 * the driver that runs. What the emulator itself has on the stack, between routines that are called
 * from within others, does not count.
 */
#include "verifier/stack_use.h"

#include "base/sanitize.h"
#include "ke/callback.h"
#include "ke/warning.h"
#include "verifier/once.h"

#include <stdint.h>
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
