/* Which thread gets Ctrl-C: the one that watches for it, so that all others may sleep on. */
#ifndef SIGNALS_H
#define SIGNALS_H

/* The calling thread, and those that it makes from now on, do not get SIGINT and SIGTERM. */
void signals_block(void);

/* The calling thread does. */
void signals_unblock(void);

#endif
