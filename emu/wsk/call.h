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

/* A call that executes; it lies in the frame of the function that the driver called. */
struct wsk_running {
    atomic_uint *callers; /* of its socket; NULL once it does not count any more */
    struct wsk_running *outer;
    bool is_listed;
};

/* The calling thread's calls that execute, in the kernel of that generation. */
struct wsk_thread_calls {
    uint64_t generation;
    struct wsk_running *innermost;
    const struct wsk_socket *event_of; /* whose event callback the thread began last */
};

extern BASE_THREAD_LOCAL struct wsk_thread_calls wsk_thread_calls;

#define WSK_STREAMS (WSK_FLAG_CONNECTION_SOCKET | WSK_FLAG_STREAM_SOCKET)
#define WSK_LISTENERS (WSK_FLAG_LISTEN_SOCKET | WSK_FLAG_STREAM_SOCKET)
#define WSK_BINDABLE (WSK_STREAMS | WSK_LISTENERS | WSK_FLAG_DATAGRAM_SOCKET)

/* "listening" and so on. */
const char *wsk_category_name(ULONG category);

/* Bug checks: the driver took function out of the table of another category. (WSK-SOCK-30) */
void wsk_call_wrong_category(struct wsk_socket *socket, const char *function);

static inline void wsk_call_enter(struct wsk_running *call, atomic_uint *callers)
{
    call->callers = NULL;
    call->is_listed = verifier_is_on();
    if (!call->is_listed) {
        return;
    }
    struct wsk_thread_calls *calls = &wsk_thread_calls;
    uint64_t generation = ke_thread_slot.generation;
    call->outer = calls->generation == generation ? calls->innermost : NULL;
    calls->generation = generation;
    calls->innermost = call;
    call->callers = callers;
    atomic_fetch_add(callers, 1);
}

static inline void wsk_call_leave(struct wsk_running *call)
{
    if (!call->is_listed) {
        return;
    }
    wsk_thread_calls.innermost = call->outer;
    if (call->callers != NULL) {
        atomic_fetch_sub(call->callers, 1);
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
    wsk_call_enter(&executing_, &(socket)->callers)
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
    struct wsk_running *call = wsk_thread_calls.innermost;
    if (call != NULL && wsk_thread_calls.generation == ke_thread_slot.generation &&
        call->callers != NULL) {
        atomic_fetch_sub(call->callers, 1);
        call->callers = NULL;
    }
}

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
