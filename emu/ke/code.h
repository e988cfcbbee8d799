/*
 * The code of loaded drivers: whose routine this is, and which driver called. See code.c.
 */
#ifndef KE_CODE_H
#define KE_CODE_H

#include <stdbool.h>

/* A driver's code: from begin up to, but without, end. */
struct ke_code {
    const char *driver;
    const void *begin;
    const void *end;
};

/* Makes a driver's code known until ke_code_remove. Nothing happens if its bounds are unknown. */
void ke_code_add(const struct ke_code *code);
void ke_code_remove(const struct ke_code *code);

/* Whether a routine, or the instruction before a return address, lies in the code. */
bool ke_code_holds(const struct ke_code *code, const void *routine);
bool ke_code_called(const struct ke_code *code, const void *return_address);

/* Whether the driver made the object, which it left when it was unloaded; warns of it then. kind:
 * "IRP". */
bool ke_code_warn_of_left(const struct ke_code *code, const char *rule, const char *kind,
                          const void *object, const void *creator);

/* The code of the loaded driver in which the address lies, or NULL; it is known while the driver's
 * code runs. And whether any driver's code is known. */
const struct ke_code *ke_code_of(const void *address);
bool ke_code_is_any_known(void);

/* The same of all drivers that this process has loaded. */
bool ke_code_was_drivers(const void *return_address);
bool ke_code_was_any_known(void);

/* The return address in the innermost driver code on the calling thread's stack, or NULL. Slow. */
const void *ke_code_caller(void);

#endif
