/*
 * Name lookups.
 *
 * The host's lookups cannot be ended and may take as long as they like, so they run on a loop that
 * belongs to the process: the resolver, with a thread of its own, made by the first lookup and
 * never closed. No kernel waits for it.
 *
 * A lookup is shared by its network and the resolver; the resolver's lock guards who still has it.
 * While lookup->net is set it is in that network's list and its answer is wanted. When the answer
 * comes it stays in the list, is_done, until whoever delivers for the first loop takes it out and
 * calls back without the lock. Abandoning takes it out of the list; the one of the two that comes
 * last frees it.
 *
 * At the end of the process libuv joins the threads of its pool and takes the pool down, while the
 * resolver's thread still runs. Handlers of atexit() run before that: ours closes the resolver
 * under its lock, under which every lookup is handed to the pool. Later ones find nothing.
 *
 * Lock order: the resolver's lock, then a loop's.
 */
#include "net/uv/lookup.h"

#include "net/uv/address.h"
#include "net/uv/loop.h"

#include <stdlib.h>
#include <string.h>

struct net_lookup {
    struct net *net; /* NULL: abandoned */
    struct net_lookup *previous;
    struct net_lookup *next;
    struct net_lookup *next_request;
    bool is_done;
    bool is_reverse;
    net_on_resolved *on_resolved;
    void *context;
    char *node;
    char *service;
    struct addrinfo hints;
    struct sockaddr_storage host;
    int flags;
    union {
        uv_getaddrinfo_t forward;
        uv_getnameinfo_t reverse;
    } request;
    struct net_resolved resolved;
};

static struct resolver {
    uv_once_t once;
    bool is_running;
    uv_loop_t loop;
    uv_async_t async;
    uv_thread_t thread;
    struct base_mutex lock; /* guards what follows, every network's lookups, and libuv's pool */
    bool is_closed;         /* the process ends: the pool takes no more */
    struct net_lookup *requests;
    struct net_lookup *requests_last;
} resolver = {.once = UV_ONCE_INIT};

static enum net_error translate(int error)
{
    switch (error) {
    case 0:
        return NET_OK;
    case UV_EAI_MEMORY:
    case UV_ENOMEM:
        return NET_NO_MEMORY;
    case UV_EAI_AGAIN:
        return NET_TIMED_OUT;
    case UV_EAI_FAMILY:
    case UV_EAI_SOCKTYPE:
    case UV_EAI_BADFLAGS:
        return NET_NOT_SUPPORTED;
    case UV_EINVAL:
        return NET_INVALID;
    default:
        return NET_NOT_FOUND;
    }
}

static void free_lookup(struct net_lookup *lookup)
{
    free(lookup->node);
    free(lookup->service);
    free(lookup);
}

static void copy_name(char *to, const char *from)
{
    size_t length = from != NULL ? strlen(from) : 0;
    length = length < NET_NAME_MAX ? length : NET_NAME_MAX - 1;
    memcpy(to, from != NULL ? from : "", length);
    to[length] = '\0';
}

/* ---- the resolver's thread ---- */

static void finish(struct net_lookup *lookup, int error)
{
    lookup->resolved.error = translate(error);
    base_mutex_lock(&resolver.lock);
    struct net *net = lookup->net;
    if (net != NULL) {
        lookup->is_done = true;
        atomic_fetch_add(&net->resolved, 1);
        loop_kick(&net->loops[0]);
    }
    base_mutex_unlock(&resolver.lock);
    if (net == NULL) {
        free_lookup(lookup);
    }
}

static void store_address(struct net_resolved *resolved, const struct addrinfo *info)
{
    struct sockaddr_storage host = {0};
    if (resolved->count == NET_RESOLVED_MAX || info->ai_addrlen > sizeof(host)) {
        return;
    }
    memcpy(&host, info->ai_addr, info->ai_addrlen);
    if (address_from_host(&host, &resolved->addresses[resolved->count])) {
        resolved->count++;
    }
}

static void on_forward(uv_getaddrinfo_t *request, int status, struct addrinfo *infos)
{
    struct net_lookup *lookup = request->data;
    for (const struct addrinfo *info = infos; info != NULL; info = info->ai_next) {
        store_address(&lookup->resolved, info);
    }
    copy_name(lookup->resolved.name, infos != NULL ? infos->ai_canonname : NULL);
    uv_freeaddrinfo(infos);
    finish(lookup, status);
}

static void on_reverse(uv_getnameinfo_t *request, int status, const char *name, const char *service)
{
    struct net_lookup *lookup = request->data;
    copy_name(lookup->resolved.name, name);
    copy_name(lookup->resolved.service, service);
    finish(lookup, status);
}

/* Hands a lookup to libuv's pool. The lock is held. */
static int hand_over(struct net_lookup *lookup)
{
    if (lookup->is_reverse) {
        lookup->request.reverse.data = lookup;
        return uv_getnameinfo(&resolver.loop, &lookup->request.reverse, on_reverse,
                              (struct sockaddr *)&lookup->host, lookup->flags);
    }
    lookup->request.forward.data = lookup;
    return uv_getaddrinfo(&resolver.loop, &lookup->request.forward, on_forward, lookup->node,
                          lookup->service, &lookup->hints);
}

static void begin(struct net_lookup *lookup)
{
    base_mutex_lock(&resolver.lock);
    int error = resolver.is_closed ? UV_ECANCELED : hand_over(lookup);
    base_mutex_unlock(&resolver.lock);
    if (error != 0) {
        finish(lookup, error);
    }
}

static void on_requests(uv_async_t *async)
{
    (void)async;
    base_mutex_lock(&resolver.lock);
    struct net_lookup *lookup = resolver.requests;
    resolver.requests = NULL;
    base_mutex_unlock(&resolver.lock);
    while (lookup != NULL) {
        struct net_lookup *next = lookup->next_request;
        begin(lookup);
        lookup = next;
    }
}

static void run(void *context)
{
    (void)context;
    uv_run(&resolver.loop, UV_RUN_DEFAULT);
}

static void close_resolver(void)
{
    base_mutex_lock(&resolver.lock);
    resolver.is_closed = true;
    base_mutex_unlock(&resolver.lock);
}

static void start_resolver(void)
{
    base_mutex_init(&resolver.lock);
    if (atexit(close_resolver) != 0 || uv_loop_init(&resolver.loop) != 0) {
        return;
    }
    if (uv_async_init(&resolver.loop, &resolver.async, on_requests) != 0) {
        return;
    }
    resolver.is_running = uv_thread_create(&resolver.thread, run, NULL) == 0;
}

/* ---- the networks' side ---- */

/* The resolver's lock is held by the callers of the next three. */

static void attach(struct net_lookup *lookup, struct net *net)
{
    lookup->net = net;
    lookup->next = net->lookups;
    if (net->lookups != NULL) {
        net->lookups->previous = lookup;
    }
    net->lookups = lookup;
}

static void detach(struct net_lookup *lookup)
{
    struct net *net = lookup->net;
    if (lookup->previous != NULL) {
        lookup->previous->next = lookup->next;
    } else {
        net->lookups = lookup->next;
    }
    if (lookup->next != NULL) {
        lookup->next->previous = lookup->previous;
    }
    if (lookup->is_done) {
        atomic_fetch_sub(&net->resolved, 1);
    }
    lookup->net = NULL;
    loop_unwatch(&net->loops[0]);
}

static void append_request(struct net_lookup *lookup)
{
    lookup->next_request = NULL;
    if (resolver.requests == NULL) {
        resolver.requests = lookup;
    } else {
        resolver.requests_last->next_request = lookup;
    }
    resolver.requests_last = lookup;
}

static struct net_lookup *take_done(struct net *net)
{
    base_mutex_lock(&resolver.lock);
    struct net_lookup *lookup = net->lookups;
    while (lookup != NULL && !lookup->is_done) {
        lookup = lookup->next;
    }
    if (lookup != NULL) {
        detach(lookup);
    }
    base_mutex_unlock(&resolver.lock);
    return lookup;
}

void lookup_deliver(struct net *net)
{
    struct net_lookup *lookup;
    while ((lookup = take_done(net)) != NULL) {
        lookup->on_resolved(lookup->context, &lookup->resolved);
        free_lookup(lookup);
    }
}

bool net_lookup_abandon(struct net_lookup *lookup)
{
    base_mutex_lock(&resolver.lock);
    bool is_in_time = lookup->net != NULL;
    bool is_done = lookup->is_done;
    if (is_in_time) {
        detach(lookup);
    }
    base_mutex_unlock(&resolver.lock);
    if (is_in_time && is_done) {
        free_lookup(lookup);
    }
    return is_in_time;
}

/* Without a lookup there may be no resolver yet, and no lock. */
void lookup_abandon_all(struct net *net)
{
    while (net->lookups != NULL) {
        net_lookup_abandon(net->lookups);
    }
}

static struct net_lookup *create(net_on_resolved *on_resolved, void *context)
{
    uv_once(&resolver.once, start_resolver);
    struct net_lookup *lookup = resolver.is_running ? calloc(1, sizeof(*lookup)) : NULL;
    if (lookup == NULL) {
        return NULL;
    }
    lookup->on_resolved = on_resolved;
    lookup->context = context;
    return lookup;
}

static void submit(struct net_lookup *lookup, struct net *net, struct net_lookup **out)
{
    loop_watch(&net->loops[0]);
    *out = lookup;
    base_mutex_lock(&resolver.lock);
    attach(lookup, net);
    append_request(lookup);
    base_mutex_unlock(&resolver.lock);
    uv_async_send(&resolver.async);
}

static bool copy_text(const char *text, char **copy)
{
    *copy = text != NULL ? strdup(text) : NULL;
    return text == NULL || *copy != NULL;
}

static int host_type(enum net_type type)
{
    return type == NET_STREAM ? SOCK_STREAM : type == NET_DATAGRAM ? SOCK_DGRAM : SOCK_RAW;
}

enum net_error net_resolve(struct net *net, const char *node, const char *service,
                           enum net_type type, unsigned family, net_on_resolved *on_resolved,
                           void *context, struct net_lookup **out)
{
    if (node == NULL && service == NULL) {
        return NET_INVALID;
    }
    struct net_lookup *lookup = create(on_resolved, context);
    if (lookup == NULL) {
        return NET_NO_MEMORY;
    }
    if (!copy_text(node, &lookup->node) || !copy_text(service, &lookup->service)) {
        free_lookup(lookup);
        return NET_NO_MEMORY;
    }
    lookup->hints.ai_socktype = host_type(type);
    lookup->hints.ai_family = family == 0 ? AF_UNSPEC : family == NET_IPV4 ? AF_INET : AF_INET6;
    lookup->hints.ai_flags = node != NULL ? AI_CANONNAME : 0;
    submit(lookup, net, out);
    return NET_AGAIN;
}

enum net_error net_resolve_address(struct net *net, const struct net_address *address,
                                   bool is_datagram, net_on_resolved *on_resolved, void *context,
                                   struct net_lookup **out)
{
    struct net_lookup *lookup = create(on_resolved, context);
    if (lookup == NULL) {
        return NET_NO_MEMORY;
    }
    lookup->is_reverse = true;
    lookup->flags = is_datagram ? NI_DGRAM : 0;
    address_to_host(address, &lookup->host);
    submit(lookup, net, out);
    return NET_AGAIN;
}
