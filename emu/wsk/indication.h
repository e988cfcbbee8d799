/* Received stream data in WSK's own memory, as a driver sees it. See indication.c. */
#ifndef WSK_INDICATION_H
#define WSK_INDICATION_H

#include <ntddk.h>
#include <wsk.h>

#include <stdbool.h>

struct wsk_socket;
struct wsk_state;

/* Most bytes of one indication. */
#define WSK_INDICATION_BYTES 65536

struct wsk_indication {
    WSK_DATA_INDICATION public; /* what the driver sees and may write to */
    LIST_ENTRY link; /* in wsk_connection.retained while the driver keeps it; wsk_state.spare */
    SIZE_T start;    /* of the bytes that were not accepted yet */
    SIZE_T end;
    bool is_end_of_message; /* the host had no more at that moment */
    bool is_retained;
    bool is_released; /* before its receive event returned STATUS_PENDING */
    bool was_urged;   /* indicated with WSK_FLAG_RELEASE_ASAP */
    PMDL mdl;
    UCHAR *data;
    struct ex_guarded *guarded; /* all of it lies there at level full; else NULL */
    const void *user;           /* an address in the code that had it last, or NULL */
};

struct wsk_indication *wsk_indication_create(void);
void wsk_indication_free(struct wsk_indication *indication);

/* The driver still keeps it, but its socket has gone: it is left over at the end. (WSK-IND-14) */
void wsk_indication_abandon(struct wsk_indication *indication);
void wsk_indications_start(struct wsk_state *wsk);
unsigned wsk_indications_report(struct wsk_state *wsk);
void wsk_indications_stop(struct wsk_state *wsk);

/* Describes the bytes that are left in the public part. */
void wsk_indication_describe(struct wsk_indication *indication);

/* Calls the event callback that is due, if any; see wsk_queue.indicate. */
bool wsk_connection_indicate(struct wsk_socket *socket);

#endif
