/* The client's process. Plain C, for both sides. */
#ifndef RUN_CLIENT_H
#define RUN_CLIENT_H

#include <stdbool.h>

/* Runs "program port" and waits for its end, at most 20 seconds. Whether it ended well. */
bool run_client(const char *program, unsigned port);

#endif
