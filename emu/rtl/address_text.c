/*
 * Internet and Ethernet addresses and their text.
 *
 * Texts are composed narrow and then widened; they are read through a reader that knows both
 * widths, and that stands, when a parse ends, on the first character not consumed: that is the
 * Terminator. A refused text leaves the address alone, except in the Ex functions, which store an
 * address that was good even when what follows it was not.
 */
#include <wdm.h>
#include <ntstrsafe.h>
#include <ip2string.h>
#include <netiodef.h>

#define IPV4_TEXT_BYTES 16
#define IPV6_TEXT_BYTES 46
#define ETHERNET_TEXT_BYTES 18
#define EX_TEXT_BYTES 66 /* [address%4294967295]:65535 */
#define GROUPS 8
#define NO_GAP GROUPS

/* ---- writing ---- */

static VOID compose_ipv4(const UCHAR *bytes, CHAR text[IPV4_TEXT_BYTES])
{
    RtlStringCbPrintfA(text, IPV4_TEXT_BYTES, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2],
                       bytes[3]);
}

static USHORT group_of(const UCHAR *bytes, ULONG index)
{
    return (USHORT)(bytes[2 * index] << 8 | bytes[2 * index + 1]);
}

static BOOLEAN are_zero(const UCHAR *bytes, ULONG count)
{
    return RtlIsZeroMemory((PVOID)(ULONG_PTR)bytes, count);
}

/* Whether the last 32 bits are an IPv4 address: compatible, mapped, translated or ISATAP. */
static BOOLEAN embeds_ipv4(const UCHAR *bytes)
{
    USHORT fourth = group_of(bytes, 4);
    USHORT fifth = group_of(bytes, 5);
    if (fifth == 0x5EFE && (fourth & ~0x0200) == 0) {
        return TRUE;
    }
    if (!are_zero(bytes, 8) || group_of(bytes, 6) == 0) {
        return FALSE;
    }
    return (fourth == 0 && (fifth == 0 || fifth == 0xFFFF)) || (fourth == 0xFFFF && fifth == 0);
}

/* The longest run of at least two zero groups, the first of several; its length is 0 if there is
 * none. */
static ULONG find_zero_run(const UCHAR *bytes, ULONG group_count, ULONG *length)
{
    ULONG best = 0;
    *length = 0;
    for (ULONG start = 0; start < group_count; start++) {
        ULONG run = 0;
        while (start + run < group_count && group_of(bytes, start + run) == 0) {
            run++;
        }
        if (run >= 2 && run > *length) {
            best = start;
            *length = run;
        }
    }
    return best;
}

static VOID compose_ipv6(const UCHAR *bytes, CHAR text[IPV6_TEXT_BYTES])
{
    BOOLEAN dotted = embeds_ipv4(bytes);
    ULONG group_count = dotted ? 6 : GROUPS;
    ULONG run_length;
    ULONG run = find_zero_run(bytes, group_count, &run_length);
    PSTR end = text;
    size_t room = IPV6_TEXT_BYTES;
    for (ULONG index = 0; index < group_count; index++) {
        if (run_length != 0 && index == run) {
            RtlStringCbPrintfExA(end, room, &end, &room, 0, "::");
            index += run_length - 1;
            continue;
        }
        BOOLEAN first = index == 0 || (run_length != 0 && index == run + run_length);
        RtlStringCbPrintfExA(end, room, &end, &room, 0, "%s%x", first ? "" : ":",
                             group_of(bytes, index));
    }
    if (dotted) {
        CHAR ipv4[IPV4_TEXT_BYTES];
        compose_ipv4(bytes + 12, ipv4);
        BOOLEAN after_run = run_length != 0 && run + run_length == group_count;
        RtlStringCbPrintfExA(end, room, &end, &room, 0, "%s%s", after_run ? "" : ":", ipv4);
    }
}

static PSTR put_narrow(const CHAR *text, PSTR out)
{
    if (out == NULL) {
        return (PSTR) ~(ULONG_PTR)0;
    }
    SIZE_T length = strlen(text);
    RtlCopyMemory(out, text, length + 1);
    return out + length;
}

static PWSTR put_wide(const CHAR *text, PWSTR out)
{
    if (out == NULL) {
        return (PWSTR) ~(ULONG_PTR)0;
    }
    while (*text != 0) {
        *out++ = (WCHAR)*text++;
    }
    *out = 0;
    return out;
}

/* Checks the room of an Ex function, and says how much the text needs. RTL-89. */
static NTSTATUS check_length(const CHAR *text, const VOID *out, PULONG length)
{
    if (out == NULL || length == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    ULONG needed = (ULONG)strlen(text) + 1;
    BOOLEAN fits = *length >= needed;
    *length = needed;
    return fits ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

static NTSTATUS put_narrow_checked(const CHAR *text, PSTR out, PULONG length)
{
    NTSTATUS status = check_length(text, out, length);
    if (NT_SUCCESS(status)) {
        put_narrow(text, out);
    }
    return status;
}

static NTSTATUS put_wide_checked(const CHAR *text, PWSTR out, PULONG length)
{
    NTSTATUS status = check_length(text, out, length);
    if (NT_SUCCESS(status)) {
        put_wide(text, out);
    }
    return status;
}

/* a.b.c.d, and :port unless it is 0. RTL-87. */
static NTSTATUS compose_ipv4_ex(const IN_ADDR *address, USHORT port, CHAR text[EX_TEXT_BYTES])
{
    CHAR plain[IPV4_TEXT_BYTES];
    if (address == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    compose_ipv4((const UCHAR *)address, plain);
    if (port == 0) {
        return RtlStringCbCopyA(text, EX_TEXT_BYTES, plain);
    }
    return RtlStringCbPrintfA(text, EX_TEXT_BYTES, "%s:%u", plain, RtlUshortByteSwap(port));
}

/* address%scope, and [...]:port around it unless port is 0. RTL-88. */
static NTSTATUS compose_ipv6_ex(const IN6_ADDR *address, ULONG scope, USHORT port,
                                CHAR text[EX_TEXT_BYTES])
{
    CHAR plain[IPV6_TEXT_BYTES];
    CHAR scope_text[12] = "";
    if (address == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    compose_ipv6((const UCHAR *)address, plain);
    if (scope != 0) {
        RtlStringCbPrintfA(scope_text, sizeof(scope_text), "%%%u", scope);
    }
    if (port == 0) {
        return RtlStringCbPrintfA(text, EX_TEXT_BYTES, "%s%s", plain, scope_text);
    }
    return RtlStringCbPrintfA(text, EX_TEXT_BYTES, "[%s%s]:%u", plain, scope_text,
                              RtlUshortByteSwap(port));
}

/* Writes dotted decimal text of at most 16 characters; returns its end. Rule RTL-85. */
PSTR RtlIpv4AddressToStringA(const IN_ADDR *Addr, PSTR S)
{
    CHAR text[IPV4_TEXT_BYTES];
    compose_ipv4((const UCHAR *)Addr, text);
    return put_narrow(text, S);
}

/* As RtlIpv4AddressToStringA. */
PWSTR RtlIpv4AddressToStringW(const IN_ADDR *Addr, PWSTR S)
{
    CHAR text[IPV4_TEXT_BYTES];
    compose_ipv4((const UCHAR *)Addr, text);
    return put_wide(text, S);
}

/* Writes address and port (network order); the length counts characters with the null.
 * STATUS_SUCCESS or STATUS_INVALID_PARAMETER, then with the length needed. Rules RTL-87, RTL-89. */
NTSTATUS RtlIpv4AddressToStringExA(const IN_ADDR *Address, USHORT Port, PSTR AddressString,
                                   PULONG AddressStringLength)
{
    CHAR text[EX_TEXT_BYTES];
    NTSTATUS status = compose_ipv4_ex(Address, Port, text);
    return NT_SUCCESS(status) ? put_narrow_checked(text, AddressString, AddressStringLength)
                              : status;
}

/* As RtlIpv4AddressToStringExA. */
NTSTATUS RtlIpv4AddressToStringExW(const IN_ADDR *Address, USHORT Port, PWSTR AddressString,
                                   PULONG AddressStringLength)
{
    CHAR text[EX_TEXT_BYTES];
    NTSTATUS status = compose_ipv4_ex(Address, Port, text);
    return NT_SUCCESS(status) ? put_wide_checked(text, AddressString, AddressStringLength) : status;
}

/* Writes text of at most 46 characters; returns its end. Rule RTL-86. */
PSTR RtlIpv6AddressToStringA(const IN6_ADDR *Addr, PSTR S)
{
    CHAR text[IPV6_TEXT_BYTES];
    compose_ipv6((const UCHAR *)Addr, text);
    return put_narrow(text, S);
}

/* As RtlIpv6AddressToStringA. */
PWSTR RtlIpv6AddressToStringW(const IN6_ADDR *Addr, PWSTR S)
{
    CHAR text[IPV6_TEXT_BYTES];
    compose_ipv6((const UCHAR *)Addr, text);
    return put_wide(text, S);
}

/* Writes address, scope (host order) and port (network order); the rest is as in
 * RtlIpv4AddressToStringExA. Rules RTL-88, RTL-89. */
NTSTATUS RtlIpv6AddressToStringExA(const IN6_ADDR *Address, ULONG ScopeId, USHORT Port,
                                   PSTR AddressString, PULONG AddressStringLength)
{
    CHAR text[EX_TEXT_BYTES];
    NTSTATUS status = compose_ipv6_ex(Address, ScopeId, Port, text);
    return NT_SUCCESS(status) ? put_narrow_checked(text, AddressString, AddressStringLength)
                              : status;
}

/* As RtlIpv6AddressToStringExA. */
NTSTATUS RtlIpv6AddressToStringExW(const IN6_ADDR *Address, ULONG ScopeId, USHORT Port,
                                   PWSTR AddressString, PULONG AddressStringLength)
{
    CHAR text[EX_TEXT_BYTES];
    NTSTATUS status = compose_ipv6_ex(Address, ScopeId, Port, text);
    return NT_SUCCESS(status) ? put_wide_checked(text, AddressString, AddressStringLength) : status;
}

static VOID compose_ethernet(const UCHAR *bytes, CHAR text[ETHERNET_TEXT_BYTES])
{
    RtlStringCbPrintfA(text, ETHERNET_TEXT_BYTES, "%02X-%02X-%02X-%02X-%02X-%02X", bytes[0],
                       bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]);
}

/* Writes six pairs of digits with dashes between, 18 characters; returns its end. */
PSTR RtlEthernetAddressToStringA(const DL_EUI48 *Addr, PSTR S)
{
    CHAR text[ETHERNET_TEXT_BYTES];
    compose_ethernet(Addr->Byte, text);
    return put_narrow(text, S);
}

/* As RtlEthernetAddressToStringA. */
PWSTR RtlEthernetAddressToStringW(const DL_EUI48 *Addr, PWSTR S)
{
    CHAR text[ETHERNET_TEXT_BYTES];
    compose_ethernet(Addr->Byte, text);
    return put_wide(text, S);
}

/* ---- reading ---- */

struct reader {
    const VOID *text;
    SIZE_T position;
    BOOLEAN wide;
};

static WCHAR peek_at(const struct reader *reader, SIZE_T ahead)
{
    return reader->wide ? ((PCWCH)reader->text)[reader->position + ahead]
                        : ((const UCHAR *)reader->text)[reader->position + ahead];
}

static WCHAR peek(const struct reader *reader)
{
    return peek_at(reader, 0);
}

static BOOLEAN skip(struct reader *reader, WCHAR unit)
{
    if (peek(reader) != unit) {
        return FALSE;
    }
    reader->position++;
    return TRUE;
}

static BOOLEAN is_digit(WCHAR unit, ULONG base, ULONG *digit)
{
    if (unit >= '0' && unit <= '9') {
        *digit = unit - '0';
    } else if ((unit | 0x20) >= 'a' && (unit | 0x20) <= 'f') {
        *digit = (ULONG)(unit | 0x20) - 'a' + 10;
    } else {
        return FALSE;
    }
    return *digit < base;
}

/* Reads digits as long as they fit 32 bits. FALSE where there are none or too many. */
static BOOLEAN read_digits(struct reader *reader, ULONG base, ULONG *value)
{
    ULONG digit;
    ULONG64 number = 0;
    SIZE_T start = reader->position;
    while (is_digit(peek(reader), base, &digit)) {
        number = number * base + digit;
        if (number > MAXULONG) {
            return FALSE;
        }
        reader->position++;
    }
    *value = (ULONG)number;
    return reader->position != start;
}

/* Reads a number in C's three notations, or, if strict, in the decimal one. */
static BOOLEAN read_number(struct reader *reader, BOOLEAN strict, ULONG *value)
{
    ULONG digit;
    ULONG base = 10;
    *value = 0;
    if (peek(reader) == '0') {
        if ((peek_at(reader, 1) | 0x20) == 'x') {
            base = 16;
            reader->position += 2;
        } else if (is_digit(peek_at(reader, 1), 10, &digit)) {
            base = 8;
            reader->position++;
        }
    }
    return !(strict && base != 10) && read_digits(reader, base, value);
}

/* RTL-90: one to four parts, the last of which fills what the others leave. */
static BOOLEAN read_ipv4(struct reader *reader, BOOLEAN strict, IN_ADDR *address)
{
    ULONG parts[4];
    ULONG count = 0;
    do {
        if (count == RTL_NUMBER_OF(parts)) {
            reader->position--; /* the dot behind the last part is not consumed */
            return FALSE;
        }
        if (!read_number(reader, strict, &parts[count++])) {
            skip(reader, '.');
            return FALSE;
        }
    } while (skip(reader, '.'));
    if (strict && count != RTL_NUMBER_OF(parts)) {
        return FALSE;
    }
    ULONG value = parts[count - 1];
    if (value > MAXULONG >> 8 * (count - 1)) {
        return FALSE;
    }
    for (ULONG index = 0; index + 1 < count; index++) {
        if (parts[index] > MAXUCHAR) {
            return FALSE;
        }
        value |= parts[index] << (24 - 8 * index);
    }
    address->S_un.S_addr = RtlUlongByteSwap(value);
    return TRUE;
}

struct ipv6 {
    USHORT groups[GROUPS];
    ULONG count;
    ULONG gap; /* groups before the ::, or NO_GAP */
};

/* How many groups may be written: a gap stands for one at least. */
static ULONG group_limit(const struct ipv6 *ipv6)
{
    return ipv6->gap == NO_GAP ? GROUPS : GROUPS - 1;
}

/* Four decimal parts, for the last two groups. */
static BOOLEAN read_dotted(struct reader *reader, struct ipv6 *ipv6)
{
    UCHAR bytes[4];
    for (ULONG index = 0; index < RTL_NUMBER_OF(bytes); index++) {
        ULONG value;
        if ((index != 0 && !skip(reader, '.')) || !read_digits(reader, 10, &value)) {
            return FALSE;
        }
        if (value > MAXUCHAR) {
            return FALSE;
        }
        bytes[index] = (UCHAR)value;
    }
    ipv6->groups[ipv6->count++] = group_of(bytes, 0);
    ipv6->groups[ipv6->count++] = group_of(bytes, 1);
    return TRUE;
}

enum step { STEP_MORE, STEP_END, STEP_ERROR };

/* One group, or the dotted part; the reader stands on a digit. */
static enum step read_group(struct reader *reader, struct ipv6 *ipv6)
{
    ULONG value;
    SIZE_T start = reader->position;
    if (!read_digits(reader, 16, &value) || reader->position - start > 4) {
        return STEP_ERROR;
    }
    if (peek(reader) == '.' && ipv6->count + 2 <= group_limit(ipv6)) {
        reader->position = start;
        return read_dotted(reader, ipv6) ? STEP_END : STEP_ERROR;
    }
    ipv6->groups[ipv6->count++] = (USHORT)value;
    return ipv6->count == group_limit(ipv6) ? STEP_END : STEP_MORE;
}

static BOOLEAN is_gap(const struct reader *reader)
{
    return peek(reader) == ':' && peek_at(reader, 1) == ':';
}

static BOOLEAN read_groups(struct reader *reader, struct ipv6 *ipv6)
{
    ULONG digit;
    BOOLEAN behind_gap = FALSE;
    for (;;) {
        if (ipv6->gap == NO_GAP && is_gap(reader)) {
            ipv6->gap = ipv6->count;
            reader->position += 2;
            behind_gap = TRUE;
        } else if (ipv6->count != 0 && !behind_gap) {
            if (is_gap(reader) || !skip(reader, ':')) {
                return TRUE;
            }
        }
        if (!is_digit(peek(reader), 16, &digit)) {
            return behind_gap;
        }
        if (ipv6->count == group_limit(ipv6)) {
            return TRUE;
        }
        enum step step = read_group(reader, ipv6);
        if (step != STEP_MORE) {
            return step == STEP_END;
        }
        behind_gap = FALSE;
    }
}

static BOOLEAN read_ipv6(struct reader *reader, IN6_ADDR *address)
{
    struct ipv6 ipv6 = {.gap = NO_GAP};
    if (!read_groups(reader, &ipv6) || (ipv6.gap == NO_GAP && ipv6.count != GROUPS)) {
        return FALSE;
    }
    ULONG shift = GROUPS - ipv6.count;
    RtlZeroMemory(address, sizeof(*address));
    for (ULONG index = 0; index < ipv6.count; index++) {
        ULONG place = index < ipv6.gap ? index : index + shift;
        address->u.Word[place] = RtlUshortByteSwap(ipv6.groups[index]);
    }
    return TRUE;
}

static BOOLEAN at_end(const struct reader *reader)
{
    return peek(reader) == 0;
}

static NTSTATUS status_of(BOOLEAN good)
{
    return good ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* RTL-92. */
static NTSTATUS read_ipv4_ex(struct reader reader, BOOLEAN strict, IN_ADDR *address, PUSHORT port)
{
    ULONG number = 0;
    if (reader.text == NULL || address == NULL || port == NULL ||
        !read_ipv4(&reader, strict, address)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (skip(&reader, ':') &&
        (!read_number(&reader, FALSE, &number) || number == 0 || number > MAXUSHORT)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!at_end(&reader)) {
        return STATUS_INVALID_PARAMETER;
    }
    *port = RtlUshortByteSwap(number);
    return STATUS_SUCCESS;
}

/* RTL-93. */
static NTSTATUS read_ipv6_ex(struct reader reader, IN6_ADDR *address, PULONG scope, PUSHORT port)
{
    ULONG scope_number = 0;
    ULONG port_number = 0;
    if (reader.text == NULL || address == NULL || scope == NULL || port == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    BOOLEAN bracket = skip(&reader, '[');
    if (!read_ipv6(&reader, address) ||
        (skip(&reader, '%') && !read_digits(&reader, 10, &scope_number)) ||
        (bracket && !skip(&reader, ']'))) {
        return STATUS_INVALID_PARAMETER;
    }
    if (bracket && skip(&reader, ':') &&
        (!read_number(&reader, FALSE, &port_number) || port_number > MAXUSHORT)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!at_end(&reader)) {
        return STATUS_INVALID_PARAMETER;
    }
    *scope = scope_number;
    *port = RtlUshortByteSwap(port_number);
    return STATUS_SUCCESS;
}

/* Reads dotted text as far as it goes; Strict wants four decimal parts. STATUS_SUCCESS,
 * STATUS_INVALID_PARAMETER. Rules RTL-90, RTL-91. */
NTSTATUS RtlIpv4StringToAddressA(PCSTR S, BOOLEAN Strict, PCSTR *Terminator, IN_ADDR *Addr)
{
    struct reader reader = {S, 0, FALSE};
    BOOLEAN good = read_ipv4(&reader, Strict, Addr);
    *Terminator = S + reader.position;
    return status_of(good);
}

/* As RtlIpv4StringToAddressA. */
NTSTATUS RtlIpv4StringToAddressW(PCWSTR S, BOOLEAN Strict, LPCWSTR *Terminator, IN_ADDR *Addr)
{
    struct reader reader = {S, 0, TRUE};
    BOOLEAN good = read_ipv4(&reader, Strict, Addr);
    *Terminator = S + reader.position;
    return status_of(good);
}

/* Reads the whole text, with :port or without; the port is in network order. Rule RTL-92. */
NTSTATUS RtlIpv4StringToAddressExA(PCSTR AddressString, BOOLEAN Strict, IN_ADDR *Address,
                                   PUSHORT Port)
{
    struct reader reader = {AddressString, 0, FALSE};
    return read_ipv4_ex(reader, Strict, Address, Port);
}

/* As RtlIpv4StringToAddressExA. */
NTSTATUS RtlIpv4StringToAddressExW(PCWSTR AddressString, BOOLEAN Strict, IN_ADDR *Address,
                                   PUSHORT Port)
{
    struct reader reader = {AddressString, 0, TRUE};
    return read_ipv4_ex(reader, Strict, Address, Port);
}

/* Reads the text as far as it goes. STATUS_SUCCESS, STATUS_INVALID_PARAMETER. Rules RTL-91,
 * RTL-95. */
NTSTATUS RtlIpv6StringToAddressA(PCSTR S, PCSTR *Terminator, IN6_ADDR *Addr)
{
    struct reader reader = {S, 0, FALSE};
    BOOLEAN good = read_ipv6(&reader, Addr);
    *Terminator = S + reader.position;
    return status_of(good);
}

/* As RtlIpv6StringToAddressA. */
NTSTATUS RtlIpv6StringToAddressW(PCWSTR S, PCWSTR *Terminator, IN6_ADDR *Addr)
{
    struct reader reader = {S, 0, TRUE};
    BOOLEAN good = read_ipv6(&reader, Addr);
    *Terminator = S + reader.position;
    return status_of(good);
}

/* Reads the whole text: an address, address%scope or [address%scope]:port; the scope is in host
 * order, the port in network order. Rule RTL-93. */
NTSTATUS RtlIpv6StringToAddressExA(PCSTR AddressString, IN6_ADDR *Address, PULONG ScopeId,
                                   PUSHORT Port)
{
    struct reader reader = {AddressString, 0, FALSE};
    return read_ipv6_ex(reader, Address, ScopeId, Port);
}

/* As RtlIpv6StringToAddressExA. */
NTSTATUS RtlIpv6StringToAddressExW(PCWSTR AddressString, IN6_ADDR *Address, PULONG ScopeId,
                                   PUSHORT Port)
{
    struct reader reader = {AddressString, 0, TRUE};
    return read_ipv6_ex(reader, Address, ScopeId, Port);
}

/* Six pairs of digits with a dash between them. */
static BOOLEAN read_ethernet(struct reader *reader, DL_EUI48 *address)
{
    DL_EUI48 read;
    for (ULONG index = 0; index < sizeof(read.Byte); index++) {
        ULONG high, low;
        if ((index != 0 && !skip(reader, '-')) || !is_digit(peek(reader), 16, &high) ||
            !is_digit(peek_at(reader, 1), 16, &low)) {
            return FALSE;
        }
        read.Byte[index] = (UCHAR)(high * 16 + low);
        reader->position += 2;
    }
    *address = read;
    return TRUE;
}

/* Reads the text as far as it goes. STATUS_SUCCESS, STATUS_INVALID_PARAMETER. */
NTSTATUS RtlEthernetStringToAddressA(PCSTR S, PCSTR *Terminator, DL_EUI48 *Addr)
{
    struct reader reader = {S, 0, FALSE};
    BOOLEAN good = read_ethernet(&reader, Addr);
    *Terminator = S + reader.position;
    return status_of(good);
}

/* As RtlEthernetStringToAddressA. */
NTSTATUS RtlEthernetStringToAddressW(PCWSTR S, LPCWSTR *Terminator, DL_EUI48 *Addr)
{
    struct reader reader = {S, 0, TRUE};
    BOOLEAN good = read_ethernet(&reader, Addr);
    *Terminator = S + reader.position;
    return status_of(good);
}
