/*
 * Tags of references.
 *
 * What is counted are the references that drivers take with a tag of their own, by object and tag.
 * Those without one, handles and the object's maker have none, so that nothing is known of how many
 * there are: they are left out. A reference of a tag that is dropped without it is found out when
 * the object is destroyed.
 */
#include "ob/tag.h"

#include "base/stack.h"
#include "ke/warning.h"
#include "ob/object.h"

#include <stdlib.h>

/* With more tags than that on one object, its tags are not looked at any more. */
#define TAGS_MAX 8

/* What references without a tag count as. */
#define DEFAULT_TAG 0x746C6644 /* "Dflt" */

struct ob_tags {
    bool is_full;
    ULONG count;
    struct {
        ULONG tag;
        LONG references;
    } entry[TAGS_MAX];
};

struct text {
    char text[5];
};

static struct text text_of(ULONG tag)
{
    struct text text = {""};
    for (int i = 0; i < 4; i++) {
        char letter = (char)(tag >> (8 * i));
        text.text[i] = letter >= ' ' && letter <= '~' ? letter : '.';
    }
    return text;
}

/* The count of a tag, which is added if there is room; NULL otherwise. The lock is held. */
static LONG *references_of(struct ob_header *header, ULONG tag)
{
    struct ob_tags *tags = header->tags;
    if (tags == NULL) {
        tags = header->tags = calloc(1, sizeof(*tags));
    }
    if (tags == NULL || tags->is_full) {
        return NULL;
    }
    for (ULONG i = 0; i < tags->count; i++) {
        if (tags->entry[i].tag == tag) {
            return &tags->entry[i].references;
        }
    }
    tags->is_full = tags->count == TAGS_MAX;
    if (tags->is_full) {
        return NULL;
    }
    tags->entry[tags->count].tag = tag;
    return &tags->entry[tags->count++].references;
}

void ob_tag_count(struct ob_header *header, ULONG tag)
{
    if (tag == DEFAULT_TAG) {
        return;
    }
    ob_lock();
    LONG *references = references_of(header, tag);
    if (references != NULL) {
        (*references)++;
    }
    ob_unlock();
}

void ob_tag_uncount(struct ob_header *header, ULONG tag, const void *caller)
{
    if (tag == DEFAULT_TAG) {
        return;
    }
    ob_lock();
    LONG *references = references_of(header, tag);
    bool has_none = references != NULL && *references == 0;
    if (references != NULL && *references > 0) {
        (*references)--;
    }
    ob_unlock();
    if (has_none) {
        ke_warning("OB-18",
                   "the driver dereferenced the %s object %p with the tag '%s', at %s, and had no "
                   "reference of that tag",
                   header->type->name, (const void *)(header + 1), text_of(tag).text,
                   base_stack_site(caller).text);
    }
}

void ob_tag_check_left(struct ob_header *header)
{
    struct ob_tags *tags = header->tags;
    header->tags = NULL;
    for (ULONG i = 0; tags != NULL && !tags->is_full && i < tags->count; i++) {
        if (tags->entry[i].references > 0) {
            ke_warning("OB-18",
                       "the last reference to the %s object %p was dropped; %d that were taken "
                       "with the tag '%s' were dropped without it",
                       header->type->name, (const void *)(header + 1), tags->entry[i].references,
                       text_of(tags->entry[i].tag).text);
        }
    }
    free(tags);
}
