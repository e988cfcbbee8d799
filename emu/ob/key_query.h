/* What keys and values say of themselves, in Windows' structs. The registry's lock is held. */
#ifndef OB_KEY_QUERY_H
#define OB_KEY_QUERY_H

#include "ob/key.h"

/*
 * Writes what fits of the information that the class asks for; *needed is the bytes of all of it.
 * STATUS_BUFFER_TOO_SMALL, with nothing written, if not even the fixed part fits,
 * STATUS_BUFFER_OVERFLOW if that fits but not all, STATUS_INVALID_PARAMETER for an unknown class.
 */
NTSTATUS ob_key_query(struct ob_node *node, KEY_INFORMATION_CLASS class, void *buffer, ULONG length,
                      ULONG *needed);
NTSTATUS ob_value_query(const struct ob_value *value, KEY_VALUE_INFORMATION_CLASS class,
                        void *buffer, ULONG length, ULONG *needed);

#endif
