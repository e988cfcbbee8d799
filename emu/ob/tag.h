/* The tags of references, at level full; see tag.c. */
#ifndef OB_TAG_H
#define OB_TAG_H

#include <wdm.h>

#include "verifier/level.h"

struct ob_header;

void ob_tag_count(struct ob_header *header, ULONG tag);
void ob_tag_uncount(struct ob_header *header, ULONG tag, const void *caller);
void ob_tag_check_left(struct ob_header *header);

/* The driver took a reference with that tag. */
static inline void ob_tag_taken(struct ob_header *header, ULONG tag)
{
    if (verifier_is_full()) {
        ob_tag_count(header, tag);
    }
}

/* The driver drops one: warns if it took none with that tag. */
static inline void ob_tag_dropped(struct ob_header *header, ULONG tag, const void *caller)
{
    if (verifier_is_full()) {
        ob_tag_uncount(header, tag, caller);
    }
}

#endif
