/*
 * A driver's side of WSK for the bench: a kernel, a client, calls that are waited for, threads.
 * What must not fail ends the program if it does.
 */
#ifndef BENCH_WSK_END_H
#define BENCH_WSK_END_H

#include <ntddk.h>
#include <wsk.h>
#include <wskemu/wskemu.h>

#include "bench.h"

/* A registered client of WSK. */
struct end {
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
};

/* An IRP with its event, and the memory that its calls move. */
struct call {
    PIRP irp;
    KEVENT done;
    WSK_BUF buffer;
};

void kernel_start(void);
void kernel_start_at(enum wskemu_verifier level);
void kernel_stop(void); /* nothing may be left */

void end_open(struct end *end);
void end_close(struct end *end);

/* bytes may be NULL for calls that move nothing. */
void call_open(struct call *call, void *bytes, ULONG length);
void call_close(struct call *call);

/* The IRP for the next call; the end of that call, with what the IRP then holds. */
PIRP call_irp(struct call *call);
NTSTATUS call_wait(struct call *call);
ULONG_PTR call_result(struct call *call); /* must be a success */

/* Sockets; addresses of the loopback, ports in host order. */
PWSK_SOCKET open_socket(struct end *end, ULONG category, PVOID context, const VOID *dispatch);
PWSK_SOCKET open_listener(struct end *end, PVOID context,
                          const WSK_CLIENT_LISTEN_DISPATCH *dispatch, USHORT *port);
PWSK_SOCKET open_connection(struct end *end, USHORT port);
PWSK_SOCKET open_datagram(struct end *end, PVOID context,
                          const WSK_CLIENT_DATAGRAM_DISPATCH *dispatch, USHORT *port);
PWSK_SOCKET accept_connection(PWSK_SOCKET listener);
SOCKADDR_IN loopback_address(USHORT port);
void enable_event(PWSK_SOCKET socket, ULONG event);
void close_socket(PWSK_SOCKET socket);

static inline const WSK_PROVIDER_CONNECTION_DISPATCH *connection_table(PWSK_SOCKET socket)
{
    return socket->Dispatch;
}

static inline const WSK_PROVIDER_DATAGRAM_DISPATCH *datagram_table(PWSK_SOCKET socket)
{
    return socket->Dispatch;
}

/* Sends and receives as a driver that waits does; 0 at the end of the stream. */
void send_all(struct call *call, PWSK_SOCKET socket, ULONG length);
ULONG receive_some(struct call *call, PWSK_SOCKET socket, ULONG length);

PKTHREAD thread_start(PKSTART_ROUTINE routine, PVOID context);
void thread_join(PKTHREAD thread);

/* A thread that waits for ever, as a test's own thread does, if the load wants it. */
void waiter_open(const struct bench_load *load);
void waiter_close(void);

static inline void wait_for(PVOID object)
{
    KeWaitForSingleObject(object, Executive, KernelMode, FALSE, NULL);
}

#endif
