/* The calling thread's IRQL; see irql.c. */
#ifndef KE_IRQL_H
#define KE_IRQL_H

#include <wdm.h>

/* Raises to new_irql, claiming a processor on the way over DISPATCH_LEVEL; returns the old level.
 * */
KIRQL ke_raise_irql(KIRQL new_irql);

/* Lowers to new_irql, running queued DPCs and freeing the processor below DISPATCH_LEVEL. */
void ke_lower_irql(KIRQL new_irql);

#endif
