/* Name lookups. See lookup.c. */
#ifndef NET_UV_LOOKUP_H
#define NET_UV_LOOKUP_H

#include "net/net.h"

/* Calls on_resolved for each lookup of net that has its result. */
void lookup_deliver(struct net *net);

/* Abandons all lookups of net. */
void lookup_abandon_all(struct net *net);

#endif
