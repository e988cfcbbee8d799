/* Memory that cannot be any more what a driver gave. See gone.c. */
#ifndef VERIFIER_GONE_H
#define VERIFIER_GONE_H

/* Why nothing of the driver's lies at the address any more, as "in a block that was freed"; NULL if
 * nothing speaks against it, and at level off. Reads no memory. */
const char *verifier_gone(const void *address);

#endif
