/*
 * Cached security descriptors.
 *
 * A cached copy is one piece of memory in self-relative form, on one list, so that whatever a
 * driver hands in is looked up before anything is read through it. Two counts keep it: how often
 * the driver has it (WSK_CACHE_SD, reading SO_WSK_SECURITY) and how many sockets refer to it. A
 * driver may give it back as soon as the request with which it named it has completed; the sockets
 * go on using it. A copy that the driver still has at shutdown is reported.
 *
 * A socket without a descriptor has the default one: a list of rights that is empty, so that it
 * grants nobody anything.
 */
#include "wsk/security.h"

#include "base/log.h"
#include "base/stack.h"
#include "ke/bugcheck.h"
#include "ps/process.h"
#include "verifier/rule.h"
#include "wsk/wsk.h"

#include <ntifs.h>
#include <stdlib.h>
#include <string.h>

/* Bits of SECURITY_DESCRIPTOR_CONTROL. */
#define CONTROL_DACL_PRESENT 0x0004
#define CONTROL_SACL_PRESENT 0x0010
#define CONTROL_SELF_RELATIVE 0x8000

#define ACL_REVISION_LOWEST 2
#define ACL_REVISION_HIGHEST 4

#define ENTRY_ALLOWED 0
#define ENTRY_DENIED 1
#define ENTRY_INHERIT_ONLY 0x08

/* What sharing an address asks for, as the rights of a file: an endpoint is one on Windows. */
#define RIGHTS_TO_SHARE (FILE_GENERIC_READ | FILE_GENERIC_WRITE)

/* A descriptor whose parts follow it in the same memory. */
struct self_relative {
    UCHAR revision;
    UCHAR reserved;
    USHORT control;
    ULONG owner; /* offsets; 0 means absent */
    ULONG group;
    ULONG sacl;
    ULONG dacl;
};
C_ASSERT(sizeof(struct self_relative) == 20);

/* An entry of an access control list. */
struct entry {
    UCHAR type;
    UCHAR flags;
    USHORT bytes;
    ACCESS_MASK mask;
    SID sid; /* of the types allowed and denied */
};

#define ENTRY_HEADER_BYTES FIELD_OFFSET(struct entry, mask)
#define ENTRY_SID_OFFSET FIELD_OFFSET(struct entry, sid)
#define SID_HEADER_BYTES FIELD_OFFSET(SID, SubAuthority)

struct cached {
    LIST_ENTRY link; /* in wsk_securities.all */
    ULONG handed_out;
    ULONG references;      /* of sockets */
    ULONG requests;        /* that name it and have not completed */
    const char *rule;      /* that forbids to release it as long as the last of them has not */
    const void *creator;   /* who was handed it last */
    const char *left_rule; /* that asks him to release it */
    struct self_relative descriptor; /* what its PSECURITY_DESCRIPTOR points to */
};

/* Where the parts of a descriptor are; NULL means absent. */
struct parts {
    USHORT control;
    const SID *owner;
    const SID *group;
    const ACL *sacl;
    const ACL *dacl;
};

/* ---- reading descriptors ---- */

static const void *at(const void *base, ULONG offset)
{
    return offset == 0 ? NULL : (const UCHAR *)base + offset;
}

static struct parts parts_of(const void *descriptor)
{
    const SECURITY_DESCRIPTOR *absolute = descriptor;
    const struct self_relative *relative = descriptor;
    struct parts parts = {.control = relative->control};
    if ((relative->control & CONTROL_SELF_RELATIVE) != 0) {
        parts.owner = at(descriptor, relative->owner);
        parts.group = at(descriptor, relative->group);
        parts.sacl = at(descriptor, relative->sacl);
        parts.dacl = at(descriptor, relative->dacl);
    } else {
        parts.owner = absolute->Owner;
        parts.group = absolute->Group;
        parts.sacl = absolute->Sacl;
        parts.dacl = absolute->Dacl;
    }
    parts.sacl = (parts.control & CONTROL_SACL_PRESENT) != 0 ? parts.sacl : NULL;
    parts.dacl = (parts.control & CONTROL_DACL_PRESENT) != 0 ? parts.dacl : NULL;
    return parts;
}

static ULONG sid_bytes(const SID *sid)
{
    return sid == NULL ? 0 : SID_HEADER_BYTES + sid->SubAuthorityCount * sizeof(ULONG);
}

static bool is_sid_valid(const SID *sid)
{
    return sid == NULL ||
           (sid->Revision == SID_REVISION && sid->SubAuthorityCount <= SID_MAX_SUB_AUTHORITIES);
}

static bool has_sid(const struct entry *entry)
{
    return entry->type == ENTRY_ALLOWED || entry->type == ENTRY_DENIED;
}

static bool is_entry_valid(const struct entry *entry, ULONG bytes_left)
{
    if (bytes_left < ENTRY_HEADER_BYTES || entry->bytes < ENTRY_HEADER_BYTES ||
        entry->bytes > bytes_left) {
        return false;
    }
    if (!has_sid(entry)) {
        return true;
    }
    return entry->bytes >= ENTRY_SID_OFFSET + SID_HEADER_BYTES && is_sid_valid(&entry->sid) &&
           entry->bytes >= ENTRY_SID_OFFSET + sid_bytes(&entry->sid);
}

static const struct entry *first_entry(const ACL *acl)
{
    return (const struct entry *)(const void *)(acl + 1);
}

static const struct entry *next_entry(const struct entry *entry)
{
    return (const struct entry *)(const void *)((const UCHAR *)entry + entry->bytes);
}

static bool is_acl_valid(const ACL *acl)
{
    if (acl == NULL) {
        return true;
    }
    if (acl->AclRevision < ACL_REVISION_LOWEST || acl->AclRevision > ACL_REVISION_HIGHEST ||
        acl->AclSize < sizeof(*acl)) {
        return false;
    }
    ULONG bytes_left = acl->AclSize - sizeof(*acl);
    const struct entry *entry = first_entry(acl);
    for (USHORT i = 0; i < acl->AceCount; i++) {
        if (!is_entry_valid(entry, bytes_left)) {
            return false;
        }
        bytes_left -= entry->bytes;
        entry = next_entry(entry);
    }
    return true;
}

static bool is_valid(const void *descriptor)
{
    const struct self_relative *header = descriptor;
    if (header == NULL || header->revision != SECURITY_DESCRIPTOR_REVISION) {
        return false;
    }
    struct parts parts = parts_of(descriptor);
    return is_sid_valid(parts.owner) && is_sid_valid(parts.group) && is_acl_valid(parts.sacl) &&
           is_acl_valid(parts.dacl);
}

/* ---- the cache ---- */

static ULONG acl_bytes(const ACL *acl)
{
    return acl == NULL ? 0 : acl->AclSize;
}

/* Room for a part of the copy. */
static ULONG padded(ULONG bytes)
{
    return (bytes + 3) & ~3UL;
}

static ULONG copy_part(struct self_relative *copy, ULONG *end, const void *part, ULONG bytes)
{
    ULONG offset = *end;
    if (part == NULL) {
        return 0;
    }
    RtlCopyMemory((UCHAR *)copy + offset, part, bytes);
    *end += padded(bytes);
    return offset;
}

static struct cached *copy_of(const void *descriptor)
{
    struct parts parts = parts_of(descriptor);
    ULONG end = sizeof(struct self_relative);
    SIZE_T bytes = end + padded(sid_bytes(parts.owner)) + padded(sid_bytes(parts.group)) +
                   padded(acl_bytes(parts.sacl)) + padded(acl_bytes(parts.dacl));
    struct cached *cached = calloc(1, FIELD_OFFSET(struct cached, descriptor) + bytes);
    if (cached == NULL) {
        return NULL;
    }
    struct self_relative *copy = &cached->descriptor;
    copy->revision = SECURITY_DESCRIPTOR_REVISION;
    copy->control = parts.control | CONTROL_SELF_RELATIVE;
    copy->owner = copy_part(copy, &end, parts.owner, sid_bytes(parts.owner));
    copy->group = copy_part(copy, &end, parts.group, sid_bytes(parts.group));
    copy->sacl = copy_part(copy, &end, parts.sacl, acl_bytes(parts.sacl));
    copy->dacl = copy_part(copy, &end, parts.dacl, acl_bytes(parts.dacl));
    return cached;
}

static struct wsk_securities *lock(void)
{
    struct wsk_securities *securities = &wsk_state()->securities;
    base_mutex_lock(&securities->lock);
    return securities;
}

static void unlock(struct wsk_securities *securities)
{
    base_mutex_unlock(&securities->lock);
}

/* The copy at that address, or NULL; nothing is read there. The lock is held. */
static struct cached *find(const struct wsk_securities *securities, const void *address)
{
    for (LIST_ENTRY *entry = securities->all.Flink; entry != &securities->all;
         entry = entry->Flink) {
        struct cached *cached = CONTAINING_RECORD(entry, struct cached, link);
        if (&cached->descriptor == address) {
            return cached;
        }
    }
    return NULL;
}

/* The lock is held. */
static void free_if_unused(struct cached *cached)
{
    if (cached->handed_out == 0 && cached->references == 0) {
        RemoveEntryList(&cached->link);
        free(cached);
    }
}

NTSTATUS wsk_security_cache(const VOID *descriptor, const void *creator, PSECURITY_DESCRIPTOR *out)
{
    if (!is_valid(descriptor)) {
        return STATUS_INVALID_SECURITY_DESCR;
    }
    struct cached *cached = copy_of(descriptor);
    if (cached == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    cached->handed_out = 1;
    cached->creator = creator;
    cached->left_rule = "WSK-CTL-24";
    struct wsk_securities *securities = lock();
    InsertTailList(&securities->all, &cached->link);
    unlock(securities);
    *out = &cached->descriptor;
    return STATUS_SUCCESS;
}

static _Noreturn void stop_for_release(const void *address, const char *rule, const char *how)
{
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)address, 0, 0, rule,
                "The driver released the security descriptor %p by WSK_RELEASE_SD, %s.", address,
                how);
}

void wsk_security_release(PSECURITY_DESCRIPTOR address)
{
    struct wsk_securities *securities = lock();
    struct cached *cached = find(securities, address);
    bool is_known = cached != NULL;
    bool is_had = is_known && cached->handed_out != 0;
    bool is_named = is_had && cached->handed_out == 1 && cached->requests != 0;
    const char *rule = is_named ? cached->rule : NULL;
    if (is_had && !is_named) {
        cached->handed_out--;
        free_if_unused(cached);
    }
    unlock(securities);
    if (!is_known) {
        stop_for_release(address, "WSK-CTL-26", "which is no cached one, or was released already");
    }
    if (!is_had) {
        stop_for_release(address, "WSK-SEC-05", "which it had released already");
    }
    if (is_named) {
        stop_for_release(address, rule,
                         "while an IRP with which it was given to WSK has not completed");
    }
}

/* A descriptor that is present and grants nothing. */
static const struct {
    struct self_relative header;
    ACL dacl;
} nobody = {
    .header = {.revision = SECURITY_DESCRIPTOR_REVISION,
               .control = CONTROL_SELF_RELATIVE | CONTROL_DACL_PRESENT,
               .dacl = sizeof(struct self_relative)},
    .dacl = {.AclRevision = ACL_REVISION, .AclSize = sizeof(ACL)},
};

NTSTATUS wsk_security_hand_out(PSECURITY_DESCRIPTOR address, const void *creator,
                               PSECURITY_DESCRIPTOR *out)
{
    bool is_default = address == NULL;
    NTSTATUS status = is_default ? wsk_security_cache(&nobody, creator, &address) : STATUS_SUCCESS;
    if (!NT_SUCCESS(status)) {
        return status;
    }
    struct wsk_securities *securities = lock();
    struct cached *cached = find(securities, address);
    cached->handed_out += is_default ? 0 : 1;
    cached->creator = creator;
    cached->left_rule = "WSK-OPT-31";
    unlock(securities);
    *out = address;
    return STATUS_SUCCESS;
}

PSECURITY_DESCRIPTOR wsk_security_take(PSECURITY_DESCRIPTOR address, const char *function,
                                       const char *rule)
{
    if (address == NULL) {
        return NULL;
    }
    struct wsk_securities *securities = lock();
    struct cached *cached = find(securities, address);
    bool is_had = cached != NULL && cached->handed_out != 0;
    if (is_had) {
        cached->references++;
    }
    unlock(securities);
    if (!is_had) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)address, 0, 0,
                    rule,
                    "The driver gave %s the security descriptor %p, which is no copy made by "
                    "WSK_CACHE_SD, or was released.",
                    function, address);
    }
    return address;
}

void wsk_security_drop(PSECURITY_DESCRIPTOR address)
{
    if (address == NULL) {
        return;
    }
    struct wsk_securities *securities = lock();
    struct cached *cached = find(securities, address);
    cached->references--;
    free_if_unused(cached);
    unlock(securities);
}

/* ---- sockets ---- */

/* An IRP names the descriptor of the socket; see wsk_security_settle. */
static void name(struct wsk_socket *socket, const char *rule)
{
    struct wsk_securities *securities = lock();
    struct cached *cached = find(securities, socket->security);
    cached->requests++;
    cached->rule = rule;
    atomic_store(&socket->is_security_named, true);
    unlock(securities);
}

void wsk_security_settle_named(struct wsk_socket *socket)
{
    struct wsk_securities *securities = lock();
    if (atomic_exchange(&socket->is_security_named, false)) {
        find(securities, socket->security)->requests--;
    }
    unlock(securities);
}

static PEPROCESS subject_of(const struct wsk_socket_request *request)
{
    if (request->thread != NULL) {
        return ps_thread_identity(request->thread);
    }
    return request->process != NULL ? request->process : PsGetCurrentProcess();
}

void wsk_security_attach(struct wsk_socket *socket, const struct wsk_socket_request *request)
{
    socket->security =
        wsk_security_take(request->security, "WskSocket or WskSocketConnect", "WSK-SOCK-20");
    if (socket->security != NULL) {
        bool is_connect = request->rules == &wsk_socket_connect_rules;
        name(socket, is_connect ? "WSK-SOCK-49" : "WSK-SOCK-21");
    }
    socket->process = subject_of(request);
    ObReferenceObject(socket->process);
}

/* The socket goes that had it: what the driver was handed remains the driver's. */
static void note_close(PSECURITY_DESCRIPTOR address)
{
    if (address == NULL) {
        return;
    }
    struct wsk_securities *securities = lock();
    struct cached *cached = find(securities, address);
    if (cached->handed_out != 0 && strcmp(cached->left_rule, "WSK-CTL-24") == 0) {
        cached->left_rule = "WSK-CLOSE-18";
    }
    unlock(securities);
}

void wsk_security_detach(struct wsk_socket *socket)
{
    wsk_security_settle(socket);
    note_close(socket->security);
    wsk_security_drop(socket->security);
    ObDereferenceObject(socket->process);
}

void wsk_security_replace(struct wsk_socket *socket, PSECURITY_DESCRIPTOR address,
                          const char *function)
{
    PSECURITY_DESCRIPTOR replaced = socket->security;
    PSECURITY_DESCRIPTOR taken = wsk_security_take(address, function, "WSK-OPT-29");
    wsk_security_settle(socket);
    socket->security = taken;
    if (taken != NULL) {
        name(socket, "WSK-SEC-06");
    }
    wsk_security_drop(replaced);
}

/* ---- access ---- */

/* The rights of an entry without generic ones. */
static ACCESS_MASK rights_of(const struct entry *entry)
{
    ACCESS_MASK mask = entry->mask;
    mask |= (mask & GENERIC_READ) != 0 ? FILE_GENERIC_READ : 0;
    mask |= (mask & GENERIC_WRITE) != 0 ? FILE_GENERIC_WRITE : 0;
    mask |= (mask & GENERIC_EXECUTE) != 0 ? FILE_GENERIC_EXECUTE : 0;
    mask |= (mask & GENERIC_ALL) != 0 ? FILE_ALL_ACCESS : 0;
    return mask;
}

static bool applies(const struct entry *entry, PEPROCESS subject)
{
    return has_sid(entry) && (entry->flags & ENTRY_INHERIT_ONLY) == 0 &&
           ps_process_is(subject, &entry->sid);
}

/* In the order of the entries; a right that one entry granted is not taken back by a later one. */
static bool list_allows(const ACL *acl, PEPROCESS subject, ACCESS_MASK missing)
{
    const struct entry *entry = first_entry(acl);
    for (USHORT i = 0; i < acl->AceCount && missing != 0; i++, entry = next_entry(entry)) {
        ACCESS_MASK concerned = applies(entry, subject) ? rights_of(entry) & missing : 0;
        if (concerned != 0 && entry->type == ENTRY_DENIED) {
            return false;
        }
        missing &= ~concerned;
    }
    return missing == 0;
}

bool wsk_security_allows(PSECURITY_DESCRIPTOR descriptor, PEPROCESS subject)
{
    if (descriptor == NULL) {
        return false;
    }
    struct parts parts = parts_of(descriptor);
    if (parts.dacl == NULL) {
        return true;
    }
    ACCESS_MASK of_owner =
        parts.owner != NULL && ps_process_is(subject, parts.owner) ? READ_CONTROL | WRITE_DAC : 0;
    return list_allows(parts.dacl, subject, RIGHTS_TO_SHARE & ~of_owner);
}

/* ---- the module ---- */

void wsk_securities_start(struct wsk_securities *securities)
{
    base_mutex_init(&securities->lock);
    InitializeListHead(&securities->all);
}

unsigned wsk_securities_report(struct wsk_securities *securities)
{
    unsigned left = 0;
    for (LIST_ENTRY *entry = securities->all.Flink; entry != &securities->all;
         entry = entry->Flink) {
        const struct cached *cached = CONTAINING_RECORD(entry, struct cached, link);
        if (cached->handed_out != 0) {
            verifier_rule_speak(cached->left_rule);
            base_log("left: security descriptor %p, cached for the driver and not released %u "
                     "times (%s), made by %s\n",
                     (const void *)&cached->descriptor, cached->handed_out, cached->left_rule,
                     base_stack_site(cached->creator).text);
            left++;
        }
    }
    return left;
}

void wsk_securities_stop(struct wsk_securities *securities)
{
    while (!IsListEmpty(&securities->all)) {
        free(CONTAINING_RECORD(RemoveHeadList(&securities->all), struct cached, link));
    }
    base_mutex_destroy(&securities->lock);
}
