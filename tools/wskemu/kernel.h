/*
 * The kernel, for the host side of the program: kernel.c is compiled with WDK headers, all that
 * includes this one need not be. Statuses are NTSTATUS.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wskemu_driver_image;

/* "STATUS_SUCCESS"; NULL for one without a name. */
const char *kernel_status_name(uint32_t status);

static inline bool kernel_is_success(uint32_t status)
{
    return (int32_t)status >= 0;
}

enum kernel_trace_level { KERNEL_TRACE_CALLS, KERNEL_TRACE_NETWORK, KERNEL_TRACE_ALL };

/* Statuses of wskemu_trace_start(). */
uint32_t kernel_trace_start(const char *path, enum kernel_trace_level level, uint32_t payload_bytes,
                            uint32_t megabytes);
void kernel_trace_name_sites(void);
void kernel_trace_stop(void);

uint32_t kernel_boot(void);

/* Unloads and takes the kernel down; returns how many things were left. */
unsigned kernel_shutdown(void);

/* A value of a driver's Parameters key. Name may have keys in front: "Sub\\Name". */
enum kernel_type {
    KERNEL_SZ = 1,
    KERNEL_BINARY = 3,
    KERNEL_DWORD = 4,
    KERNEL_MULTI_SZ = 7,
    KERNEL_QWORD = 11
};
uint32_t kernel_set_value(const char *driver, const char *name, enum kernel_type type,
                          const void *data, size_t bytes);

uint32_t kernel_load(const struct wskemu_driver_image *image);

/* Waits until kernel_stop(), which any thread may call, or so many milliseconds; 0: for ever. */
void kernel_wait(uint64_t milliseconds);
void kernel_stop(void);

/* How long nothing may happen before a hang is told; 0: never. */
uint64_t kernel_hang_ms(void);

/* Prints which routines of drivers run, to the standard error stream; false if none was found. The
 * calling thread does not enter the kernel. */
bool kernel_print_running(void);

/* Where the kernel's text goes: what drivers print, warnings, reports. */
void kernel_redirect_log(void (*sink)(void *context, const char *text, size_t length),
                         void *context);

/* A request from outside, which may have to wait: routine(request, context) on a thread of its own,
 * once; NULL when the host refuses. */
struct kernel_request;
typedef void kernel_routine(struct kernel_request *request, void *context);
struct kernel_request *kernel_request_start(kernel_routine *routine, void *context);

/* What the calling request's thread is called in a trace. */
void kernel_request_name(const char *name);

/* Keeps the calling request out of the trace. */
void kernel_request_hide(void);

/* Asks it to end soon. */
void kernel_request_cancel(struct kernel_request *request);

/* Waits for the routine's end and frees the request. */
void kernel_request_join(struct kernel_request *request);

/* The calling thread only serves the user: no driver waits for what it does. */
void kernel_stand_aside(void);

/* Waits for kernel_requests_end(), which says that the last request was joined. If a driver keeps
 * one for ever, that is a hang like any other. */
void kernel_requests_await(void);
void kernel_requests_end(void);

/* Sends a control to a device, waiting for its end. *open_status is why the device could not be
 * opened. output has *output_bytes, which becomes what was written. */
struct kernel_control {
    const char *device; /* "\\Device\\Echo", or "Echo" for \??\Echo, else \Device\Echo */
    uint32_t code;
    const void *input;
    uint32_t input_bytes;
    void *output;
    uint32_t output_bytes;
    uint64_t information; /* filled in */
    bool is_open;         /* filled in: the device was found and opened */
};
uint32_t kernel_control(struct kernel_request *request, struct kernel_control *control);

/* Has an event happen to a session: its name as wskemu_session_event_of() has it. */
uint32_t kernel_session_event(const char *event, uint32_t session, bool is_local);

/* Mirrors the machine's sessions. */
uint32_t kernel_mirror_sessions(const char *manager);

/* What there is, as text or JSON; malloc'ed. */
char *kernel_status(bool is_json);

/* Begins to keep book for kernel_status(), before kernel_boot(); on_line gets a line for each
 * connection that comes or goes, and for each problem. */
void kernel_watch(void (*on_line)(const char *line, bool is_problem));

#endif
