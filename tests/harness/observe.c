/* Observers: what they are told, and in which order. */
#include "wsk_end.h"

#include <wskemu/observe.h>

#include <stdatomic.h>
#include <string.h>

#define EVENTS_MAX 256

struct seen {
    enum wskemu_event_kind kind;
    char name[40];
    PIRP irp;
    KIRQL irql;
    BOOLEAN has_status;
    NTSTATUS status;
};

static struct seen seen[EVENTS_MAX];
static atomic_uint seen_count;

static void note(void *context, const struct wskemu_event *event)
{
    unsigned place = atomic_fetch_add(&seen_count, 1);
    if (context != seen || place >= EVENTS_MAX) {
        return;
    }
    strncpy(seen[place].name, event->name != NULL ? event->name : "", sizeof(seen->name) - 1);
    seen[place].kind = event->kind;
    seen[place].irp = event->irp;
    seen[place].irql = event->irql;
    seen[place].has_status = event->has_status;
    seen[place].status = event->status;
}

/* The first such event from *place on, of that name (NULL: any); *place is then behind it. */
static const struct seen *find(unsigned *place, enum wskemu_event_kind kind, const char *name)
{
    for (; *place < atomic_load(&seen_count); (*place)++) {
        const struct seen *event = &seen[*place];
        if (event->kind == kind && (name == NULL || strcmp(event->name, name) == 0)) {
            (*place)++;
            return event;
        }
    }
    return NULL;
}

static void make_and_close_a_socket(struct wsk_end *end)
{
    assert_int_equal(open_wsk(end), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    assert_non_null(socket);
    assert_int_equal(close_socket(end, socket), STATUS_SUCCESS);
    close_wsk(end);
}

static void an_observer_is_told_of_calls_and_completions_in_order(void **state)
{
    struct wsk_end end;
    unsigned place = 0;
    (void)state;
    atomic_store(&seen_count, 0);
    wskemu_observe(note, seen);
    make_and_close_a_socket(&end);
    wskemu_observe(NULL, NULL);
    assert_non_null(find(&place, WSKEMU_EVENT_CALL, "WskRegister"));
    const struct seen *call = find(&place, WSKEMU_EVENT_CALL, "WskSocket");
    assert_non_null(call);
    assert_non_null(call->irp);
    assert_int_equal(call->irql, PASSIVE_LEVEL);
    const struct seen *completion = find(&place, WSKEMU_EVENT_COMPLETION, NULL);
    assert_non_null(completion);
    assert_ptr_equal(completion->irp, call->irp);
    assert_int_equal(completion->status, STATUS_SUCCESS);
    assert_non_null(find(&place, WSKEMU_EVENT_CALLBACK, "a completion routine"));
    const struct seen *returned =
        find(&place, WSKEMU_EVENT_CALLBACK_RETURN, "a completion routine");
    assert_non_null(returned);
    assert_true(returned->has_status);
    assert_int_equal(returned->status, STATUS_MORE_PROCESSING_REQUIRED);
    assert_non_null(find(&place, WSKEMU_EVENT_CALL, "WskCloseSocket"));
    assert_non_null(find(&place, WSKEMU_EVENT_CALL, "WskDeregister"));
}

static void without_an_observer_nobody_is_told(void **state)
{
    struct wsk_end end;
    (void)state;
    atomic_store(&seen_count, 0);
    wskemu_observe(note, seen);
    wskemu_observe(NULL, NULL);
    make_and_close_a_socket(&end);
    assert_int_equal(atomic_load(&seen_count), 0);
}

static const struct CMUnitTest tests[] = {
    kernel_test(an_observer_is_told_of_calls_and_completions_in_order),
    kernel_test(without_an_observer_nobody_is_told),
};

TEST_MAIN(tests)
