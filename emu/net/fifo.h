/*
 * A list of what waits for its turn, each thing in it at most once. No lock; memory is the owner's.
 *
 * Header only: the stand-in for emu/net/uv that the tests have takes nothing of the library.
 */
#ifndef NET_FIFO_H
#define NET_FIFO_H

#include <stdbool.h>
#include <stddef.h>

struct net_link {
    struct net_link *next;
    bool is_listed;
};

struct net_fifo {
    struct net_link *first; /* NULL: empty */
    struct net_link *last;
};

/* The structure that a link is a member of; NULL for NULL. */
#define NET_OF_LINK(link, type, member) ((type *)net_of_link(link, offsetof(type, member)))

static inline void *net_of_link(struct net_link *link, size_t offset)
{
    return link == NULL ? NULL : (char *)link - offset;
}

/* Whether it was not in a list yet. */
static inline bool net_fifo_append(struct net_fifo *fifo, struct net_link *link)
{
    if (link->is_listed) {
        return false;
    }
    *link = (struct net_link){.is_listed = true};
    if (fifo->first == NULL) {
        fifo->first = link;
    } else {
        fifo->last->next = link;
    }
    fifo->last = link;
    return true;
}

/* NULL if it is empty. */
static inline struct net_link *net_fifo_take(struct net_fifo *fifo)
{
    struct net_link *link = fifo->first;
    if (link != NULL) {
        fifo->first = link->next;
        link->is_listed = false;
    }
    return link;
}

#endif
