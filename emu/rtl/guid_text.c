/* GUIDs as text: {00112233-4455-6677-8899-aabbccddeeff}. */
#include <wdm.h>
#include <ntstrsafe.h>

#include "rtl/string_memory.h"
#include "rtl/level.h"

#define GUID_CHARACTERS 38

/* Makes the text in pool for RtlFreeUnicodeString. IRQL PASSIVE_LEVEL. STATUS_SUCCESS,
 * STATUS_NO_MEMORY. Rule RTL-31. */
NTSTATUS RtlStringFromGUID(REFGUID Guid, PUNICODE_STRING GuidString)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    const GUID *guid = (const GUID *)Guid;
    USHORT size = (GUID_CHARACTERS + 1) * sizeof(WCHAR);
    PWCH buffer = rtl_string_allocate(size);
    if (buffer == NULL) {
        return STATUS_NO_MEMORY;
    }
    RtlStringCbPrintfW(buffer, size, L"{%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}",
                       guid->Data1, guid->Data2, guid->Data3, guid->Data4[0], guid->Data4[1],
                       guid->Data4[2], guid->Data4[3], guid->Data4[4], guid->Data4[5],
                       guid->Data4[6], guid->Data4[7]);
    GuidString->Buffer = buffer;
    GuidString->MaximumLength = size;
    GuidString->Length = GUID_CHARACTERS * sizeof(WCHAR);
    return STATUS_SUCCESS;
}

static int digit_value(WCHAR unit)
{
    if (unit >= '0' && unit <= '9') {
        return unit - '0';
    }
    WCHAR lower = unit | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Reads the 16 bytes in the order of the text. */
static BOOLEAN read_bytes(PCWCH text, UCHAR bytes[16])
{
    ULONG count = 0;
    for (ULONG index = 1; index < GUID_CHARACTERS - 1;) {
        if (index == 9 || index == 14 || index == 19 || index == 24) {
            if (text[index++] != '-') {
                return FALSE;
            }
            continue;
        }
        int high = digit_value(text[index]);
        int low = digit_value(text[index + 1]);
        if (high < 0 || low < 0) {
            return FALSE;
        }
        bytes[count++] = (UCHAR)(high << 4 | low);
        index += 2;
    }
    return text[0] == '{' && text[GUID_CHARACTERS - 1] == '}';
}

/* Reads such a text. IRQL PASSIVE_LEVEL. STATUS_SUCCESS, STATUS_INVALID_PARAMETER. Rule RTL-31. */
NTSTATUS RtlGUIDFromString(PCUNICODE_STRING GuidString, GUID *Guid)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    UCHAR bytes[16];
    if (GuidString->Length != GUID_CHARACTERS * sizeof(WCHAR) ||
        !read_bytes(GuidString->Buffer, bytes)) {
        return STATUS_INVALID_PARAMETER;
    }
    Guid->Data1 = (ULONG)bytes[0] << 24 | (ULONG)bytes[1] << 16 | (ULONG)bytes[2] << 8 | bytes[3];
    Guid->Data2 = (USHORT)(bytes[4] << 8 | bytes[5]);
    Guid->Data3 = (USHORT)(bytes[6] << 8 | bytes[7]);
    RtlCopyMemory(Guid->Data4, bytes + 8, sizeof(Guid->Data4));
    return STATUS_SUCCESS;
}
