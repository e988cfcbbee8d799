/* The older name of the annotations. */
#ifndef WDK_SPECSTRINGS_H
#define WDK_SPECSTRINGS_H
#ifndef SPECSTRINGS_H
#define SPECSTRINGS_H
#endif

#include "sal.h"

#endif
