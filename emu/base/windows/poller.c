/*
 * Leaving the completion port on which libuv polls.
 *
 * libuv makes its port with a concurrency of one. Windows keeps to it by tying a thread to the port
 * from which it last asked for a packet, whether it got one or its time ran out: the thread counts
 * as running for that port until it sleeps, ends, or asks another port. Only while none counts does
 * the port give out a packet. So a thread that polled, and then computes in the driver's code,
 * would keep every later leader from hearing of sockets and, worse, of kicks, which are packets
 * too; the time limit of a poll is all that still works.
 *
 * Hence this port, which nobody ever posts to: asking it with a time limit of zero does nothing but
 * tie the thread to it instead. It is one for the process, because without packets its own
 * concurrency means nothing, and it outlives every loop and kernel.
 *
 * Wine ties no threads to ports. There this costs a call and changes nothing.
 */
#include "base/poller.h"

#include <windows.h>

static HANDLE port;

static BOOL CALLBACK make_port(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)parameter;
    (void)context;
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    return TRUE;
}

void base_poller_leave(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *packet;
    InitOnceExecuteOnce(&once, make_port, NULL, NULL);
    if (port != NULL) {
        GetQueuedCompletionStatus(port, &bytes, &key, &packet, 0);
    }
}
