/* BASE_COLD in front of a function that is seldom called: the way round it is the short one. */
#ifndef BASE_COLD_H
#define BASE_COLD_H

#if defined(__GNUC__)
#define BASE_COLD __attribute__((cold))
#else
#define BASE_COLD
#endif

#endif
