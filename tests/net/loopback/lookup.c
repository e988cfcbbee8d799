#include "loopback/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Answers are known at once, and told by the first loop. */
struct net_lookup {
    struct net *net;
    struct net_lookup *next;
    net_on_resolved *on_resolved;
    void *context;
    struct net_resolved resolved;
};

static void remove_lookup(struct net_lookup *lookup)
{
    struct net_lookup **link = &lookup->net->lookups;
    while (*link != lookup) {
        link = &(*link)->next;
    }
    *link = lookup->next;
}

bool memory_has_answers(struct net *net)
{
    base_mutex_lock(&net->lock);
    bool has = net->lookups != NULL;
    base_mutex_unlock(&net->lock);
    return has;
}

static struct net_lookup *take_lookup(struct net *net)
{
    base_mutex_lock(&net->lock);
    struct net_lookup *lookup = net->lookups;
    if (lookup != NULL) {
        remove_lookup(lookup);
    }
    base_mutex_unlock(&net->lock);
    return lookup;
}

void memory_deliver_answers(struct net *net)
{
    struct net_lookup *lookup;
    while ((lookup = take_lookup(net)) != NULL) {
        lookup->on_resolved(lookup->context, &lookup->resolved);
        free(lookup);
    }
}

void memory_forget_lookups(struct net *net)
{
    struct net_lookup *lookup;
    while ((lookup = take_lookup(net)) != NULL) {
        free(lookup);
    }
}

static enum net_error submit(struct net *net, const struct net_resolved *resolved,
                             net_on_resolved *on_resolved, void *context, struct net_lookup **out)
{
    struct net_lookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL) {
        return NET_NO_MEMORY;
    }
    lookup->net = net;
    lookup->on_resolved = on_resolved;
    lookup->context = context;
    lookup->resolved = *resolved;
    *out = lookup;
    base_mutex_lock(&net->lock);
    lookup->next = net->lookups;
    net->lookups = lookup;
    base_mutex_unlock(&net->lock);
    const struct base_poller *poller = net->loops[0].poller;
    poller->kick(poller->context);
    return NET_AGAIN;
}

static bool parse_port(const char *service, uint16_t *port)
{
    char *end = NULL;
    *port = service != NULL ? (uint16_t)strtoul(service, &end, 10) : 0;
    return service == NULL || (*service != '\0' && *end == '\0');
}

static bool is_of_family(const char *node, enum net_family family)
{
    return node == NULL || strcmp(node, "localhost") == 0 ||
           strcmp(node, family == NET_IPV4 ? "127.0.0.1" : "::1") == 0;
}

enum net_error net_resolve(struct net *net, const char *node, const char *service,
                           enum net_type type, unsigned family, net_on_resolved *on_resolved,
                           void *context, struct net_lookup **lookup)
{
    static const enum net_family families[] = {NET_IPV6, NET_IPV4};
    struct net_resolved resolved = {.error = NET_NOT_FOUND};
    uint16_t port;
    (void)type;
    if (node == NULL && service == NULL) {
        return NET_INVALID;
    }
    for (int i = 0; i < 2 && parse_port(service, &port); i++) {
        if ((family == 0 || family == families[i]) && is_of_family(node, families[i])) {
            resolved.addresses[resolved.count++] = memory_loopback(families[i], port);
            resolved.error = NET_OK;
        }
    }
    snprintf(resolved.name, sizeof(resolved.name), "%s", node != NULL ? node : "");
    return submit(net, &resolved, on_resolved, context, lookup);
}

enum net_error net_resolve_address(struct net *net, const struct net_address *address,
                                   bool is_datagram, net_on_resolved *on_resolved, void *context,
                                   struct net_lookup **lookup)
{
    struct net_resolved resolved = {.error = NET_OK, .name = "localhost"};
    (void)is_datagram;
    snprintf(resolved.service, sizeof(resolved.service), "%u", address->port);
    return submit(net, &resolved, on_resolved, context, lookup);
}

bool net_lookup_abandon(struct net_lookup *lookup)
{
    struct net *net = lookup->net;
    bool is_in_time = false;
    base_mutex_lock(&net->lock);
    for (struct net_lookup *each = net->lookups; each != NULL; each = each->next) {
        is_in_time = is_in_time || each == lookup;
    }
    if (is_in_time) {
        remove_lookup(lookup);
    }
    base_mutex_unlock(&net->lock);
    if (is_in_time) {
        free(lookup);
    }
    return is_in_time;
}
