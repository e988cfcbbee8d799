#include "wsk_names.h"

#include <wskemu/network.h>

UNICODE_STRING string_of(PCWSTR text)
{
    UNICODE_STRING string;
    RtlInitUnicodeString(&string, text);
    return string;
}

void open_names(struct names *names)
{
    assert_int_equal(open_wsk(&names->end), STATUS_SUCCESS);
    names->list = (PADDRINFOEXW)(ULONG_PTR)1;
}

NTSTATUS begin_find(struct names *names, PCWSTR node, PCWSTR service, ULONG name_space,
                    GUID *provider, const ADDRINFOEXW *hints, struct wsk_call *call)
{
    UNICODE_STRING node_string = string_of(node);
    UNICODE_STRING service_string = string_of(service);
    ADDRINFOEXW copy;
    if (hints != NULL) {
        copy = *hints;
    }
    return names->end.provider.Dispatch->WskGetAddressInfo(
        names->end.provider.Client, node == NULL ? NULL : &node_string,
        service == NULL ? NULL : &service_string, name_space, provider,
        hints == NULL ? NULL : &copy, &names->list, NULL, NULL, call_irp(call));
}

NTSTATUS find(struct names *names, PCWSTR node, PCWSTR service, const ADDRINFOEXW *hints)
{
    NTSTATUS returned = begin_find(names, node, service, NS_ALL, NULL, hints, &names->end.call);
    return call_wait(&names->end.call, returned);
}

void free_list(struct names *names)
{
    names->end.provider.Dispatch->WskFreeAddressInfo(names->end.provider.Client, names->list);
}

void close_names(struct names *names)
{
    close_wsk(&names->end);
}

SOCKADDR_INET ipv4(UCHAR a, UCHAR b, UCHAR c, UCHAR d, USHORT port)
{
    SOCKADDR_INET address = any_address(AF_INET, port);
    address.Ipv4.sin_addr.S_un.S_un_b.s_b1 = a;
    address.Ipv4.sin_addr.S_un.S_un_b.s_b2 = b;
    address.Ipv4.sin_addr.S_un.S_un_b.s_b3 = c;
    address.Ipv4.sin_addr.S_un.S_un_b.s_b4 = d;
    return address;
}

SOCKADDR_INET ipv6(UCHAR last, USHORT port)
{
    SOCKADDR_INET address = any_address(AF_INET6, port);
    address.Ipv6.sin6_addr.u.Byte[0] = 0x20;
    address.Ipv6.sin6_addr.u.Byte[1] = 0x01;
    address.Ipv6.sin6_addr.u.Byte[2] = 0x0D;
    address.Ipv6.sin6_addr.u.Byte[3] = 0xB8;
    address.Ipv6.sin6_addr.u.Byte[15] = last;
    return address;
}

void add_name(const char *name, SOCKADDR_INET address)
{
    assert_int_equal(wskemu_name_add(name, (const SOCKADDR *)&address), STATUS_SUCCESS);
}

void expect_text(PCWSTR found, PCWSTR wanted)
{
    UNICODE_STRING left = string_of(found);
    UNICODE_STRING right = string_of(wanted);
    assert_non_null(found);
    assert_int_equal(left.Length, right.Length);
    assert_memory_equal(left.Buffer, right.Buffer, left.Length);
}
