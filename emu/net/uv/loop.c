/*
 * The loop.
 *
 * Every uv_* call on the loop and its handles is the leader's: the one thread that is in poll or
 * deliver. Everybody else appends the socket to the list of requests under the lock; the leader
 * carries the list out before each poll. uv_async_send is used only when a thread sleeps in poll.
 *
 * uv callbacks only put the socket on the ready list: no driver code runs above a libuv frame. The
 * list is worked off in deliver, after uv_run returned.
 *
 * Readable stays armed while somebody wants it. An event that nobody wants disarms it.
 */
#include "net/uv/loop.h"

#include "base/clock.h"
#include "base/park.h"
#include "net/uv/descriptor.h"

#include <stdlib.h>

#define NS_PER_MS 1000000ULL

static void append_ready(struct net_socket *socket)
{
    struct net *net = socket->net;
    if (socket->is_ready) {
        return;
    }
    socket->is_ready = true;
    socket->next_ready = NULL;
    if (net->ready == NULL) {
        net->ready = socket;
    } else {
        net->ready_last->next_ready = socket;
    }
    net->ready_last = socket;
}

static void on_poll(uv_poll_t *handle, int status, int events);

static void arm(struct net_socket *socket, unsigned events)
{
    if (events == socket->armed) {
        return;
    }
    socket->armed = events;
    if (events == 0) {
        uv_poll_stop(&socket->poll);
        return;
    }
    int uv_events = ((events & NET_READABLE) != 0 ? UV_READABLE | UV_DISCONNECT : 0) |
                    ((events & NET_WRITABLE) != 0 ? UV_WRITABLE : 0);
    uv_poll_start(&socket->poll, uv_events, on_poll);
}

static unsigned wanted_of(struct net_socket *socket)
{
    base_mutex_lock(&socket->net->lock);
    unsigned wanted = socket->wanted;
    base_mutex_unlock(&socket->net->lock);
    return wanted;
}

/* An error status means: try the call, it returns the real error. */
static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct net_socket *socket = handle->data;
    unsigned happened = 0;
    if (status < 0 || (events & UV_DISCONNECT) != 0) {
        happened = NET_READABLE | NET_WRITABLE;
    }
    happened |= (events & UV_READABLE) != 0 ? NET_READABLE : 0;
    happened |= (events & UV_WRITABLE) != 0 ? NET_WRITABLE : 0;
    unsigned wanted = wanted_of(socket);
    if ((happened & wanted) != 0) {
        socket->ready_events |= happened & wanted;
        append_ready(socket);
    }
    arm(socket, wanted);
    if (status < 0 && (happened & wanted) == 0) {
        arm(socket, 0);
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

static void carry_out(struct net_socket *socket, unsigned wanted, bool is_closing)
{
    if (is_closing) {
        close_watched(socket);
        return;
    }
    if (!socket->has_poll) {
        if (uv_poll_init_socket(&socket->net->loop, &socket->poll, socket->sock) != 0) {
            abort();
        }
        socket->poll.data = socket;
        socket->has_poll = true;
    }
    arm(socket, socket->armed | wanted);
}

/* Takes one request. Returns NULL when there is none, having noted that the leader polls. */
static struct net_socket *next_request(struct net *net, unsigned *wanted, bool *is_closing)
{
    base_mutex_lock(&net->lock);
    struct net_socket *socket = net->requests;
    if (socket != NULL) {
        net->requests = socket->next_request;
        socket->is_requested = false;
        *wanted = socket->wanted;
        *is_closing = socket->is_closing;
    } else {
        net->is_polling = true;
    }
    base_mutex_unlock(&net->lock);
    return socket;
}

static void carry_out_requests(struct net *net)
{
    unsigned wanted;
    bool is_closing;
    struct net_socket *socket;
    while ((socket = next_request(net, &wanted, &is_closing)) != NULL) {
        carry_out(socket, wanted, is_closing);
    }
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
static bool set_timer(struct net *net, uint64_t deadline_ns)
{
    if (deadline_ns == BASE_FOREVER) {
        uv_timer_stop(&net->timer);
        return true;
    }
    uint64_t now = base_clock_ns();
    if (now >= deadline_ns) {
        return false;
    }
    uv_update_time(&net->loop);
    uv_timer_start(&net->timer, on_timer, (deadline_ns - now + NS_PER_MS - 1) / NS_PER_MS, 0);
    return true;
}

static bool poll_loop(void *context, uint64_t deadline_ns)
{
    struct net *net = context;
    carry_out_requests(net);
    base_mutex_lock(&net->lock);
    bool may_sleep = !net->is_kicked && net->ready == NULL;
    net->is_kicked = false;
    base_mutex_unlock(&net->lock);
    may_sleep = may_sleep && set_timer(net, deadline_ns);
    uv_run(&net->loop, may_sleep ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    base_mutex_lock(&net->lock);
    net->is_polling = false;
    base_mutex_unlock(&net->lock);
    return net->ready != NULL;
}

static void free_socket(struct net_socket *socket)
{
    struct net_callbacks callbacks = socket->callbacks;
    void *context = socket->context;
    struct net *net = socket->net;
    base_mutex_lock(&net->lock);
    net->watched--;
    base_mutex_unlock(&net->lock);
    free(socket);
    callbacks.on_closed(context);
}

static void deliver(void *context)
{
    struct net *net = context;
    while (net->ready != NULL) {
        struct net_socket *socket = net->ready;
        net->ready = socket->next_ready;
        socket->is_ready = false;
        unsigned events = socket->ready_events;
        socket->ready_events = 0;
        if (socket->is_closed) {
            free_socket(socket);
        } else if (events != 0) {
            socket->callbacks.on_ready(socket->context, events);
        }
    }
}

static void kick(void *context)
{
    struct net *net = context;
    base_mutex_lock(&net->lock);
    bool is_polling = net->is_polling;
    net->is_kicked = !is_polling;
    base_mutex_unlock(&net->lock);
    if (is_polling) {
        uv_async_send(&net->async);
    }
}

static bool active(void *context)
{
    struct net *net = context;
    base_mutex_lock(&net->lock);
    bool is_active = net->watched != 0;
    base_mutex_unlock(&net->lock);
    return is_active;
}

enum net_error net_open(struct net **out, struct base_poller *poller)
{
    struct net *net = calloc(1, sizeof(*net));
    if (net == NULL) {
        return NET_NO_MEMORY;
    }
    if (uv_loop_init(&net->loop) != 0) {
        free(net);
        return NET_TOO_MANY;
    }
    if (uv_async_init(&net->loop, &net->async, on_async) != 0) {
        uv_loop_close(&net->loop);
        free(net);
        return NET_TOO_MANY;
    }
    uv_timer_init(&net->loop, &net->timer);
    base_mutex_init(&net->lock);
    *poller = (struct base_poller){
        .context = net, .poll = poll_loop, .deliver = deliver, .kick = kick, .active = active};
    *out = net;
    return NET_OK;
}

void net_destroy(struct net *net)
{
    carry_out_requests(net);
    uv_close((uv_handle_t *)&net->async, NULL);
    uv_close((uv_handle_t *)&net->timer, NULL);
    uv_run(&net->loop, UV_RUN_DEFAULT);
    deliver(net);
    if (uv_loop_close(&net->loop) != 0) {
        abort();
    }
    base_mutex_destroy(&net->lock);
    free(net);
}

/* Puts the socket on the list of requests; the lock is held. Returns whether to wake the leader. */
static bool request(struct net_socket *socket)
{
    struct net *net = socket->net;
    if (!socket->is_watched) {
        socket->is_watched = true;
        net->watched++;
    }
    if (socket->is_requested) {
        return false;
    }
    socket->is_requested = true;
    socket->next_request = NULL;
    if (net->requests == NULL) {
        net->requests = socket;
    } else {
        net->requests_last->next_request = socket;
    }
    net->requests_last = socket;
    return net->is_polling;
}

void net_want(struct net_socket *socket, unsigned events)
{
    struct net *net = socket->net;
    base_mutex_lock(&net->lock);
    bool is_more = (events & ~socket->wanted) != 0;
    socket->wanted = events;
    bool must_wake = is_more && !socket->is_closing && request(socket);
    base_mutex_unlock(&net->lock);
    if (must_wake) {
        uv_async_send(&net->async);
    }
}

void net_close(struct net_socket *socket, bool is_abortive)
{
    struct net *net = socket->net;
    base_mutex_lock(&net->lock);
    socket->is_closing = true;
    socket->is_abortive = is_abortive;
    socket->wanted = 0;
    bool is_direct = !socket->is_watched;
    bool must_wake = !is_direct && request(socket);
    if (is_direct) {
        net->watched++;
    }
    base_mutex_unlock(&net->lock);
    if (is_direct) {
        descriptor_close(socket->sock, is_abortive);
        free_socket(socket);
    } else if (must_wake) {
        uv_async_send(&net->async);
    }
}
