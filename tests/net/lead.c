/* Who delivers for the network while a kernel runs: with one loop, and with two. */
#include "kernel.h"

#include "ke/kernel.h"
#include "net/net.h"
#include "wsk/wsk.h"

#include <stdatomic.h>

struct heard {
    struct net_socket *socket;
    struct net_address address;
    atomic_uint ready;
    atomic_bool is_closed;
    KIRQL irql;
    PKTHREAD thread;
};

static void on_ready(void *context, unsigned events)
{
    struct heard *heard = context;
    heard->irql = KeGetCurrentIrql();
    heard->thread = KeGetCurrentThread();
    net_want(heard->socket, 0);
    atomic_fetch_or(&heard->ready, events);
}

static void on_closed(void *context)
{
    atomic_store(&((struct heard *)context)->is_closed, true);
}

static const struct net_callbacks callbacks = {.on_ready = on_ready, .on_closed = on_closed};

static void hear(struct heard *heard)
{
    memset(heard, 0, sizeof(*heard));
    assert_int_equal(
        net_socket_open(wsk_net(), NET_IPV4, NET_DATAGRAM, 0, &callbacks, heard, &heard->socket),
        NET_OK);
    heard->address = (struct net_address){.family = NET_IPV4, .bytes = {127, 0, 0, 1}};
    assert_int_equal(net_bind(heard->socket, &heard->address), NET_OK);
    assert_int_equal(net_local_address(heard->socket, &heard->address), NET_OK);
    net_want(heard->socket, NET_READABLE);
}

static void call(struct heard *from, const struct heard *to)
{
    struct net_buffer buffer = {"x", 1};
    struct net_datagram datagram = {.buffers = &buffer, .count = 1, .address = to->address};
    unsigned done;
    assert_int_equal(net_send_datagrams(from->socket, &datagram, 1, &done), NET_OK);
}

/* The test computes, and never waits in the kernel. */
static void spin_until_ready(struct heard *heard)
{
    while (atomic_load(&heard->ready) == 0) {
        YieldProcessor();
    }
}

static void close_heard(struct heard *heard)
{
    net_close(heard->socket, false);
    while (!atomic_load(&heard->is_closed)) {
        YieldProcessor();
    }
}

static bool background_sleeps(void)
{
    ke_lock();
    bool sleeps = ke_kernel()->lead.background_sleeps;
    ke_unlock();
    return sleeps;
}

static void boot(ULONG loops)
{
    struct wskemu_options options = {.processors = 4, .loops = loops};
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
}

static void a_sleeping_background_wakes_for_the_first_socket(void **state)
{
    struct heard heard;
    UNREFERENCED_PARAMETER(state);
    boot(1);
    while (!background_sleeps()) {
        YieldProcessor();
    }
    hear(&heard);
    call(&heard, &heard);
    spin_until_ready(&heard);
    assert_int_equal(heard.irql, DISPATCH_LEVEL);
    assert_ptr_not_equal(heard.thread, KeGetCurrentThread());
    close_heard(&heard);
    assert_int_equal(wskemu_shutdown(), 0);
}

static void each_further_loop_has_a_thread_that_delivers(void **state)
{
    struct heard heard[3];
    UNREFERENCED_PARAMETER(state);
    boot(3);
    for (int i = 0; i < 3; i++) {
        hear(&heard[i]);
    }
    for (int i = 0; i < 3; i++) {
        call(&heard[i], &heard[(i + 1) % 3]);
    }
    for (int i = 0; i < 3; i++) {
        spin_until_ready(&heard[i]);
        assert_int_equal(heard[i].irql, DISPATCH_LEVEL);
        assert_ptr_not_equal(heard[i].thread, KeGetCurrentThread());
        for (int j = 0; j < i; j++) {
            assert_ptr_not_equal(heard[i].thread, heard[j].thread);
        }
    }
    for (int i = 0; i < 3; i++) {
        close_heard(&heard[i]);
    }
    assert_int_equal(wskemu_shutdown(), 0);
}

static void stop_the_kernel(void *context)
{
    UNREFERENCED_PARAMETER(context);
    KeBugCheck(MANUALLY_INITIATED_CRASH);
}

static void a_halted_kernel_leaves_its_loops_behind(void **state)
{
    UNREFERENCED_PARAMETER(state);
    for (int i = 0; i < 3; i++) {
        struct heard heard;
        boot(4);
        assert_true(wskemu_catch_bugcheck(stop_the_kernel, NULL, NULL));
        boot(4);
        hear(&heard);
        call(&heard, &heard);
        spin_until_ready(&heard);
        close_heard(&heard);
        assert_int_equal(wskemu_shutdown(), 0);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_sleeping_background_wakes_for_the_first_socket),
    cmocka_unit_test(each_further_loop_has_a_thread_that_delivers),
    cmocka_unit_test(a_halted_kernel_leaves_its_loops_behind),
};

TEST_MAIN(tests)
