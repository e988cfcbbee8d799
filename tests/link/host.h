/* The host's side of the interposition test, in plain C. */
#ifndef LINK_HOST_H
#define LINK_HOST_H

#include <stdbool.h>

/* Resolves a name, connects to itself over TCP by libuv, sends, receives and closes. */
bool host_talks_to_itself(void);

/* The symbol of a loadable module, which stays loaded; NULL with a message if there is none. */
void *host_module_symbol(const char *path, const char *symbol);

#endif
