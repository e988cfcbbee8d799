/* Security descriptors for tests. */
#ifndef TESTS_SUPPORT_SECURITY_H
#define TESTS_SUPPORT_SECURITY_H

#include "wsk_end.h"

/* A user or group: S-1-authority-first[-second]. */
struct test_sid {
    UCHAR revision;
    UCHAR count;
    UCHAR authority[6];
    ULONG parts[2];
};

extern const struct test_sid sid_everyone;       /* S-1-1-0 */
extern const struct test_sid sid_system;         /* S-1-5-18 */
extern const struct test_sid sid_administrators; /* S-1-5-32-544 */
extern const struct test_sid sid_users;          /* S-1-5-32-545 */
extern const struct test_sid sid_guests;         /* S-1-5-32-546 */

enum test_entry_type { ENTRY_ALLOW = 0, ENTRY_DENY = 1, ENTRY_AUDIT = 2 };

#define ENTRY_INHERIT_ONLY 0x08

/* An entry of an access control list. */
struct test_entry {
    UCHAR type;
    UCHAR flags;
    ACCESS_MASK mask;
    const struct test_sid *sid;
};

/* A self-relative descriptor with room for its parts. */
struct test_descriptor {
    _Alignas(8) UCHAR bytes[512];
};

#define CONTROL_DACL_PRESENT 0x0004
#define CONTROL_SELF_RELATIVE 0x8000

/* Writes a list into memory; returns its size in bytes. */
USHORT write_acl(void *memory, const struct test_entry *entries, USHORT count);

/* Fills a self-relative descriptor with this owner (may be NULL) and list. */
void describe(struct test_descriptor *descriptor, const struct test_sid *owner,
              const struct test_entry *entries, USHORT count);

/* WSK_CACHE_SD and WSK_RELEASE_SD. */
NTSTATUS cache_descriptor(struct wsk_end *end, const void *descriptor,
                          PSECURITY_DESCRIPTOR *cached);
NTSTATUS release_descriptor(struct wsk_end *end, PSECURITY_DESCRIPTOR cached);

/* A cached descriptor that grants these rights to this user; NULL if it fails. */
PSECURITY_DESCRIPTOR cached_grant(struct wsk_end *end, const struct test_sid *sid,
                                  ACCESS_MASK mask);

/* WskSocket with all that says whose it is; NULL if it fails. */
struct test_owner {
    PEPROCESS process;
    PETHREAD thread;
    PSECURITY_DESCRIPTOR security;
};
PWSK_SOCKET make_owned(struct wsk_end *end, ULONG category, const struct test_owner *owner);

#endif
