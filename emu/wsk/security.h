/*
 * Cached security descriptors, and who may share a local address. See security.c.
 */
#ifndef WSK_SECURITY_H
#define WSK_SECURITY_H

#include <ntddk.h>

#include "base/mutex.h"

#include <stdbool.h>

struct wsk_socket;
struct wsk_socket_request;

/* Part of wsk_state. */
struct wsk_securities {
    struct base_mutex lock; /* a leaf; guards the list and all counts */
    LIST_ENTRY all;
};

void wsk_securities_start(struct wsk_securities *securities);
unsigned wsk_securities_report(struct wsk_securities *securities);
void wsk_securities_stop(struct wsk_securities *securities);

/*
 * Makes a cached copy of a descriptor, absolute or self-relative; the driver has to release it.
 * creator is the driver's call site. STATUS_SUCCESS, STATUS_INVALID_SECURITY_DESCR,
 * STATUS_INSUFFICIENT_RESOURCES. (WSK-CTL-23)
 */
NTSTATUS wsk_security_cache(const VOID *descriptor, const void *creator,
                            PSECURITY_DESCRIPTOR *cached);

/* The driver gives a cached copy back; one that it does not have is a bug check. (WSK-CTL-26) */
void wsk_security_release(PSECURITY_DESCRIPTOR cached);

/* Hands the descriptor of a socket out to the driver, which has to release it; for NULL, a copy of
 * the default one. As wsk_security_cache. (WSK-OPT-30) */
NTSTATUS wsk_security_hand_out(PSECURITY_DESCRIPTOR cached, const void *creator,
                               PSECURITY_DESCRIPTOR *out);

/*
 * A reference to what a driver gave function as a cached descriptor; NULL is let through. One that
 * is not cached, or was released, is a bug check with that rule. (WSK-SOCK-20, WSK-OPT-29)
 */
PSECURITY_DESCRIPTOR wsk_security_take(PSECURITY_DESCRIPTOR cached, const char *function,
                                       const char *rule);

/* Ends a reference; NULL is let through. */
void wsk_security_drop(PSECURITY_DESCRIPTOR cached);

/*
 * Gives a socket that is being made its descriptor and the process whose rights count for it, both
 * referenced; and takes them away. (WSK-SOCK-17 to WSK-SOCK-20, WSK-SHR-06)
 */
void wsk_security_attach(struct wsk_socket *socket, const struct wsk_socket_request *request);
void wsk_security_detach(struct wsk_socket *socket);

/* Replaces the descriptor of a socket by a cached one that the driver names in an IRP, or by the
 * default one for NULL. The socket's lock is held. (WSK-OPT-26, WSK-OPT-29) */
void wsk_security_replace(struct wsk_socket *socket, PSECURITY_DESCRIPTOR cached,
                          const char *function);

/* See wsk_security_settle in wsk.h. */
void wsk_security_settle_named(struct wsk_socket *socket);

/* Whether a socket with this descriptor lets that process share its address. (WSK-SHR-05) */
bool wsk_security_allows(PSECURITY_DESCRIPTOR cached, PEPROCESS subject);

#endif
