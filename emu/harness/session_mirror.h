/* The machine's own sessions. See session_mirror.c. */
#ifndef HARNESS_SESSION_MIRROR_H
#define HARNESS_SESSION_MIRROR_H

/* Ends the mirror, if there is one, as a shutdown begins. */
void session_mirror_end(void);

#endif
