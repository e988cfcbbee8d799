#include "loopback/memory.h"

#include "base/park.h"

#include <stdlib.h>

void memory_notify(struct net_socket *socket)
{
    if (socket->is_closing || (memory_events(socket) & socket->wanted) != 0) {
        if (net_fifo_append(&socket->loop->ready, &socket->ready)) {
            base_park_wake(socket->loop->park);
        }
    }
}

static bool has_work(struct net_loop *loop)
{
    base_mutex_lock(&loop->net->lock);
    bool has = loop->ready.first != NULL;
    base_mutex_unlock(&loop->net->lock);
    return has || (loop == &loop->net->loops[0] && memory_has_answers(loop->net));
}

static bool poll_loop(void *context, uint64_t deadline_ns)
{
    struct net_loop *loop = context;
    if (!has_work(loop)) {
        base_park_wait(loop->park, deadline_ns);
    }
    return has_work(loop);
}

static void remove_socket(struct net_socket *socket)
{
    struct net_socket **link = &socket->net->sockets;
    while (*link != socket) {
        link = &(*link)->next;
    }
    *link = socket->next;
    socket->loop->watched--;
}

static void deliver_closed(struct net_socket *socket)
{
    base_mutex_lock(&socket->net->lock);
    remove_socket(socket);
    memory_free_packets(socket);
    base_mutex_unlock(&socket->net->lock);
    struct net_callbacks callbacks = socket->callbacks;
    void *context = socket->context;
    free(socket->stream);
    free(socket);
    callbacks.on_closed(context);
}

/* Delivers for the first of the batch; false if there is none. A level that is still there
 * afterwards makes the socket ready again. */
static bool deliver_first(struct net *net, struct net_fifo *batch)
{
    base_mutex_lock(&net->lock);
    struct net_socket *socket = NET_OF_LINK(net_fifo_take(batch), struct net_socket, ready);
    if (socket == NULL) {
        base_mutex_unlock(&net->lock);
        return false;
    }
    bool is_closing = socket->is_closing;
    unsigned told = memory_events(socket) & socket->wanted;
    socket->wanted &= ~(told & NET_HUNG_UP);
    base_mutex_unlock(&net->lock);
    if (is_closing) {
        deliver_closed(socket);
        return true;
    }
    if (told != 0) {
        socket->callbacks.on_ready(socket->context, told);
    }
    base_mutex_lock(&net->lock);
    memory_notify(socket);
    base_mutex_unlock(&net->lock);
    return true;
}

static void deliver(void *context)
{
    struct net_loop *loop = context;
    base_mutex_lock(&loop->net->lock);
    struct net_fifo batch = loop->ready;
    loop->ready = (struct net_fifo){0};
    base_mutex_unlock(&loop->net->lock);
    while (deliver_first(loop->net, &batch)) {
    }
    if (loop == &loop->net->loops[0]) {
        memory_deliver_answers(loop->net);
    }
}

static void kick(void *context)
{
    struct net_loop *loop = context;
    base_park_wake(loop->park);
}

static bool active(void *context)
{
    struct net_loop *loop = context;
    base_mutex_lock(&loop->net->lock);
    bool has_lookups = loop == &loop->net->loops[0] && loop->net->lookups != NULL;
    bool is_active = loop->watched != 0 || has_lookups;
    base_mutex_unlock(&loop->net->lock);
    return is_active;
}

enum net_error net_open(struct net **out, unsigned loops, struct base_poller *pollers)
{
    if (loops == 0 || loops > NET_LOOPS_MAX) {
        return NET_INVALID;
    }
    struct net *net = calloc(1, sizeof(*net));
    if (net == NULL) {
        return NET_NO_MEMORY;
    }
    base_mutex_init(&net->lock);
    net->count = loops;
    net->port = 49151;
    for (unsigned i = 0; i < loops; i++) {
        net->loops[i] =
            (struct net_loop){.net = net, .poller = &pollers[i], .park = base_park_create()};
        pollers[i].context = &net->loops[i];
        pollers[i].poll = poll_loop;
        pollers[i].deliver = deliver;
        pollers[i].kick = kick;
        pollers[i].active = active;
    }
    *out = net;
    return NET_OK;
}

void net_destroy(struct net *net)
{
    memory_forget_lookups(net);
    for (unsigned i = 0; i < net->count; i++) {
        while (net->loops[i].ready.first != NULL) {
            deliver(&net->loops[i]);
        }
        base_park_release(net->loops[i].park);
    }
    base_mutex_destroy(&net->lock);
    free(net);
}

struct net_socket *memory_socket(struct net *net, enum net_family family, enum net_type type)
{
    struct net_socket *socket = calloc(1, sizeof(*socket));
    if (socket == NULL) {
        return NULL;
    }
    socket->net = net;
    socket->loop = &net->loops[net->made++ % net->count];
    socket->family = family;
    socket->type = type;
    socket->local = (struct net_address){.family = family};
    socket->options[NET_OPTION_IPV6_ONLY] = family == NET_IPV6;
    socket->options[NET_OPTION_HOP_LIMIT] = 128;
    socket->packets_end = &socket->packets;
    socket->next = net->sockets;
    net->sockets = socket;
    return socket;
}

enum net_error net_socket_open(struct net *net, enum net_family family, enum net_type type,
                               int protocol, const struct net_callbacks *callbacks, void *context,
                               struct net_socket **socket)
{
    (void)protocol;
    if (type == NET_RAW) {
        return NET_NOT_SUPPORTED;
    }
    base_mutex_lock(&net->lock);
    *socket = memory_socket(net, family, type);
    if (*socket != NULL) {
        (*socket)->callbacks = *callbacks;
        (*socket)->context = context;
    }
    base_mutex_unlock(&net->lock);
    return *socket != NULL ? NET_OK : NET_NO_MEMORY;
}

/* Counts the socket as watched. Returns whether it is the loop's first. */
static bool watch(struct net_socket *socket)
{
    if (socket->is_watched) {
        return false;
    }
    socket->is_watched = true;
    return socket->loop->watched++ == 0;
}

void net_want(struct net_socket *socket, unsigned events)
{
    const struct base_poller *poller = socket->loop->poller;
    base_mutex_lock(&socket->net->lock);
    socket->wanted = events;
    bool is_first = events != 0 && watch(socket);
    memory_notify(socket);
    base_mutex_unlock(&socket->net->lock);
    if (is_first) {
        base_poller_tell_active(poller);
    }
}

void net_close(struct net_socket *socket, bool is_abortive)
{
    const struct base_poller *poller = socket->loop->poller;
    struct net *net = socket->net;
    base_mutex_lock(&net->lock);
    memory_disconnect(socket, is_abortive);
    socket->is_closing = true;
    socket->is_bound = false;
    bool is_first = watch(socket);
    memory_notify(socket);
    base_mutex_unlock(&net->lock);
    if (is_first) {
        base_poller_tell_active(poller);
    }
}
