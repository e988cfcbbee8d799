/* Tells what happens between a driver and WSK, one line each. */
#ifndef NARRATOR_H
#define NARRATOR_H

/* From now on, to the standard output; what the driver prints as well. Call it before boot. */
void narrator_start(void);

#endif
