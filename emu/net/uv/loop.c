/*
 * A loop.
 *
 * Every uv_* call on the loop and its handles is the leader's: the one thread that is in poll or
 * deliver. Everybody else appends the socket to the list of requests under the lock; the leader
 * carries the list out before each poll. uv_async_send is used only when a thread sleeps in poll.
 *
 * uv callbacks only put the socket on the ready list: no driver code runs above a libuv frame. The
 * list is worked off in deliver, after uv_run returned.
 *
 * Readable and writable stay armed while somebody wants them; an event that nobody wants disarms
 * it. So what is wanted again is mostly armed still, and needs no request; the leader, when it
 * disarms, looks once more afterwards what is wanted, and whoever wants looks afterwards what is
 * armed, so that one of them sees the other. A hang-up never goes away again, so it is told once
 * and then no longer wanted, until net_want asks anew. An error stops libuv's handle: all that is
 * wanted is told, and what is still wanted afterwards is armed again by a request of the leader's
 * own.
 */
#include "net/uv/loop.h"

#include "base/clock.h"
#include "base/park.h"
#include "net/uv/descriptor.h"
#include "net/uv/lookup.h"
#include "net/uv/mate.h"

#include <stdlib.h>

#define NS_PER_MS 1000000ULL

/* Polls in a row that hints may spare, so that others are not kept waiting. */
#define HINTED_MAX 16

static void append_ready(struct net_socket *socket)
{
    net_fifo_append(&socket->loop->ready, &socket->ready);
}

static void on_poll(uv_poll_t *handle, int status, int events);

static void disarm(struct net_socket *socket)
{
    atomic_store(&socket->armed, 0);
    socket->polled = 0;
    uv_poll_stop(&socket->poll);
}

static void arm(struct net_socket *socket, unsigned events)
{
    int uv_events = ((events & NET_READABLE) != 0 ? UV_READABLE : 0) |
                    ((events & NET_WRITABLE) != 0 ? UV_WRITABLE : 0) |
                    ((events & NET_HUNG_UP) != 0 ? descriptor_hang_up_events(socket->sock) : 0);
    atomic_store(&socket->armed, events);
    if (uv_events == socket->polled) {
        return;
    }
    if (uv_events == 0) {
        disarm(socket);
        return;
    }
    socket->polled = uv_events;
    uv_poll_start(&socket->poll, uv_events, on_poll);
}

/* An error means: try the call, it returns the real error. */
static unsigned happened_of(const struct net_socket *socket, int status, int events)
{
    if (status < 0) {
        return NET_READABLE | NET_WRITABLE | NET_HUNG_UP;
    }
    bool has_hung_up = (atomic_load(&socket->armed) & NET_HUNG_UP) != 0 &&
                       descriptor_has_hung_up(socket->sock, events);
    return ((events & UV_READABLE) != 0 ? (unsigned)NET_READABLE : 0) |
           ((events & UV_WRITABLE) != 0 ? (unsigned)NET_WRITABLE : 0) |
           (has_hung_up ? (unsigned)NET_HUNG_UP : 0);
}

/* What is wanted of what happened; a hang-up that is told is no longer wanted. */
static unsigned take_wanted(struct net_socket *socket, unsigned happened)
{
    unsigned told = happened & atomic_load(&socket->wanted);
    if ((told & NET_HUNG_UP) != 0) {
        atomic_fetch_and(&socket->wanted, ~(unsigned)NET_HUNG_UP);
    }
    return told;
}

/* Disarms what nobody wants. Who wants more meanwhile may have seen it armed still, so this looks
 * again afterwards. */
static void disarm_unwanted(struct net_socket *socket)
{
    arm(socket, atomic_load(&socket->wanted));
    unsigned armed = atomic_load(&socket->armed);
    arm(socket, armed | atomic_load(&socket->wanted));
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct net_socket *socket = handle->data;
    unsigned happened = happened_of(socket, status, events);
    if ((happened & NET_HUNG_UP) != 0) {
        atomic_store(&socket->has_hung_up, true);
    }
    atomic_store_explicit(&socket->is_told, true, memory_order_relaxed);
    unsigned told = take_wanted(socket, happened);
    if (told != 0) {
        socket->ready_events |= told;
        append_ready(socket);
    }
    if (status < 0) {
        socket->is_broken = true;
        disarm(socket);
    } else if ((atomic_load(&socket->armed) & ~atomic_load(&socket->wanted)) != 0) {
        disarm_unwanted(socket);
    }
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct net_socket *socket = handle->data;
    descriptor_close(socket->sock, socket->is_abortive);
    socket->is_closed = true;
    append_ready(socket);
}

static void close_watched(struct net_socket *socket)
{
    if (!socket->has_poll) {
        descriptor_close(socket->sock, socket->is_abortive);
        socket->is_closed = true;
        append_ready(socket);
        return;
    }
    uv_poll_stop(&socket->poll);
    uv_close((uv_handle_t *)&socket->poll, on_poll_closed);
}

static void carry_out(struct net_socket *socket, bool is_closing)
{
    if (is_closing) {
        close_watched(socket);
        return;
    }
    if (!socket->has_poll) {
        if (uv_poll_init_socket(&socket->loop->loop, &socket->poll, socket->sock) != 0) {
            abort();
        }
        socket->poll.data = socket;
        socket->has_poll = true;
    }
    arm(socket, atomic_load(&socket->armed) | atomic_load(&socket->wanted));
}

/* The first request, or NULL. The lock is held. */
static struct net_socket *next_request(struct net_loop *loop)
{
    return NET_OF_LINK(net_fifo_take(&loop->requests), struct net_socket, request);
}

/* Returns, having noted that the leader polls, whether it was kicked before. */
static bool carry_out_requests(struct net_loop *loop)
{
    struct net_socket *socket;
    base_mutex_lock(&loop->lock);
    while ((socket = next_request(loop)) != NULL) {
        bool is_closing = socket->is_closing;
        base_mutex_unlock(&loop->lock);
        carry_out(socket, is_closing);
        base_mutex_lock(&loop->lock);
    }
    bool was_kicked = loop->is_kicked;
    loop->is_kicked = false;
    mate_take_hints(loop);
    atomic_store_explicit(&loop->is_polling, true, memory_order_relaxed); /* the lock orders it */
    base_mutex_unlock(&loop->lock);
    return was_kicked;
}

/* uv_run runs due timers before it polls, too: without the stop it would then poll for ever. */
static void on_timer(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void on_async(uv_async_t *async)
{
    (void)async;
}

/* Sets the loop's timer; false when the loop must not sleep at all. */
static bool set_timer(struct net_loop *loop, uint64_t deadline_ns)
{
    if (deadline_ns == BASE_FOREVER) {
        uv_timer_stop(&loop->timer);
        return true;
    }
    if (loop->timer_ns == deadline_ns && uv_is_active((uv_handle_t *)&loop->timer)) {
        return true; /* should it be due already, the loop does not sleep */
    }
    uint64_t now = base_clock_ns();
    if (now >= deadline_ns) {
        return false;
    }
    loop->timer_ns = deadline_ns;
    uv_update_time(&loop->loop);
    uv_timer_start(&loop->timer, on_timer, (deadline_ns - now + NS_PER_MS - 1) / NS_PER_MS, 0);
    return true;
}

/* Lookups are delivered with the first loop. */
static bool has_results(const struct net_loop *loop)
{
    return loop == &loop->net->loops[0] && atomic_load(&loop->net->resolved) != 0;
}

/* Whether there is enough to deliver without asking the host. */
static bool is_spared(struct net_loop *loop)
{
    loop->hinted = loop->ready.first != NULL && loop->hinted < HINTED_MAX ? loop->hinted + 1 : 0;
    return loop->hinted != 0;
}

static bool poll_loop(void *context, uint64_t deadline_ns)
{
    struct net_loop *loop = context;
    bool may_sleep = !carry_out_requests(loop) && loop->ready.first == NULL && !has_results(loop);
    if (!is_spared(loop)) {
        may_sleep = may_sleep && set_timer(loop, deadline_ns);
        uv_run(&loop->loop, may_sleep ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    }
    /* Who still sees it set wakes the loop in vain. */
    atomic_store_explicit(&loop->is_polling, false, memory_order_release);
    return loop->ready.first != NULL || has_results(loop);
}

static void free_socket(struct net_socket *socket)
{
    struct net_callbacks callbacks = socket->callbacks;
    void *context = socket->context;
    loop_unwatch(socket->loop);
    free(socket);
    callbacks.on_closed(context);
}

/* Puts the socket on the list of requests; the lock is held. Returns whether to wake the leader. */
static bool request(struct net_socket *socket)
{
    struct net_loop *loop = socket->loop;
    return net_fifo_append(&loop->requests, &socket->request) && atomic_load(&loop->is_polling);
}

/* Arms again what an error disarmed and is still wanted. */
static void renew(struct net_socket *socket)
{
    if (!socket->is_broken) {
        return;
    }
    socket->is_broken = false;
    base_mutex_lock(&socket->loop->lock);
    if (!socket->is_closing && (atomic_load(&socket->wanted) & ~atomic_load(&socket->armed)) != 0) {
        request(socket);
    }
    base_mutex_unlock(&socket->loop->lock);
}

static void deliver(void *context)
{
    struct net_loop *loop = context;
    struct net_socket *socket;
    while ((socket = NET_OF_LINK(net_fifo_take(&loop->ready), struct net_socket, ready)) != NULL) {
        unsigned events = socket->ready_events;
        socket->ready_events = 0;
        if (socket->is_closed) {
            free_socket(socket);
        } else if (events != 0) {
            socket->callbacks.on_ready(socket->context, events);
            renew(socket);
        }
    }
    if (has_results(loop)) {
        lookup_deliver(loop->net);
    }
}

void loop_kick(struct net_loop *loop)
{
    base_mutex_lock(&loop->lock);
    bool is_polling = atomic_load(&loop->is_polling);
    loop->is_kicked = !is_polling;
    base_mutex_unlock(&loop->lock);
    if (is_polling) {
        uv_async_send(&loop->async);
    }
}

static void kick(void *context)
{
    loop_kick(context);
}

static bool active(void *context)
{
    struct net_loop *loop = context;
    return atomic_load(&loop->watched) != 0;
}

void loop_watch(struct net_loop *loop)
{
    if (atomic_fetch_add(&loop->watched, 1) == 0) {
        base_poller_tell_active(loop->poller);
    }
}

void loop_unwatch(struct net_loop *loop)
{
    atomic_fetch_sub(&loop->watched, 1);
}

enum net_error loop_open(struct net_loop *loop, struct net *net, struct base_poller *poller)
{
    loop->net = net;
    loop->poller = poller;
    if (uv_loop_init(&loop->loop) != 0) {
        return NET_TOO_MANY;
    }
    if (uv_async_init(&loop->loop, &loop->async, on_async) != 0) {
        uv_loop_close(&loop->loop);
        return NET_TOO_MANY;
    }
    uv_timer_init(&loop->loop, &loop->timer);
    base_mutex_init(&loop->lock);
    poller->context = loop;
    poller->poll = poll_loop;
    poller->deliver = deliver;
    poller->kick = kick;
    poller->active = active;
    return NET_OK;
}

void loop_close(struct net_loop *loop)
{
    carry_out_requests(loop);
    uv_close((uv_handle_t *)&loop->async, NULL);
    uv_close((uv_handle_t *)&loop->timer, NULL);
    uv_run(&loop->loop, UV_RUN_DEFAULT);
    deliver(loop);
    if (uv_loop_close(&loop->loop) != 0) {
        abort();
    }
    base_mutex_destroy(&loop->lock);
}

/* What a hang-up takes to be watched for depends on what is unread, so that is always asked for. */
static bool is_watched_for(struct net_socket *socket, unsigned events)
{
    return (events & NET_HUNG_UP) == 0 && (events & ~atomic_load(&socket->armed)) == 0;
}

void net_want(struct net_socket *socket, unsigned events)
{
    struct net_loop *loop = socket->loop;
    unsigned more = events & ~atomic_exchange(&socket->wanted, events);
    if (is_watched_for(socket, more)) {
        return;
    }
    base_mutex_lock(&loop->lock);
    bool must_request = !socket->is_closing;
    if (socket->is_closing) {
        atomic_store(&socket->wanted, 0);
    }
    bool is_first = must_request && !socket->is_watched && loop->watched++ == 0;
    socket->is_watched = socket->is_watched || must_request;
    bool must_wake = must_request && request(socket);
    base_mutex_unlock(&loop->lock);
    if (is_first) {
        base_poller_tell_active(loop->poller);
    }
    if (must_wake) {
        uv_async_send(&loop->async);
    }
}

void net_close(struct net_socket *socket, bool is_abortive)
{
    struct net_loop *loop = socket->loop;
    base_mutex_lock(&loop->lock);
    socket->is_closing = true;
    socket->is_abortive = is_abortive;
    mate_part(socket);
    atomic_store(&socket->wanted, 0);
    bool is_direct = !socket->is_watched;
    bool must_wake = !is_direct && request(socket);
    if (is_direct) {
        loop->watched++;
    }
    base_mutex_unlock(&loop->lock);
    if (is_direct) {
        descriptor_close(socket->sock, is_abortive);
        free_socket(socket);
    } else if (must_wake) {
        uv_async_send(&loop->async);
    }
}
