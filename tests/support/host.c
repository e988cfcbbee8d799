#include "host.h"

#ifdef _WIN32

/* Declared here: this file sees WDK headers, which do not go with the host's. */
__declspec(dllimport) void *GetModuleHandleA(const char *name);
__declspec(dllimport) void *GetProcAddress(void *module, const char *name);

bool host_is_wine(void)
{
    void *library = GetModuleHandleA("ntdll.dll");
    return library != NULL && GetProcAddress(library, "wine_get_version") != NULL;
}

#else

bool host_is_wine(void)
{
    return false;
}

#endif
