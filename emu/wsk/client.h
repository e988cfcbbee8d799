/*
 * A client of WSK: what WskRegister, or an attachment through NMR, made of a driver. It is what a
 * PWSK_CLIENT points to.
 *
 * Three counts hold a client: its captures of the provider, its sockets, and its requests, which
 * are calls in progress to WSK_PROVIDER_DISPATCH functions and the IRPs that these left pending.
 * A client goes when it is ending and all three are 0. Whoever drops a hold does not touch the
 * client after. See client.c, registration.c (WskRegister) and binding.c (NMR).
 */
#ifndef WSK_CLIENT_H
#define WSK_CLIENT_H

#include <ntddk.h>
#include <wsk.h>

#include "base/mutex.h"
#include "wsk/table.h"

/* First parameter of bug check 0xC4 for a broken rule of WSK; the second is the object. */
#define WSK_VIOLATION 0x57534B

/* So many ended clients keep their memory, so that who uses one too long is found out. */
#define WSK_CLIENT_GRAVES 16

/* The clients, and whether there is a provider for them. Part of wsk_state. */
struct wsk_clients {
    struct base_mutex lock; /* guards all below and each client's counts; a leaf but for events */
    LIST_ENTRY all;
    KEVENT ready; /* signalled while is_ready */
    BOOLEAN is_ready;
    HANDLE provider; /* WSK's registration with NMR, or NULL while not ready */
    struct wsk_client *grave[WSK_CLIENT_GRAVES];
    ULONG next_grave;
};

struct wsk_client {
    LIST_ENTRY link; /* in wsk_clients.all */
    WSK_CLIENT_NPI npi;
    WSK_CLIENT_DISPATCH dispatch;     /* a copy */
    const WSK_CLIENT_DISPATCH *given; /* the driver's, of which it is one */
    PWSK_REGISTRATION registration;   /* the driver's block, or NULL if it came through NMR */
    HANDLE binding;                   /* of NMR, or NULL */
    const void *creator;              /* who called WskRegister, or NULL */

    /* Guarded by wsk_clients.lock. */
    ULONG captures; /* always 1 for a client of NMR */
    ULONG sockets;
    ULONG requests;
    ULONG callers;            /* threads inside a registration function with it */
    struct wsk_tables tables; /* see table.c */
    BOOLEAN is_ending;        /* WskDeregister or a detachment has begun */
    BOOLEAN has_failed;       /* the last capture has */
    BOOLEAN is_answered;      /* a capture succeeded, or said STATUS_NOINTERFACE */
    BOOLEAN is_awaited;       /* NMR waits until the client is detached */
    BOOLEAN is_orphan;        /* NMR has detached it, and yet it is held */
    KEVENT ending;            /* signalled once is_ending */
    KEVENT idle;              /* signalled once it is ending and nothing holds it */

    struct base_mutex lock;  /* guards all below */
    BOOLEAN has_had_sockets; /* WSK_SET_STATIC_EVENT_CALLBACKS comes before the first one */
    ULONG static_events;     /* mask of WSK_SET_STATIC_EVENT_CALLBACKS */
};

/* For the module's start, report and stop. */
NTSTATUS wsk_clients_start(struct wsk_clients *clients);
unsigned wsk_clients_report(struct wsk_clients *clients);
void wsk_clients_stop(struct wsk_clients *clients);

/* A socket holds its client from its making until it has closed. */
void wsk_client_hold_socket(struct wsk_client *client);
void wsk_client_release_socket(struct wsk_client *client);

/*
 * The first statement of a WSK_PROVIDER_DISPATCH function that got a client which is not NULL:
 * holds a request, and bug checks if the driver has given the provider back, or never had it.
 * wsk_client_release_request ends it. (WSK-REG-25, WSK-REG-38, WSK-DISP-06)
 */
struct wsk_client *wsk_client_enter(PWSK_CLIENT client);

/* The same for a function that has a rule of its own on that. (WSK-NAME-21) */
struct wsk_client *wsk_client_enter_by(PWSK_CLIENT client, const char *own_rule);

/* A request: a call in progress, or an IRP that it leaves pending. Released after the IRP was
 * completed, with no lock held: it may call NMR's callbacks. IRQL <= DISPATCH_LEVEL. */
void wsk_client_hold_request(struct wsk_client *client);
void wsk_client_release_request(struct wsk_client *client);

/* Calls WskClientEvent of every client that has one. IRQL <= DISPATCH_LEVEL. (WSK-EVT-67) */
void wsk_client_event(ULONG event_type, PVOID information, SIZE_T information_length);

/* ---- between client.c, registration.c and binding.c ---- */

/* Makes a client of that NPI, on no list yet; NULL when the host is out of memory. */
struct wsk_client *wsk_client_create(const WSK_CLIENT_NPI *npi, const void *creator);

/* The versions of WSK's NPI that the emulator offers. */
extern const WSK_PROVIDER_CHARACTERISTICS wsk_provider_versions;

/* Whether WSK offers the version that the client's dispatch asks for. (WSK-REG-20) */
BOOLEAN wsk_client_is_supported(USHORT version);

/* Whether nothing holds the client. wsk_clients.lock is held. */
BOOLEAN wsk_client_is_idle(const struct wsk_client *client);

/* After a hold was dropped: wakes who waits for an ending client that nothing holds any more.
 * wsk_clients.lock is held. */
void wsk_client_note_release(struct wsk_client *client);

/* Takes the client off the list for good. wsk_clients.lock is held. */
void wsk_client_bury(struct wsk_client *client);

/* WSK as a provider of NMR. Deregistering waits until its clients are detached. PASSIVE_LEVEL, or
 * while the module starts. */
NTSTATUS wsk_binding_register(HANDLE *provider);
void wsk_binding_deregister(HANDLE provider);

/* Makes the provider available or not; see include/wskemu/network.h. PASSIVE_LEVEL. */
void wsk_provider_set_ready(BOOLEAN is_ready);

#endif
