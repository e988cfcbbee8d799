/* What tests of names share: a client that asks, and names in the table. */
#ifndef TESTS_SUPPORT_WSK_NAMES_H
#define TESTS_SUPPORT_WSK_NAMES_H

#include "wsk_end.h"

struct names {
    struct wsk_end end;
    PADDRINFOEXW list; /* what WskGetAddressInfo gave */
};

void open_names(struct names *names);
void close_names(struct names *names);

/* WskGetAddressInfo with all its parameters but the owner's; what it returned. */
NTSTATUS begin_find(struct names *names, PCWSTR node, PCWSTR service, ULONG name_space,
                    GUID *provider, const ADDRINFOEXW *hints, struct wsk_call *call);

/* The same for all name spaces, waited for. */
NTSTATUS find(struct names *names, PCWSTR node, PCWSTR service, const ADDRINFOEXW *hints);

/* Frees names->list. */
void free_list(struct names *names);

/* a.b.c.d, and 2001:db8::last; the port is in host order. */
SOCKADDR_INET ipv4(UCHAR a, UCHAR b, UCHAR c, UCHAR d, USHORT port);
SOCKADDR_INET ipv6(UCHAR last, USHORT port);

/* Adds an address of a name to the table. */
void add_name(const char *name, SOCKADDR_INET address);

UNICODE_STRING string_of(PCWSTR text);
void expect_text(PCWSTR found, PCWSTR wanted);

#endif
