/*
 * TraceLogging: everything compiles, nothing is evaluated, registration succeeds, no provider is
 * ever enabled.
 */
#ifndef WDK_DETAIL_TRACE_LOGGING_H
#define WDK_DETAIL_TRACE_LOGGING_H
#ifndef _TRACELOGGINGPROVIDER_
#define _TRACELOGGINGPROVIDER_
#endif

#include "../evntrace.h"

struct _tlgProvider_t;
typedef const struct _tlgProvider_t *TraceLoggingHProvider;

/* The status of a registration; a function, because drivers also let it fall on the floor. */
static __forceinline NTSTATUS wdk_trace_accept(void)
{
    return 0;
}

#define TRACELOGGING_DECLARE_PROVIDER(handleVariable)                                              \
    EXTERN_C const TraceLoggingHProvider handleVariable
#define TRACELOGGING_DEFINE_PROVIDER(handleVariable, ...)                                          \
    EXTERN_C const TraceLoggingHProvider handleVariable;                                           \
    const TraceLoggingHProvider handleVariable = 0
#define TRACELOGGING_DEFINE_PROVIDER_STORAGE(storageVariable, ...)                                 \
    typedef int wdk_trace_##storageVariable

#define TraceLoggingRegister(...) wdk_trace_accept()
#define TraceLoggingRegisterEx(...) wdk_trace_accept()
#define TraceLoggingUnregister(...) ((void)0)
#define TraceLoggingSetInformation(...) wdk_trace_accept()
#define TraceLoggingProviderEnabled(...) 0
#define TraceLoggingWrite(...) ((void)0)
#define TraceLoggingWriteEx(...) ((void)0)
#define TraceLoggingWriteActivity(...) ((void)0)
#define TraceLoggingWriteStart(...) ((void)0)
#define TraceLoggingWriteStop(...) ((void)0)
#define TraceLoggingWriteTagged(...) ((void)0)

/* Only ever written among the arguments of the macros above. */
#define TraceLoggingValue(...) 0
#define TraceLoggingBoolean(...) 0
#define TraceLoggingBool(...) 0
#define TraceLoggingInt8(...) 0
#define TraceLoggingUInt8(...) 0
#define TraceLoggingInt16(...) 0
#define TraceLoggingUInt16(...) 0
#define TraceLoggingInt32(...) 0
#define TraceLoggingUInt32(...) 0
#define TraceLoggingInt64(...) 0
#define TraceLoggingUInt64(...) 0
#define TraceLoggingHexInt8(...) 0
#define TraceLoggingHexUInt8(...) 0
#define TraceLoggingHexInt16(...) 0
#define TraceLoggingHexUInt16(...) 0
#define TraceLoggingHexInt32(...) 0
#define TraceLoggingHexUInt32(...) 0
#define TraceLoggingHexInt64(...) 0
#define TraceLoggingHexUInt64(...) 0
#define TraceLoggingIntPtr(...) 0
#define TraceLoggingUIntPtr(...) 0
#define TraceLoggingHexIntPtr(...) 0
#define TraceLoggingHexUIntPtr(...) 0
#define TraceLoggingLong(...) 0
#define TraceLoggingULong(...) 0
#define TraceLoggingHexLong(...) 0
#define TraceLoggingHexULong(...) 0
#define TraceLoggingFloat32(...) 0
#define TraceLoggingFloat64(...) 0
#define TraceLoggingChar(...) 0
#define TraceLoggingChar16(...) 0
#define TraceLoggingWChar(...) 0
#define TraceLoggingPointer(...) 0
#define TraceLoggingCodePointer(...) 0
#define TraceLoggingWinError(...) 0
#define TraceLoggingNTStatus(...) 0
#define TraceLoggingHResult(...) 0
#define TraceLoggingGuid(...) 0
#define TraceLoggingFileTime(...) 0
#define TraceLoggingFileTimeUtc(...) 0
#define TraceLoggingSystemTime(...) 0
#define TraceLoggingSystemTimeUtc(...) 0
#define TraceLoggingPid(...) 0
#define TraceLoggingTid(...) 0
#define TraceLoggingPort(...) 0
#define TraceLoggingIPv4Address(...) 0
#define TraceLoggingIPv6Address(...) 0
#define TraceLoggingSocketAddress(...) 0
#define TraceLoggingSid(...) 0
#define TraceLoggingBinary(...) 0
#define TraceLoggingBinaryEx(...) 0
#define TraceLoggingBinaryBuffer(...) 0
#define TraceLoggingString(...) 0
#define TraceLoggingWideString(...) 0
#define TraceLoggingUtf8String(...) 0
#define TraceLoggingCountedString(...) 0
#define TraceLoggingCountedWideString(...) 0
#define TraceLoggingCountedUtf8String(...) 0
#define TraceLoggingAnsiString(...) 0
#define TraceLoggingUnicodeString(...) 0
#define TraceLoggingString16(...) 0
#define TraceLoggingXml(...) 0
#define TraceLoggingJson(...) 0
#define TraceLoggingStruct(...) 0
#define TraceLoggingPackedStruct(...) 0
#define TraceLoggingPackedField(...) 0
#define TraceLoggingPackedData(...) 0
#define TraceLoggingPackedMetadata(...) 0
#define TraceLoggingCustom(...) 0
#define TraceLoggingBooleanArray(...) 0
#define TraceLoggingBooleanFixedArray(...) 0
#define TraceLoggingInt8Array(...) 0
#define TraceLoggingInt8FixedArray(...) 0
#define TraceLoggingUInt8Array(...) 0
#define TraceLoggingUInt8FixedArray(...) 0
#define TraceLoggingInt16Array(...) 0
#define TraceLoggingInt16FixedArray(...) 0
#define TraceLoggingUInt16Array(...) 0
#define TraceLoggingUInt16FixedArray(...) 0
#define TraceLoggingInt32Array(...) 0
#define TraceLoggingInt32FixedArray(...) 0
#define TraceLoggingUInt32Array(...) 0
#define TraceLoggingUInt32FixedArray(...) 0
#define TraceLoggingInt64Array(...) 0
#define TraceLoggingInt64FixedArray(...) 0
#define TraceLoggingUInt64Array(...) 0
#define TraceLoggingUInt64FixedArray(...) 0
#define TraceLoggingHexInt32Array(...) 0
#define TraceLoggingHexInt32FixedArray(...) 0
#define TraceLoggingHexUInt32Array(...) 0
#define TraceLoggingHexUInt32FixedArray(...) 0
#define TraceLoggingHexInt64Array(...) 0
#define TraceLoggingHexInt64FixedArray(...) 0
#define TraceLoggingHexUInt64Array(...) 0
#define TraceLoggingHexUInt64FixedArray(...) 0
#define TraceLoggingFloat32Array(...) 0
#define TraceLoggingFloat32FixedArray(...) 0
#define TraceLoggingFloat64Array(...) 0
#define TraceLoggingFloat64FixedArray(...) 0
#define TraceLoggingGuidArray(...) 0
#define TraceLoggingGuidFixedArray(...) 0
#define TraceLoggingLevel(...) 0
#define TraceLoggingKeyword(...) 0
#define TraceLoggingOpcode(...) 0
#define TraceLoggingEventTag(...) 0
#define TraceLoggingChannel(...) 0
#define TraceLoggingDescription(...) 0
#define TraceLoggingOptionGroup(...) 0
#define TraceLoggingOptionMicrosoftTelemetry(...) 0
#define TraceLoggingCustomAttribute(...) 0

#endif
