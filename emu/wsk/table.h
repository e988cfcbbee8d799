/* What a driver gives with a socket for its event callbacks: context and table. See table.c. */
#ifndef WSK_TABLE_H
#define WSK_TABLE_H

#include <ntddk.h>
#include <wsk.h>

struct wsk_client;
struct wsk_socket;
struct wsk_socket_request;

#define WSK_TABLES_MAX 8

/* Tables that sockets of a client have, and of which category these are. Guarded by
 * wsk_state.lock. */
struct wsk_tables {
    struct {
        const VOID *table; /* NULL: free */
        ULONG category;
        ULONG sockets;
    } known[WSK_TABLES_MAX];
};

/* The rules that a function's arguments stand under. */
struct wsk_table_rules {
    const char *function;
    const char *context;
    const char *table;
};

extern const struct wsk_table_rules wsk_socket_rules;
extern const struct wsk_table_rules wsk_socket_connect_rules;
extern const struct wsk_table_rules wsk_accept_rules;
extern const struct wsk_table_rules wsk_accept_event_rules;

/* Looks at the context and table that the driver gave with the socket. No lock is held. */
void wsk_table_given(struct wsk_socket *socket, PVOID context, const VOID *table,
                     const struct wsk_table_rules *rules);

/* Bug checks if the table lay on the stack of a routine that has returned. (WSK-EVT-12) */
void wsk_table_check_there(const struct wsk_socket *socket);

/* The socket goes. */
void wsk_table_leave(struct wsk_socket *socket);

/* Looks whether the table has what the events of the socket need that the driver enables. The lock
 * is held. (WSK-SOCK-15, WSK-SOCK-16, WSK-HDR-21) */
void wsk_table_check_events(struct wsk_socket *socket, ULONG mask);

#endif
