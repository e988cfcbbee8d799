/* Calls of functions of sockets: what a driver must keep when it makes them. See call.c. */
#ifndef WSK_CALL_H
#define WSK_CALL_H

#include <ntddk.h>
#include <wsk.h>

#include "base/local.h"
#include "ke/thread.h"
#include "verifier/level.h"

#include <stdatomic.h>
#include <stdint.h>

struct wsk_client;
struct wsk_socket;

#define WSK_STREAMS (WSK_FLAG_CONNECTION_SOCKET | WSK_FLAG_STREAM_SOCKET)
#define WSK_LISTENERS (WSK_FLAG_LISTEN_SOCKET | WSK_FLAG_STREAM_SOCKET)
#define WSK_BINDABLE (WSK_STREAMS | WSK_LISTENERS | WSK_FLAG_DATAGRAM_SOCKET)

/* "listening" and so on. */
const char *wsk_category_name(ULONG category);

/* Bug checks: the driver took function out of the table of another category. (WSK-SOCK-30) */
void wsk_call_wrong_category(struct wsk_socket *socket, const char *function);

/* The socket whose event callback the calling thread began last. */
extern BASE_THREAD_LOCAL const struct wsk_socket *wsk_event_of;

/* A call that executes; it lies in the frame of the function that the driver called. */
struct wsk_running {
    struct _KTHREAD *thread; /* NULL: it is not kept record of */
};

/* Only others look at the record, so it is ordered by what they learn of the call otherwise. */
static inline void wsk_call_note(struct _KTHREAD *thread, unsigned index, const void *socket)
{
    if (index < KE_CALLS_MAX) {
        atomic_store_explicit(&thread->calls[index], socket, memory_order_relaxed);
    }
}

static inline void wsk_call_enter(struct wsk_running *call, const struct wsk_socket *socket)
{
    call->thread = verifier_is_on() ? ke_current() : NULL;
    if (call->thread != NULL) {
        wsk_call_note(call->thread, call->thread->call_count++, socket);
    }
}

static inline void wsk_call_leave(struct wsk_running *call)
{
    if (call->thread != NULL) {
        wsk_call_note(call->thread, --call->thread->call_count, NULL);
    }
}

/*
 * The call executes until the function that says so returns, or what becomes of its IRP stands.
 * Without a compiler that runs code at the end of a scope calls are not counted.
 */
#if defined(__GNUC__)
#define WSK_LEAVES __attribute__((cleanup(wsk_call_leave)))
#define WSK_COUNT_CALL(socket)                                                                     \
    WSK_LEAVES struct wsk_running executing_;                                                      \
    wsk_call_enter(&executing_, socket)
#else
#define WSK_COUNT_CALL(socket) ((void)0)
#endif

/* The first statement of each function of a socket but WskCloseSocket and WskControlSocket.
 * categories: of the sockets that have the function. */
#define WSK_CALL(socket, categories, function)                                                     \
    WSK_COUNT_CALL(socket);                                                                        \
    if (((socket)->category & (categories)) == 0) {                                                \
        wsk_call_wrong_category(socket, function);                                                 \
    }

/* What becomes of the IRP of the calling thread's innermost call stands; whoever learns of it may
 * close the socket. */
static inline void wsk_call_settle(void)
{
    struct _KTHREAD *thread = ke_current();
    if (thread->call_count != 0) {
        wsk_call_note(thread, thread->call_count - 1, NULL);
    }
}

/* How many calls on the socket execute in other threads. */
unsigned wsk_calls_elsewhere(const struct wsk_socket *socket);

/* Bug checks if another thread executes a call on the socket, which the driver closes. */
void wsk_call_check_close(struct wsk_socket *socket);

/* The driver called function on a socket that was, or is being, closed. */
_Noreturn void wsk_call_after_close(const struct wsk_socket *socket, PIRP irp,
                                    const char *function);

/* ---- sockets that no longer work ---- */

/* The driver learns that the socket no longer works, by what the rule speaks of. */
void wsk_dead_tell(struct wsk_socket *socket, const char *rule);

/* The same by a call of function that is refused; warns if it goes on calling. */
void wsk_dead_call(struct wsk_socket *socket, const char *function);

/* Warns if the socket is one of which the driver was told, and not closed. (WSK-CLOSE-20) */
void wsk_dead_check(struct wsk_client *client);

/* ---- tables ---- */

/* What stands behind a table of WSK's functions: the table of another category is longer. */
#define WSK_BEYOND 16
typedef NTSTATUS WSKAPI wsk_beyond(PWSK_SOCKET Socket);
wsk_beyond wsk_call_beyond;

#define WSK_ALL_BEYOND                                                                             \
    {                                                                                              \
        wsk_call_beyond, wsk_call_beyond, wsk_call_beyond, wsk_call_beyond, wsk_call_beyond,       \
            wsk_call_beyond, wsk_call_beyond, wsk_call_beyond, wsk_call_beyond, wsk_call_beyond,   \
            wsk_call_beyond, wsk_call_beyond, wsk_call_beyond, wsk_call_beyond, wsk_call_beyond,   \
            wsk_call_beyond                                                                        \
    }

#endif
