/* The system code page: Windows-1252, one byte a character. */
#ifndef RTL_CODE_PAGE_H
#define RTL_CODE_PAGE_H

#include <ntdef.h>

#include <stdbool.h>

WCHAR rtl_code_page_to_wide(UCHAR byte);

/* '?' for what the code page lacks. */
UCHAR rtl_code_page_from_wide(WCHAR unit);

bool rtl_code_page_has(WCHAR unit);

#endif
