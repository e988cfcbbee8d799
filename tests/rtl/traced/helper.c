/* A second source, which shares the tracing state of the first. */
#include <ntddk.h>

#include "trace.h"
#include "helper.tmh"

VOID TraceFromAnotherSource(NTSTATUS Status);

VOID TraceFromAnotherSource(NTSTATUS Status)
{
    TraceEvents(TRACE_LEVEL_INFORMATION, TRACED_ALL, "helper:%!LINE! says %!STATUS!", Status);
}
