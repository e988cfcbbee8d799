/*
 * suppress.h - names for the warnings of Microsoft's code analysis.
 *
 * Drivers write them in #pragma warning and #pragma prefast only, which other compilers pass over
 * without a look at the names. None is defined.
 */
#ifndef WDK_SUPPRESS_H
#define WDK_SUPPRESS_H

#endif /* WDK_SUPPRESS_H */
