/* What the generated demand.c tells demand.c of this folder. */
#ifndef TESTS_ABI_DEMAND_H
#define TESTS_ABI_DEMAND_H

#include "all_headers.h"

#include <stddef.h>
#include <stdint.h>

/* A function that the headers declare, and where it is. */
struct demand_address {
    const char *name;
    uintptr_t address;
};

extern const struct demand_address demand_addresses[];
extern const size_t demand_address_count;

#endif
