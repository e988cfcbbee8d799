/* What is left at shutdown and was not made by a driver: of interest where a test may have ended in
 * the middle (harness/sweep.c). */
#ifndef KE_LEFT_H
#define KE_LEFT_H

/* Something is left that was made by who is at creator; NULL: by no driver. */
void ke_left_note(const void *creator);

/* How much of it drivers had not made since the last call. */
unsigned ke_left_take_others(void);

#endif
