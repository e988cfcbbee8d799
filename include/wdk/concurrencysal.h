/* The annotations of locks stand with all others. */
#ifndef WDK_CONCURRENCYSAL_H
#define WDK_CONCURRENCYSAL_H
#ifndef CONCURRENCYSAL_H
#define CONCURRENCYSAL_H
#endif

#include "sal.h"

#endif
