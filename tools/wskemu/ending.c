#include "ending.h"

#include "command.h"
#include "kernel.h"
#include "signals.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <uv.h>

static uv_loop_t loop;
static uv_thread_t thread;
static uv_signal_t signals[2];
static uv_timer_t late;
static uv_async_t wake;              /* something below has changed */
static _Atomic uint64_t expected_ms; /* of what main expects; 0: nothing */
static atomic_bool is_over;
static bool was_asked; /* by a signal */
static uint64_t limit_ms;
static void (*on_stop)(void);
static void (*on_leave)(void);

/* Whatever blocks here, a further Ctrl-C ends the program by the host's own means. */
static void let_signals_through(void)
{
    for (int i = 0; i < 2; i++) {
        uv_signal_stop(&signals[i]);
    }
}

static void tell_what_runs(void)
{
    if (!kernel_print_running()) {
        command_complain("which of the driver's routines runs is not known here");
    }
}

_Noreturn static void leave(int status)
{
    on_leave();
    fflush(stderr);
    _Exit(status);
}

static void on_late(uv_timer_t *timer)
{
    (void)timer;
    if (was_asked) {
        command_complain("the driver does not come back. A second Ctrl-C ends it. What runs:");
        tell_what_runs();
        return;
    }
    let_signals_through();
    command_complain("the time of --for is over, and the driver does not come back. What runs:");
    tell_what_runs();
    leave(EXIT_STUCK);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)handle;
    (void)number;
    if (!was_asked) {
        was_asked = true;
        if (limit_ms != 0) {
            uv_timer_start(&late, on_late, limit_ms, 0);
        }
        on_stop();
        return;
    }
    let_signals_through();
    command_complain("ended by a second signal. What ran:");
    tell_what_runs();
    leave(EXIT_INTERRUPT);
}

static void close_one(uv_handle_t *handle, void *context)
{
    (void)context;
    uv_close(handle, NULL);
}

static void on_wake(uv_async_t *async)
{
    (void)async;
    uint64_t milliseconds = atomic_exchange(&expected_ms, 0);
    if (atomic_load(&is_over)) {
        uv_walk(&loop, close_one, NULL);
    } else if (milliseconds != 0 && limit_ms != 0 && !was_asked) {
        uv_timer_start(&late, on_late, milliseconds + limit_ms, 0);
    }
}

static void watch(void *context)
{
    (void)context;
    signals_unblock();
    uv_run(&loop, UV_RUN_DEFAULT);
}

bool ending_start(void (*stop)(void), void (*on_leaving)(void), uint64_t limit)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    on_stop = stop;
    on_leave = on_leaving;
    limit_ms = limit;
    uv_loop_init(&loop);
    uv_async_init(&loop, &wake, on_wake);
    uv_timer_init(&loop, &late);
    for (int i = 0; i < 2; i++) {
        uv_signal_init(&loop, &signals[i]);
        uv_signal_start(&signals[i], on_signal, numbers[i]);
    }
    return uv_thread_create(&thread, watch, NULL) == 0;
}

void ending_expect(uint64_t milliseconds)
{
    if (milliseconds != 0) {
        atomic_store(&expected_ms, milliseconds);
        uv_async_send(&wake);
    }
}

void ending_stop(void)
{
    atomic_store(&is_over, true);
    uv_async_send(&wake);
    uv_thread_join(&thread);
    uv_loop_close(&loop);
}
