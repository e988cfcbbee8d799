/* For drivers that make one mistake of several: the value Act of their service key says which. */
#ifndef TESTS_VERIFIER_ACT_H
#define TESTS_VERIFIER_ACT_H

#include <wdm.h>

/* *act stays what it is where the key has no such value. */
static inline VOID read_act(PUNICODE_STRING path, PULONG act)
{
    RTL_QUERY_REGISTRY_TABLE table[2] = {0};
    table[0].Flags = RTL_QUERY_REGISTRY_DIRECT;
    table[0].Name = L"Act";
    table[0].EntryContext = act;
    table[0].DefaultType = REG_DWORD;
    table[0].DefaultData = act;
    table[0].DefaultLength = sizeof(*act);
    RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, path->Buffer, table, NULL, NULL);
}

#endif
