#include "net/uv/interface.h"

#include <winsock2.h>
#include <iphlpapi.h>
#include <windows.h>

#define NAME_MAX_CHARACTERS 257

/* libuv gives an interface its alias as a name. */
uint32_t interface_index(const char *name)
{
    wchar_t alias[NAME_MAX_CHARACTERS];
    NET_LUID luid;
    NET_IFINDEX index;
    if (MultiByteToWideChar(CP_UTF8, 0, name, -1, alias, NAME_MAX_CHARACTERS) == 0 ||
        ConvertInterfaceAliasToLuid(alias, &luid) != NO_ERROR ||
        ConvertInterfaceLuidToIndex(&luid, &index) != NO_ERROR) {
        return 0;
    }
    return index;
}
