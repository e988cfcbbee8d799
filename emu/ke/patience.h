/* Waits that may last for ever because a driver forgot something: they say what they wait for. */
#ifndef KE_PATIENCE_H
#define KE_PATIENCE_H

#include <wdm.h>

/* After so many milliseconds such a wait speaks, unless ke_set_patience said otherwise. */
#define KE_PATIENCE_MS 2000

/* A setting of the process, as the log's sink is; 0 restores the default. */
void ke_set_patience(ULONG milliseconds);

/* Waits for the event; once it has taken long calls say(context), and waits on. IRQL <= APC_LEVEL.
 */
void ke_wait_patiently(PKEVENT event, void (*say)(void *context), void *context);

#endif
