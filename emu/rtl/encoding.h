/* Text between encodings, for the emulator. See encoding.c. */
#ifndef RTL_ENCODING_H
#define RTL_ENCODING_H

#include <wdm.h>

/* RtlUTF8ToUnicodeN at any IRQL; *bytes says how many were produced. */
NTSTATUS rtl_utf8_to_wide(PWSTR destination, ULONG bytes_max, PULONG bytes, PCCH source,
                          ULONG source_bytes);

#endif
