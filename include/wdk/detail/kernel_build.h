/*
 * What the Windows kernel build puts in front of every C source of a driver: the plain words of
 * structured exception handling. C++ has words of its own there. wskemu_add_driver() includes it.
 */
#ifndef WDK_DETAIL_KERNEL_BUILD_H
#define WDK_DETAIL_KERNEL_BUILD_H

#ifndef __cplusplus

#include <excpt.h>

#ifndef try
#define try __try
#define except __except
#define finally __finally
#define leave __leave
#endif

#endif

#endif
