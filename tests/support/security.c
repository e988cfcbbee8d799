#include "security.h"

#define AUTHORITY(value)                                                                           \
    {                                                                                              \
        0, 0, 0, 0, 0, value                                                                       \
    }

const struct test_sid sid_everyone = {1, 1, AUTHORITY(1), {0}};
const struct test_sid sid_system = {1, 1, AUTHORITY(5), {18}};
const struct test_sid sid_administrators = {1, 2, AUTHORITY(5), {32, 544}};
const struct test_sid sid_users = {1, 2, AUTHORITY(5), {32, 545}};
const struct test_sid sid_guests = {1, 2, AUTHORITY(5), {32, 546}};

#define HEADER_BYTES 20

static USHORT sid_bytes(const struct test_sid *sid)
{
    return (USHORT)(FIELD_OFFSET(struct test_sid, parts) + sid->count * sizeof(ULONG));
}

USHORT write_acl(void *memory, const struct test_entry *entries, USHORT count)
{
    UCHAR *next = (UCHAR *)memory + sizeof(ACL);
    for (USHORT i = 0; i < count; i++) {
        USHORT bytes = (USHORT)(8 + sid_bytes(entries[i].sid));
        next[0] = entries[i].type;
        next[1] = entries[i].flags;
        RtlCopyMemory(next + 2, &bytes, sizeof(bytes));
        RtlCopyMemory(next + 4, &entries[i].mask, sizeof(ACCESS_MASK));
        RtlCopyMemory(next + 8, entries[i].sid, sid_bytes(entries[i].sid));
        next += bytes;
    }
    USHORT bytes = (USHORT)(next - (UCHAR *)memory);
    *(ACL *)memory = (ACL){.AclRevision = ACL_REVISION, .AclSize = bytes, .AceCount = count};
    return bytes;
}

void describe(struct test_descriptor *descriptor, const struct test_sid *owner,
              const struct test_entry *entries, USHORT count)
{
    ULONG offsets[4] = {0}; /* owner, group, SACL, DACL */
    ULONG end = HEADER_BYTES;
    RtlZeroMemory(descriptor, sizeof(*descriptor));
    if (owner != NULL) {
        offsets[0] = end;
        RtlCopyMemory(descriptor->bytes + end, owner, sid_bytes(owner));
        end += sid_bytes(owner);
    }
    offsets[3] = end;
    write_acl(descriptor->bytes + end, entries, count);
    USHORT control = CONTROL_DACL_PRESENT | CONTROL_SELF_RELATIVE;
    descriptor->bytes[0] = SECURITY_DESCRIPTOR_REVISION;
    RtlCopyMemory(descriptor->bytes + 2, &control, sizeof(control));
    RtlCopyMemory(descriptor->bytes + 4, offsets, sizeof(offsets));
}

NTSTATUS cache_descriptor(struct wsk_end *end, const void *descriptor, PSECURITY_DESCRIPTOR *cached)
{
    PSECURITY_DESCRIPTOR uncached = (PVOID)(ULONG_PTR)descriptor;
    return control_client(end, WSK_CACHE_SD, &uncached, sizeof(uncached), cached, sizeof(*cached),
                          NULL);
}

NTSTATUS release_descriptor(struct wsk_end *end, PSECURITY_DESCRIPTOR cached)
{
    return control_client(end, WSK_RELEASE_SD, &cached, sizeof(cached), NULL, 0, NULL);
}

PSECURITY_DESCRIPTOR cached_grant(struct wsk_end *end, const struct test_sid *sid, ACCESS_MASK mask)
{
    struct test_entry entry = {ENTRY_ALLOW, 0, mask, sid};
    struct test_descriptor descriptor;
    PSECURITY_DESCRIPTOR cached = NULL;
    describe(&descriptor, NULL, &entry, 1);
    return NT_SUCCESS(cache_descriptor(end, &descriptor, &cached)) ? cached : NULL;
}

PWSK_SOCKET make_owned(struct wsk_end *end, ULONG category, const struct test_owner *owner)
{
    bool is_datagram = category == WSK_FLAG_DATAGRAM_SOCKET;
    NTSTATUS status = call_wait(
        &end->call, end->provider.Dispatch->WskSocket(
                        end->provider.Client, AF_INET, is_datagram ? SOCK_DGRAM : SOCK_STREAM,
                        is_datagram ? IPPROTO_UDP : IPPROTO_TCP, category, NULL, NULL,
                        owner->process, owner->thread, owner->security, call_irp(&end->call)));
    if (!NT_SUCCESS(status)) {
        return NULL;
    }
    PWSK_SOCKET socket = (PWSK_SOCKET)call_information(&end->call);
    learn_socket(category, socket);
    return socket;
}
