/*
 * wpp.h - software tracing, what all generated trace headers share.
 *
 * On Windows a preprocessor turns each trace call into a record for a tracing session. Here the
 * call formats its message and prints it. A generated header (name.tmh) defines one macro for each
 * trace function that the driver's configuration names; it includes this one, which makes from
 * WPP_CONTROL_GUIDS the names that a driver's own conditions may use: WPP_BIT_flag, WPP_CONTROL,
 * WPP_LEVEL_ENABLED and so on. Before WPP_INIT_TRACING and after WPP_CLEANUP nothing prints.
 */
#ifndef WDK_DETAIL_WPP_H
#define WDK_DETAIL_WPP_H

#include "../ntdef.h"

#define WPP_MAX_FLAGS 8 /* words of 32 flags */

typedef struct _WPP_TRACE_CONTROL {
    ULONG64 Logger;
    UCHAR Level;
    ULONG Flags[WPP_MAX_FLAGS];
} WPP_TRACE_CONTROL;

typedef struct _WPP_CONTROL_ENTRY {
    WPP_TRACE_CONTROL Control;
} WPP_CB_TYPE;

#ifdef __ELF__
#pragma GCC visibility push(default)
#endif
#ifdef __cplusplus
extern "C" {
#endif

/* Prints one message, a line. The format may hold the tracing types (%!STATUS! ...). */
VOID wskemu_wpp_trace(const char *file, ULONG line, const char *function, const char *level,
                      const char *flags, const char *format, ...);

/* Lets every level and flag print, or none. */
VOID wskemu_wpp_enable(WPP_CB_TYPE *controls, ULONG count, BOOLEAN enable);

#ifdef __cplusplus
}
#endif
#ifdef __ELF__
#pragma GCC visibility pop
#endif

#ifndef WPP_CONTROL_GUIDS
#define WPP_CONTROL_GUIDS                                                                          \
    WPP_DEFINE_CONTROL_GUID(Default, (00000000, 0000, 0000, 0000, 000000000000),                   \
                            WPP_DEFINE_BIT(Error) WPP_DEFINE_BIT(Unusual) WPP_DEFINE_BIT(Noise))
#endif

/* A number for each control GUID, and within it one for each bit, from 1 on. */
enum WPP_CTRL_GUIDS_ENUM {
#define WPP_DEFINE_CONTROL_GUID(Name, Guid, Bits) WPP_CTRL_##Name,
    WPP_CONTROL_GUIDS
#undef WPP_DEFINE_CONTROL_GUID
        WPP_LAST_CTRL
};

enum WPP_DEFINE_BIT_ENUM {
#define WPP_DEFINE_BIT(Name) WPP_BIT_##Name,
#define WPP_DEFINE_CONTROL_GUID(Name, Guid, Bits)                                                  \
    WPP_BLOCK_START_##Name = WPP_CTRL_##Name * 0x10000, Bits WPP_BLOCK_END_##Name,
    WPP_CONTROL_GUIDS
#undef WPP_DEFINE_CONTROL_GUID
#undef WPP_DEFINE_BIT
        WPP_LAST_BIT
};

/* One for all sources of a driver. */
#ifdef __cplusplus
extern "C" {
#endif
DECLSPEC_SELECTANY WPP_CB_TYPE WPP_CB[WPP_LAST_CTRL] = {{{0, 0, {0}}}};
#ifdef __cplusplus
}
#endif

#define WPP_CTRL_NO(CTL) ((CTL) >> 16)
#define WPP_FLAG_NO(CTL) ((0xFFFF & ((CTL)-1)) / 32)
#define WPP_MASK(CTL) (1u << (31 & ((CTL)-1)))
#define WPP_CONTROL(CTL) (WPP_CB[WPP_CTRL_NO(CTL)].Control)

#define WPP_ENABLED() (WPP_CB[0].Control.Level != 0)
#define WPP_LOGGER() (WPP_CB[0].Control.Logger),
#ifndef WPP_LEVEL_ENABLED
#define WPP_LEVEL_ENABLED(LEVEL)                                                                   \
    ((WPP_CONTROL(WPP_BIT_##LEVEL).Flags[WPP_FLAG_NO(WPP_BIT_##LEVEL)] &                           \
      WPP_MASK(WPP_BIT_##LEVEL)) != 0)
#endif
#ifndef WPP_LEVEL_LOGGER
#define WPP_LEVEL_LOGGER(LEVEL) (WPP_CONTROL(WPP_BIT_##LEVEL).Logger),
#endif
#ifndef WPP_FLAG_ENABLED
#define WPP_FLAG_ENABLED(FLAG) WPP_LEVEL_ENABLED(FLAG)
#define WPP_FLAG_LOGGER(FLAG) WPP_LEVEL_LOGGER(FLAG)
#endif
#ifndef WPP_FLAGS_ENABLED
#define WPP_FLAGS_ENABLED(FLAGS) WPP_LEVEL_ENABLED(FLAGS)
#define WPP_FLAGS_LOGGER(FLAGS) WPP_LEVEL_LOGGER(FLAGS)
#endif
#ifndef WPP_LEVEL_FLAGS_ENABLED
#define WPP_LEVEL_FLAGS_ENABLED(LEVEL, FLAGS)                                                      \
    (WPP_LEVEL_ENABLED(FLAGS) && WPP_CONTROL(WPP_BIT_##FLAGS).Level >= (LEVEL))
#define WPP_LEVEL_FLAGS_LOGGER(LEVEL, FLAGS) WPP_LEVEL_LOGGER(FLAGS)
#endif
#ifndef WPP_FLAGS_LEVEL_ENABLED
#define WPP_FLAGS_LEVEL_ENABLED(FLAGS, LEVEL) WPP_LEVEL_FLAGS_ENABLED(LEVEL, FLAGS)
#define WPP_FLAGS_LEVEL_LOGGER(FLAGS, LEVEL) WPP_LEVEL_LOGGER(FLAGS)
#endif
#ifndef WPP_FLAG_LEVEL_ENABLED
#define WPP_FLAG_LEVEL_ENABLED(FLAG, LEVEL) WPP_LEVEL_FLAGS_ENABLED(LEVEL, FLAG)
#define WPP_FLAG_LEVEL_LOGGER(FLAG, LEVEL) WPP_LEVEL_LOGGER(FLAG)
#endif
#ifndef WPP_LEVEL_FLAG_ENABLED
#define WPP_LEVEL_FLAG_ENABLED(LEVEL, FLAG) WPP_LEVEL_FLAGS_ENABLED(LEVEL, FLAG)
#define WPP_LEVEL_FLAG_LOGGER(LEVEL, FLAG) WPP_LEVEL_LOGGER(FLAG)
#endif

/* Kernel drivers pass their driver object and registry path. */
#define WPP_INIT_TRACING(...) wskemu_wpp_enable(WPP_CB, WPP_LAST_CTRL, TRUE)
#define WPP_CLEANUP(...) wskemu_wpp_enable(WPP_CB, WPP_LAST_CTRL, FALSE)
#define WPP_SYSTEMCONTROL(Driver)
#define WPP_SYSTEMCONTROL2(Driver, Offset)

#endif
