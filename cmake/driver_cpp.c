/* What the C++ compiler calls by itself in a driver; as in a real kernel there is no C++ library.
 */
#include <wdm.h>

#define KMODE_EXCEPTION_NOT_HANDLED_CODE 0x1E

void __cxa_pure_virtual(void);
void __cxa_throw_bad_array_new_length(void);

void __cxa_pure_virtual(void)
{
    KeBugCheckEx(KMODE_EXCEPTION_NOT_HANDLED_CODE, (ULONG_PTR)STATUS_INVALID_DEVICE_STATE, 0, 0, 0);
}

void __cxa_throw_bad_array_new_length(void)
{
    KeBugCheckEx(KMODE_EXCEPTION_NOT_HANDLED_CODE, (ULONG_PTR)STATUS_INTEGER_OVERFLOW, 0, 0, 0);
}
