/*
 * The registry, for a test: values that a driver is to find.
 *
 *     ULONG port = 7777;
 *     wskemu_registry_set(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\echo",
 *                         L"Port", REG_DWORD, &port, sizeof(port));
 */
#ifndef WSKEMU_REGISTRY_H
#define WSKEMU_REGISTRY_H

#include <wdm.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Sets a value of a key, which is made with all keys in front of it. name NULL is the key's own
 * value; length is in bytes. The registry begins anew with each boot. A driver's service key is
 * there from its first load on; what is set before that stays.
 * STATUS_SUCCESS, STATUS_OBJECT_NAME_NOT_FOUND or STATUS_OBJECT_PATH_SYNTAX_BAD for a path that is
 * not under \Registry, STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS wskemu_registry_set(const WCHAR *key, const WCHAR *name, ULONG type, const void *data,
                             ULONG length);

#ifdef __cplusplus
}
#endif

#endif
