/*
 * What our network headers take from our other headers, where those are somebody else's. Included
 * in front of every source of the driver.
 */
#ifndef TESTS_FOREIGN_PRELUDE_H
#define TESTS_FOREIGN_PRELUDE_H

/* Ours is without storage class, so that "static" may stand before it. */
#define FORCEINLINE __inline__ __attribute__((__always_inline__))

/* Names that Windows' user mode has too. */
#define WDK_KERNEL_LINK_NAME(name) __asm__("wskemu_" name)

typedef unsigned int UINT;

#endif
