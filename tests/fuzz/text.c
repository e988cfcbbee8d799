/*
 * libFuzzer target for the functions that read text: addresses, numbers, GUIDs, encodings. What
 * they accept must be written again as a text that means the same.
 */
#include <wdm.h>
#include <ip2string.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BYTES_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fuzz_text: %s\n", what);
        abort();
    }
}

static void read_ipv4(PCSTR text)
{
    IN_ADDR address;
    IN_ADDR again;
    USHORT port;
    PCSTR end;
    CHAR written[16];
    for (BOOLEAN strict = FALSE; strict <= TRUE; strict++) {
        NTSTATUS status = RtlIpv4StringToAddressA(text, strict, &end, &address);
        check(end >= text && end <= text + strlen(text), "IPv4 terminator outside of the text");
        RtlIpv4StringToAddressExA(text, strict, &again, &port);
        if (NT_SUCCESS(status)) {
            RtlIpv4AddressToStringA(&address, written);
            status = RtlIpv4StringToAddressA(written, TRUE, &end, &again);
            check(status == STATUS_SUCCESS && again.s_addr == address.s_addr, "IPv4 round trip");
        }
    }
}

static void read_ipv6(PCSTR text)
{
    IN6_ADDR address;
    IN6_ADDR again;
    ULONG scope;
    USHORT port;
    PCSTR end;
    CHAR written[66];
    NTSTATUS status = RtlIpv6StringToAddressA(text, &end, &address);
    check(end >= text && end <= text + strlen(text), "IPv6 terminator outside of the text");
    if (NT_SUCCESS(status)) {
        RtlIpv6AddressToStringA(&address, written);
        status = RtlIpv6StringToAddressA(written, &end, &again);
        check(status == STATUS_SUCCESS && RtlEqualMemory(&again, &address, sizeof(again)) &&
                  *end == 0,
              "IPv6 round trip");
    }
    if (NT_SUCCESS(RtlIpv6StringToAddressExA(text, &address, &scope, &port))) {
        ULONG length = sizeof(written);
        ULONG scope_again;
        USHORT port_again;
        status = RtlIpv6AddressToStringExA(&address, scope, port, written, &length);
        check(status == STATUS_SUCCESS, "IPv6 text longer than promised");
        status = RtlIpv6StringToAddressExA(written, &again, &scope_again, &port_again);
        check(status == STATUS_SUCCESS && scope_again == scope && port_again == port &&
                  RtlEqualMemory(&again, &address, sizeof(again)),
              "IPv6 round trip with scope and port");
    }
}

static void read_numbers(PCSTR text, PWCHAR wide, USHORT bytes)
{
    static const ULONG bases[] = {0, 2, 8, 10, 16, 7};
    UNICODE_STRING string = {bytes, bytes, wide};
    GUID guid;
    LONG64 large;
    PWSTR end;
    for (ULONG index = 0; index < RTL_NUMBER_OF(bases); index++) {
        ULONG value;
        RtlCharToInteger(text, bases[index], &value);
        RtlUnicodeStringToInteger(&string, bases[index], &value);
        RtlUnicodeStringToInt64(&string, bases[index], &large, &end);
    }
    RtlGUIDFromString(&string, &guid);
}

static void convert(const uint8_t *data, ULONG size)
{
    WCHAR wide[BYTES_MAX];
    CHAR narrow[3 * BYTES_MAX];
    WCHAR again[3 * BYTES_MAX];
    ULONG needed;
    ULONG wide_bytes;
    ULONG narrow_bytes;
    ULONG again_bytes;
    RtlUTF8ToUnicodeN(NULL, 0, &needed, (PCCH)data, size);
    RtlUTF8ToUnicodeN(wide, sizeof(wide), &wide_bytes, (PCCH)data, size);
    check(needed == wide_bytes, "UTF-8 needs another size than it takes");
    NTSTATUS status = RtlUnicodeToUTF8N(narrow, sizeof(narrow), &narrow_bytes, wide, wide_bytes);
    check(status == STATUS_SUCCESS, "what UTF-8 gave is not mapped back");
    status = RtlUTF8ToUnicodeN(again, sizeof(again), &again_bytes, narrow, narrow_bytes);
    check(status == STATUS_SUCCESS && again_bytes == wide_bytes &&
              RtlEqualMemory(again, wide, wide_bytes),
          "UTF-8 round trip");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CHAR text[BYTES_MAX + 1];
    WCHAR wide[BYTES_MAX + 1];
    if (size > BYTES_MAX) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = 0;
    for (size_t index = 0; index <= size; index++) {
        wide[index] = (UCHAR)text[index];
    }
    read_ipv4(text);
    read_ipv6(text);
    read_numbers(text, wide, (USHORT)(size * sizeof(WCHAR)));
    convert(data, (ULONG)size);
    return 0;
}
