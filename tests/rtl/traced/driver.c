/* Traces in all the ways that drivers trace. */
#include <ntddk.h>
#include <wsk.h>

#include "trace.h"
#include "driver.tmh"

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD DriverUnload;

VOID TraceFromAnotherSource(NTSTATUS Status);

VOID DriverUnload(PDRIVER_OBJECT DriverObject)
{
    DoTraceMessage(TRACED_ALL, "unloading");
    WPP_CLEANUP(DriverObject);
    DoTraceMessage(TRACED_ALL, "never seen");
}

static VOID TraceTypes(VOID)
{
    static const GUID guid = {
        0x2227E803, 0x8D8B, 0x11D4, {0xAB, 0xAD, 0x00, 0x90, 0x27, 0x71, 0x9E, 0x09}};
    IN_ADDR address;
    IN6_ADDR loopback = {0};
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Traced");

    address.s_addr = RtlUlongByteSwap(0x7F000001);
    loopback.u.Byte[15] = 1;
    TraceEvents(TRACE_LEVEL_ERROR, TRACED_SOCKET, "status %!STATUS! and %!STATUS!",
                STATUS_ACCESS_DENIED, 0x12345);
    TraceEvents(TRACE_LEVEL_ERROR, TRACED_SOCKET, "guid %!GUID!", &guid);
    TraceEvents(TRACE_LEVEL_ERROR, TRACED_SOCKET, "address %!IPADDR!:%!PORT! or %!IPV6ADDR!",
                address.s_addr, RtlUshortByteSwap(8080), &loopback);
    TraceEvents(TRACE_LEVEL_ERROR, TRACED_SOCKET, "%wZ %I64u %Iu %ws %s %lu", &name, MAXULONG64,
                sizeof(name), L"wide", "narrow", MAXULONG);
    TraceEvents(TRACE_LEVEL_WARNING, TRACED_SOCKET, "%!LEVEL! %!FLAGS! %!FILE! %!bool!", TRUE);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DoTraceMessage(TRACED_ALL, "not yet");
    WPP_INIT_TRACING(DriverObject, RegistryPath);
    DriverObject->DriverUnload = DriverUnload;

    TraceEntry(TRACED_ALL);
    TraceInfo("hello %d", 1);
    if (DriverObject == NULL)
        TraceInfo("not reached");
    else
        TraceTypes();
    TraceFailure(TRACED_ALL, STATUS_SUCCESS);
    TraceFailure(TRACED_ALL, STATUS_UNSUCCESSFUL);
    TraceFromAnotherSource(STATUS_PENDING);

    WPP_CONTROL(WPP_BIT_TRACED_SOCKET).Level = TRACE_LEVEL_WARNING;
    TraceEvents(TRACE_LEVEL_INFORMATION, TRACED_SOCKET, "too detailed");
    TraceEvents(TRACE_LEVEL_WARNING, TRACED_SOCKET, "just right");
    return STATUS_SUCCESS;
}
