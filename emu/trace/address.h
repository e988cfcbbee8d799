/* Addresses as text, in plain C: the kernel's own functions for that are the driver's. */
#ifndef TRACE_ADDRESS_H
#define TRACE_ADDRESS_H

#include <stdint.h>

#define TRACE_ADDRESS_BYTES 64

/* "127.0.0.1:80", "[::1]:80"; "-" for a family that is neither 4 nor 6. port is in host order. */
void trace_address_write(unsigned family, const uint8_t *bytes, unsigned port,
                         char text[TRACE_ADDRESS_BYTES]);

#endif
