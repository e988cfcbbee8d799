/* CMocka's header, with what has to stand in front of it, and for C++ too. It includes nothing of
 * wskemu: wskemu/cmocka.h is what a test includes. */
#ifndef WSKEMU_CMOCKA_HEADER_H
#define WSKEMU_CMOCKA_HEADER_H

/* CMocka asks for these; the guard keeps it from making a uintptr_t of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#ifndef _UINTPTR_T
#define _UINTPTR_T
#endif

#ifdef __cplusplus
extern "C" {
#endif
#include <cmocka.h>
#ifdef __cplusplus
}
#endif

#endif
