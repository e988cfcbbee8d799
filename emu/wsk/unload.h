/* What a driver left with WSK when it was unloaded. See unload.c. */
#ifndef WSK_UNLOAD_H
#define WSK_UNLOAD_H

/* Has drivers looked at that are unloaded. While WSK starts. */
void wsk_unload_start(void);

#endif
