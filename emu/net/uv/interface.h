/* Interfaces as the host numbers them: one function a host. */
#ifndef NET_UV_INTERFACE_H
#define NET_UV_INTERFACE_H

#include <stdint.h>

/* The index of the interface that libuv calls so; 0 if there is none. */
uint32_t interface_index(const char *name);

#endif
