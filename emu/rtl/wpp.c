/*
 * Software tracing: messages with the tracing preprocessor's types, printed as text.
 *
 * A type is written %!NAME! in a message. Some stand for the place of the call and take no
 * argument, the others take one. A type that a driver defined itself (an enumeration, as a rule) is
 * printed as a number.
 */
#include <wdm.h>
#include <ntstrsafe.h>
#include <ip2string.h>
#include <detail/wpp.h>

#include "base/log.h"
#include "rtl/code_page.h"
#include "rtl/format.h"
#include "rtl/status_name.h"

#define LINE_BYTES_MAX 2048
#define HEX_BYTES_MAX 256
#define TRACE_LEVEL_ALL 0xFF

struct site {
    const char *file;
    ULONG line;
    const char *function;
    const char *level;
    const char *flags;
};

/* ---- types that take no argument ---- */

static const char *file_name(const char *path)
{
    for (const char *place = path; *place != 0; place++) {
        if (*place == '/' || *place == '\\') {
            path = place + 1;
        }
    }
    return path;
}

static BOOLEAN write_place(const struct site *site, const char *name, char *text, size_t size)
{
    if (_stricmp(name, "FUNC") == 0) {
        RtlStringCbCopyA(text, size, site->function);
    } else if (_stricmp(name, "FILE") == 0 || _stricmp(name, "SRCFILE") == 0) {
        RtlStringCbCopyA(text, size, file_name(site->file));
    } else if (_stricmp(name, "LINE") == 0) {
        RtlStringCbPrintfA(text, size, "%lu", site->line);
    } else if (_stricmp(name, "LEVEL") == 0) {
        RtlStringCbCopyA(text, size, site->level);
    } else if (_stricmp(name, "FLAGS") == 0 || _stricmp(name, "FLAG") == 0) {
        RtlStringCbCopyA(text, size, site->flags);
    } else if (_stricmp(name, "STDPREFIX") == 0) {
        RtlStringCbPrintfA(text, size, "[%s]", site->function);
    } else if (_stricmp(name, "SPACE") == 0) {
        RtlStringCbCopyA(text, size, " ");
    } else if (_stricmp(name, "COMPNAME") == 0 || _stricmp(name, "SUBCOMP") == 0 ||
               _stricmp(name, "MOD") == 0) {
        text[0] = 0;
    } else {
        return FALSE;
    }
    return TRUE;
}

/* ---- types that take one ---- */

typedef VOID write_type(va_list *arguments, char *text, size_t size);

static VOID write_status(va_list *arguments, char *text, size_t size)
{
    NTSTATUS status = va_arg(*arguments, NTSTATUS);
    const char *name = rtl_status_name(status);
    if (name != NULL) {
        RtlStringCbPrintfA(text, size, "0x%08lx(%s)", status, name);
    } else {
        RtlStringCbPrintfA(text, size, "0x%08lx", status);
    }
}

static VOID write_code(va_list *arguments, char *text, size_t size)
{
    RtlStringCbPrintfA(text, size, "0x%08lx", va_arg(*arguments, ULONG));
}

static VOID write_number(va_list *arguments, char *text, size_t size)
{
    RtlStringCbPrintfA(text, size, "%d", va_arg(*arguments, int));
}

static VOID write_boolean(va_list *arguments, char *text, size_t size)
{
    RtlStringCbCopyA(text, size, va_arg(*arguments, int) != 0 ? "TRUE" : "FALSE");
}

static VOID write_guid(va_list *arguments, char *text, size_t size)
{
    const GUID *guid = va_arg(*arguments, const GUID *);
    if (guid == NULL) {
        RtlStringCbCopyA(text, size, "(null)");
        return;
    }
    RtlStringCbPrintfA(text, size, "{%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}",
                       guid->Data1, guid->Data2, guid->Data3, guid->Data4[0], guid->Data4[1],
                       guid->Data4[2], guid->Data4[3], guid->Data4[4], guid->Data4[5],
                       guid->Data4[6], guid->Data4[7]);
}

static VOID write_ipv4(va_list *arguments, char *text, size_t size)
{
    IN_ADDR address;
    ULONG length = (ULONG)size;
    address.S_un.S_addr = va_arg(*arguments, ULONG);
    RtlIpv4AddressToStringExA(&address, 0, text, &length);
}

static VOID write_ipv6(va_list *arguments, char *text, size_t size)
{
    const IN6_ADDR *address = va_arg(*arguments, const IN6_ADDR *);
    ULONG length = (ULONG)size;
    if (!NT_SUCCESS(RtlIpv6AddressToStringExA(address, 0, 0, text, &length))) {
        RtlStringCbCopyA(text, size, "(null)");
    }
}

static VOID write_port(va_list *arguments, char *text, size_t size)
{
    RtlStringCbPrintfA(text, size, "%u", RtlUshortByteSwap(va_arg(*arguments, int)));
}

static VOID write_time(va_list *arguments, char *text, size_t size)
{
    LARGE_INTEGER time;
    TIME_FIELDS fields;
    time.QuadPart = va_arg(*arguments, LONGLONG);
    RtlTimeToTimeFields(&time, &fields);
    RtlStringCbPrintfA(text, size, "%02d/%02d/%04d-%02d:%02d:%02d.%03d", fields.Month, fields.Day,
                       fields.Year, fields.Hour, fields.Minute, fields.Second, fields.Milliseconds);
}

static VOID write_wide(va_list *arguments, char *text, size_t size)
{
    RtlStringCbPrintfA(text, size, "%ws", va_arg(*arguments, PCWSTR));
}

static VOID write_narrow(va_list *arguments, char *text, size_t size)
{
    RtlStringCbPrintfA(text, size, "%s", va_arg(*arguments, PCSTR));
}

static VOID write_counted_wide(va_list *arguments, char *text, size_t size)
{
    RtlStringCbPrintfA(text, size, "%wZ", va_arg(*arguments, PCUNICODE_STRING));
}

static VOID write_pointer(va_list *arguments, char *text, size_t size)
{
    RtlStringCbPrintfA(text, size, "0x%p", va_arg(*arguments, PVOID));
}

/* By the convention of drivers, a structure by value: where the bytes are, and how many. */
static VOID write_hex(va_list *arguments, char *text, size_t size)
{
    struct bytes {
        const UCHAR *buffer;
        SHORT length;
    } bytes = va_arg(*arguments, struct bytes);
    text[0] = 0;
    for (int index = 0; index < min(bytes.length, HEX_BYTES_MAX); index++) {
        RtlStringCbPrintfExA(text, size, &text, &size, 0, index == 0 ? "%02x" : " %02x",
                             bytes.buffer[index]);
    }
}

static const struct {
    const char *name;
    write_type *write;
} types[] = {
    {"STATUS", write_status},     {"NTSTATUS", write_status}, {"HRESULT", write_code},
    {"WINERROR", write_number},   {"BOOLEAN", write_boolean}, {"BOOL", write_boolean},
    {"GUID", write_guid},         {"CLSID", write_guid},      {"IID", write_guid},
    {"LIBID", write_guid},        {"IPADDR", write_ipv4},     {"IPV6ADDR", write_ipv6},
    {"PORT", write_port},         {"TIMESTAMP", write_time},  {"TIME", write_time},
    {"DATE", write_time},         {"DATETIME", write_time},   {"WSTR", write_wide},
    {"USTR", write_counted_wide}, {"ASTR", write_narrow},     {"ARSTR", write_narrow},
    {"PTR", write_pointer},       {"HANDLE", write_pointer},  {"HEXDUMP", write_hex},
    {"IRQL", write_number},
};

static size_t write_name(const void *context, const char *name, size_t name_length,
                         va_list *arguments, char *text, size_t size)
{
    char key[32];
    write_type *write = write_number;
    RtlStringCbCopyNA(key, sizeof(key), name, name_length);
    text[0] = 0;
    if (!write_place(context, key, text, size)) {
        for (size_t index = 0; index < RTL_NUMBER_OF(types); index++) {
            if (_stricmp(key, types[index].name) == 0) {
                write = types[index].write;
            }
        }
        write(arguments, text, size);
    }
    return strlen(text);
}

VOID wskemu_wpp_trace(const char *file, ULONG line, const char *function, const char *level,
                      const char *flags, const char *format, ...)
{
    struct site site = {file, line, function, level, flags};
    char text[LINE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = rtl_format_named(text, sizeof(text) - 1, format, arguments, write_name, &site);
    va_end(arguments);
    if (length < 0) {
        return;
    }
    size_t kept = min((size_t)length, sizeof(text) - 1);
    if (kept == 0 || text[kept - 1] != '\n') {
        text[kept++] = '\n';
    }
    base_log_write(text, kept);
}

VOID wskemu_wpp_enable(WPP_CB_TYPE *controls, ULONG count, BOOLEAN enable)
{
    for (ULONG index = 0; index < count; index++) {
        WPP_TRACE_CONTROL *control = &controls[index].Control;
        control->Level = enable ? TRACE_LEVEL_ALL : 0;
        control->Logger = enable;
        RtlFillMemory(control->Flags, sizeof(control->Flags), enable ? 0xFF : 0);
    }
}
