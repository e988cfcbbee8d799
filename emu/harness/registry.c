#include <wskemu/registry.h>

#include "ob/object.h"

NTSTATUS wskemu_registry_set(const WCHAR *key, const WCHAR *name, ULONG type, const void *data,
                             ULONG length)
{
    ke_current();
    return ob_registry_set(key, name, type, data, length);
}
