/* The driver's tracing configuration, as WPP reads it. */
#ifndef TRACED_TRACE_H
#define TRACED_TRACE_H

#include <evntrace.h>

#define WPP_CONTROL_GUIDS                                                                          \
    WPP_DEFINE_CONTROL_GUID(TracedGuid, (2227e803, 8d8b, 11d4, abad, 009027719e09),                \
                            WPP_DEFINE_BIT(TRACED_ALL) WPP_DEFINE_BIT(TRACED_SOCKET))

#define WPP_LEVEL_FLAGS_LOGGER(level, flags) WPP_LEVEL_LOGGER(flags)
#define WPP_LEVEL_FLAGS_ENABLED(level, flags)                                                      \
    (WPP_LEVEL_ENABLED(flags) && WPP_CONTROL(WPP_BIT_##flags).Level >= level)

/* Prints failures only. */
#define WPP_FLAGS_STATUS_PRE(flags, status)                                                        \
    {                                                                                              \
        if (!NT_SUCCESS(status)) {
#define WPP_FLAGS_STATUS_POST(flags, status)                                                       \
    ;                                                                                              \
    }                                                                                              \
    }
#define WPP_FLAGS_STATUS_ENABLED(flags, status) WPP_LEVEL_ENABLED(flags)
#define WPP_FLAGS_STATUS_LOGGER(flags, status) WPP_LEVEL_LOGGER(flags)

//
// begin_wpp config
// FUNC TraceEvents(LEVEL, FLAGS, MSG, ...);
// FUNC TraceInfo{LEVEL=TRACE_LEVEL_INFORMATION, FLAGS=TRACED_ALL}(MSG, ...);
// USEPREFIX (TraceInfo, "%!FUNC!: ");
// FUNC TraceEntry{LEVEL=TRACE_LEVEL_VERBOSE}(FLAGS);
// USESUFFIX (TraceEntry, "--> %!FUNC!");
// FUNC TraceFailure(FLAGS, STATUS);
// USESUFFIX (TraceFailure, "failed: %!STATUS!", STATUS);
// end_wpp
//

#endif
