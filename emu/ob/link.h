/* Symbolic links of the namespace. See link.c. */
#ifndef OB_LINK_H
#define OB_LINK_H

#include <wdm.h>

#include <stdbool.h>

bool ob_is_link(const void *object);
bool ob_is_link_type(POBJECT_TYPE type);

/* Where a link leads. */
const UNICODE_STRING *ob_link_target(const void *link);

#endif
