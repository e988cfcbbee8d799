#include "trace/address.h"

#include <stddef.h>
#include <stdio.h>

#define GROUPS 8

static unsigned group_of(const uint8_t *bytes, int index)
{
    return (unsigned)bytes[2 * index] << 8 | bytes[2 * index + 1];
}

/* The longest run of two or more zero groups, which is left out; its length is 0 if there is none.
 */
static int find_gap(const uint8_t *bytes, int *length)
{
    int best = 0;
    *length = 0;
    for (int i = 0; i < GROUPS; i++) {
        int run = 0;
        while (i + run < GROUPS && group_of(bytes, i + run) == 0) {
            run++;
        }
        if (run > 1 && run > *length) {
            best = i;
            *length = run;
        }
    }
    return best;
}

static void write_ipv6(const uint8_t *bytes, unsigned port, char text[TRACE_ADDRESS_BYTES])
{
    int length;
    int gap = find_gap(bytes, &length);
    char *at = text;
    *at++ = '[';
    for (int i = 0; i < GROUPS; i++) {
        if (length != 0 && i == gap) {
            at += sprintf(at, "::");
            i += length - 1;
            continue;
        }
        at += sprintf(at, at[-1] == '[' || at[-1] == ':' ? "%x" : ":%x", group_of(bytes, i));
    }
    sprintf(at, "]:%u", port & 0xFFFF);
}

void trace_address_write(unsigned family, const uint8_t *bytes, unsigned port,
                         char text[TRACE_ADDRESS_BYTES])
{
    if (family == 4) {
        snprintf(text, TRACE_ADDRESS_BYTES, "%u.%u.%u.%u:%u", bytes[0], bytes[1], bytes[2],
                 bytes[3], port & 0xFFFF);
    } else if (family == 6) {
        write_ipv6(bytes, port, text);
    } else {
        snprintf(text, TRACE_ADDRESS_BYTES, "-");
    }
}
