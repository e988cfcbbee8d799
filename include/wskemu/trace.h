/*
 * A record of all that happens in a file, for `wskemu trace`. It can be read at any moment, also
 * after the process was killed.
 *
 *     wskemu_trace_start(&(struct wskemu_trace_options){.path = "echo.trace"});
 *     wskemu_boot(NULL);
 *     ...
 *     wskemu_shutdown();
 *     wskemu_trace_stop();
 */
#ifndef WSKEMU_TRACE_H
#define WSKEMU_TRACE_H

#include <wdm.h>

#ifdef __cplusplus
extern "C" {
#endif

enum wskemu_trace_level {
    WSKEMU_TRACE_CALLS,   /* the network, and calls, IRPs, routines, DPCs, timers, work items */
    WSKEMU_TRACE_NETWORK, /* sockets and bytes; threads, texts */
    WSKEMU_TRACE_ALL,     /* calls, and waits, wakes, changes of the IRQL */
};

/* A zero field takes its default. */
struct wskemu_trace_options {
    const char *path;
    enum wskemu_trace_level level;
    ULONG payload_bytes; /* of each send and receive that are kept; default: none */
    ULONG megabytes_max; /* of the file, at most 65,536; default 1,024. Further events are lost. */
};

/*
 * Begins to record; call it before wskemu_boot(), or after a shutdown. STATUS_SUCCESS,
 * STATUS_INVALID_PARAMETER, STATUS_DEVICE_ALREADY_ATTACHED if it records already,
 * STATUS_INSUFFICIENT_RESOURCES, STATUS_ACCESS_DENIED if the file cannot be made.
 */
NTSTATUS wskemu_trace_start(const struct wskemu_trace_options *options);

/*
 * Writes down what the call sites that were recorded so far are called. Stopping does it too, and
 * a bug check; only a process that is killed has no other chance. Any thread.
 */
void wskemu_trace_name_sites(void);

/* Ends the record; call it when no kernel runs. */
void wskemu_trace_stop(void);

#ifdef __cplusplus
}
#endif

#endif
