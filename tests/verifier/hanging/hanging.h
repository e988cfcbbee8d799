/* What the driver hanging does, told to it by its registry value Act. */
#ifndef HANGING_H
#define HANGING_H

enum hanging_act {
    HANGING_NOT,     /* idles, and ends what it began */
    HANGING_THREAD,  /* its unload routine waits for a thread that nobody tells to end */
    HANGING_SOCKET,  /* deregisters with a socket left open */
    HANGING_ACCEPT,  /* its unload routine waits for a thread that waits for a connection */
    HANGING_RELEASE, /* deregisters before it releases its capture */
};

#endif
