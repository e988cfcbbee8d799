/* The addresses on the calling stack. */
#include "base/stack.h"
#include "rtl/level.h"

#include <ntifs.h>

struct capture {
    ULONG_PTR caller; /* where the trace begins; 0 once it did */
    ULONG skip;
    ULONG limit;
    ULONG count;
    PVOID *addresses;
};

static bool capture_frame(void *context, uintptr_t pc, uintptr_t frame_pointer)
{
    struct capture *capture = context;
    ULONG_PTR address = pc + 1; /* the call returns behind itself */
    (void)frame_pointer;
    if (capture->caller != 0 && address != capture->caller) {
        return false;
    }
    capture->caller = 0;
    if (capture->skip != 0) {
        capture->skip--;
        return false;
    }
    capture->addresses[capture->count++] = (PVOID)address;
    return capture->count == capture->limit;
}

/*
 * Where the calls on the stack will return to, innermost first; the first is in the caller. Returns
 * how many there are; BackTraceHash, which may be NULL, gets the low half of their sum. Beyond the
 * driver's own calls stand the emulator's and the host's. IRQL <= DISPATCH_LEVEL.
 */
USHORT RtlCaptureStackBackTrace(ULONG FramesToSkip, ULONG FramesToCapture, PVOID *BackTrace,
                                PULONG BackTraceHash)
{
    struct capture capture = {.caller = (ULONG_PTR)_ReturnAddress(),
                              .skip = FramesToSkip,
                              .limit = FramesToCapture < MAXUSHORT ? FramesToCapture : MAXUSHORT,
                              .addresses = BackTrace};
    RTL_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (capture.limit != 0) {
        base_stack_walk(capture_frame, &capture);
    }
    ULONG hash = 0;
    for (ULONG index = 0; index < capture.count; index++) {
        hash += (ULONG)(ULONG_PTR)BackTrace[index];
    }
    if (BackTraceHash != NULL) {
        *BackTraceHash = hash;
    }
    return (USHORT)capture.count;
}
