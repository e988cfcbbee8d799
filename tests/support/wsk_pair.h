/* Two ends of one TCP connection, both WSK sockets of one client. */
#ifndef TESTS_SUPPORT_WSK_PAIR_H
#define TESTS_SUPPORT_WSK_PAIR_H

#include "wsk_end.h"

struct wsk_pair {
    struct wsk_end end;
    PWSK_SOCKET listener;
    PWSK_SOCKET near; /* the one that connected, with the context and table given */
    PWSK_SOCKET far;  /* the one that was accepted, without events */
};

void open_pair(struct wsk_pair *pair, PVOID context,
               const WSK_CLIENT_CONNECTION_DISPATCH *dispatch);

/* Closes what is still open (not NULL) and the client. */
void close_pair(struct wsk_pair *pair);

/* Closes one of the ends. */
void close_near(struct wsk_pair *pair);
void close_far(struct wsk_pair *pair);

/* Sends from one end all of the bytes; receives exactly so many, as far as they come. */
void send_all(struct wsk_pair *pair, PWSK_SOCKET socket, const void *bytes, SIZE_T length);
SIZE_T receive_all(struct wsk_pair *pair, PWSK_SOCKET socket, void *bytes, SIZE_T length);

/* Begins a receive that is not waited for. Returns what WskReceive returned. */
NTSTATUS begin_receive(struct wsk_call *call, PWSK_SOCKET socket, void *bytes, SIZE_T length,
                       ULONG flags);
NTSTATUS begin_send(struct wsk_call *call, PWSK_SOCKET socket, const void *bytes, SIZE_T length,
                    ULONG flags);

/* Begins sends of so many bytes until one stays pending, because the other end does not receive;
 * *sent says how much went before it. */
NTSTATUS fill_until_pending(struct wsk_pair *pair, struct wsk_call *call, PWSK_SOCKET socket,
                            const void *bytes, SIZE_T length, SIZE_T *sent);

#endif
