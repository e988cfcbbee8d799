/*
 * wdm.h - the core of the kernel interface. Its parts are in detail/, one a component of the
 * kernel; ntddk.h and ntifs.h add to it. The three may be included in any order.
 */
#ifndef WDK_WDM_H
#define WDK_WDM_H
#ifndef _WDMDDK_
#define _WDMDDK_
#endif
#ifndef _NTDDK_
#define _WDM_INCLUDED_
#endif

#include "ntdef.h"
#include "ntstatus.h"
#include "bugcodes.h"
#include "devioctl.h"
#include "guiddef.h"
#include "devpropdef.h"
#include "excpt.h"
#include "intrin.h"
#include "detail/interlocked.h"
#include "dpfilter.h"
#include "ntiologc.h"

/* A library of these routines may hide all others. */
#ifdef __ELF__
#pragma GCC visibility push(default)
#endif
#ifdef __cplusplus
extern "C" {
#endif

#include "detail/wdm_types.h"
#include "detail/wdm_security.h"
#include "detail/wdm_ke.h"
#include "detail/wdm_ps.h"
#include "detail/wdm_ex.h"
#include "detail/wdm_mm.h"
#include "detail/wdm_io_codes.h"
#include "detail/wdm_pnp.h"
#include "detail/wdm_file.h"
#include "detail/wdm_io_routines.h"
#include "detail/wdm_io.h"
#include "detail/wdm_io_calls.h"
#include "detail/wdm_io_inline.h"
#include "detail/wdm_ob.h"
#include "detail/wdm_registry.h"
#include "detail/wdm_zw.h"
#include "detail/wdm_debug.h"
#include "detail/wdm_etw.h"

#ifdef __cplusplus
}
#endif
#ifdef __ELF__
#pragma GCC visibility pop
#endif

#include "detail/wdm_rtl.h"

#endif
