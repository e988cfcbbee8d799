/* Sessions: their states, what moves them, what IoGetContainerInformation says of them. */
#include "log.h"
#include "session_driver.h"

static IO_SESSION_STATE state_of(ULONG id)
{
    IO_SESSION_STATE_INFORMATION information;
    assert_int_equal(wskemu_session_query(id, &information), STATUS_SUCCESS);
    assert_int_equal(information.SessionId, id);
    return information.SessionState;
}

static void a_session_begins_initialized_and_unannounced(void **state)
{
    PROVES("SESS-88", "SESS-89");
    struct watch watch;
    begin_watch(&watch, load_plain());
    assert_int_equal(wskemu_session_add(1), STATUS_SUCCESS);
    assert_int_equal(state_of(1), IoSessionStateInitialized);
    assert_int_equal(watch.count, 0);
    assert_int_equal(wskemu_session_add(1), STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(wskemu_session_create(1), STATUS_SUCCESS);
    assert_int_equal(state_of(1), IoSessionStateCreated);
    assert_int_equal(watch.count, 1);
    assert_int_equal(last_noted(&watch)->event, IoSessionEventCreated);
    assert_int_equal(last_noted(&watch)->state.SessionState, IoSessionStateCreated);
    end_watch(&watch);
}

#define NONE ((IO_SESSION_STATE)0) /* there is no such step */

/* Where each event leads from each state: created, terminated, connected, disconnected, logon,
 * logoff. */
static const IO_SESSION_STATE steps[IoSessionStateMax][IoSessionEventMax] = {
    [IoSessionStateInitialized] = {[IoSessionEventCreated] = IoSessionStateCreated},
    [IoSessionStateCreated] = {[IoSessionEventConnected] = IoSessionStateConnected,
                               [IoSessionEventDisconnected] = IoSessionStateDisconnected,
                               [IoSessionEventTerminated] = IoSessionStateTerminated},
    [IoSessionStateConnected] = {[IoSessionEventDisconnected] = IoSessionStateDisconnected,
                                 [IoSessionEventLogon] = IoSessionStateLoggedOn,
                                 [IoSessionEventTerminated] = IoSessionStateTerminated},
    [IoSessionStateDisconnected] = {[IoSessionEventConnected] = IoSessionStateConnected,
                                    [IoSessionEventLogon] = IoSessionStateDisconnectedLoggedOn,
                                    [IoSessionEventTerminated] = IoSessionStateTerminated},
    [IoSessionStateLoggedOn] = {[IoSessionEventDisconnected] = IoSessionStateDisconnectedLoggedOn,
                                [IoSessionEventLogoff] = IoSessionStateLoggedOff,
                                [IoSessionEventTerminated] = IoSessionStateTerminated},
    [IoSessionStateDisconnectedLoggedOn] = {[IoSessionEventLogoff] = IoSessionStateDisconnected,
                                            [IoSessionEventTerminated] = IoSessionStateTerminated},
    [IoSessionStateLoggedOff] = {[IoSessionEventDisconnected] = IoSessionStateDisconnected,
                                 [IoSessionEventTerminated] = IoSessionStateTerminated},
};

/* Events that lead to each state from the start; 0 ends the list. */
static const IO_SESSION_EVENT paths[IoSessionStateMax][4] = {
    [IoSessionStateCreated] = {IoSessionEventCreated},
    [IoSessionStateConnected] = {IoSessionEventCreated, IoSessionEventConnected},
    [IoSessionStateDisconnected] = {IoSessionEventCreated, IoSessionEventDisconnected},
    [IoSessionStateDisconnectedLoggedOn] = {IoSessionEventCreated, IoSessionEventDisconnected,
                                            IoSessionEventLogon},
    [IoSessionStateLoggedOn] = {IoSessionEventCreated, IoSessionEventConnected,
                                IoSessionEventLogon},
    [IoSessionStateLoggedOff] = {IoSessionEventCreated, IoSessionEventConnected,
                                 IoSessionEventLogon, IoSessionEventLogoff},
    [IoSessionStateTerminated] = {IoSessionEventCreated, IoSessionEventTerminated},
};

static void bring_to(ULONG id, IO_SESSION_STATE where)
{
    assert_int_equal(wskemu_session_add(id), STATUS_SUCCESS);
    for (size_t i = 0; i < RTL_NUMBER_OF(paths[where]) && paths[where][i] != 0; i++) {
        assert_int_equal(wskemu_session_event(id, paths[where][i], TRUE), STATUS_SUCCESS);
    }
    assert_int_equal(state_of(id), where);
}

/* One event in one state: the step of the table, told with the state it leads to, or none. */
static void try_step(ULONG id, IO_SESSION_STATE from, IO_SESSION_EVENT event,
                     const struct watch *watch)
{
    bring_to(id, from);
    ULONG before = watch->count;
    IO_SESSION_STATE to = steps[from][event];
    NTSTATUS status = wskemu_session_event(id, event, TRUE);
    if (to == NONE) {
        assert_int_equal(status, STATUS_INVALID_DEVICE_STATE);
        assert_int_equal(state_of(id), from);
        assert_int_equal(watch->count, before);
        return;
    }
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(state_of(id), to);
    assert_int_equal(watch->count, before + 1);
    assert_int_equal(last_noted(watch)->event, event);
    assert_int_equal(last_noted(watch)->state.SessionId, id);
    assert_int_equal(last_noted(watch)->state.SessionState, to);
}

static void the_states_are_those_of_the_table(void **state)
{
    PROVES("SESS-66", "SESS-85", "SESS-89", "SESS-90", "SESS-91", "SESS-92", "SESS-93", "SESS-94",
           "SESS-95", "SESS-97");
    struct watch watch;
    ULONG id = 100;
    begin_watch(&watch, load_plain());
    for (int from = IoSessionStateCreated; from < IoSessionStateTerminated; from++) {
        for (int event = IoSessionEventCreated; event < IoSessionEventMax; event++) {
            try_step(id++, (IO_SESSION_STATE)from, (IO_SESSION_EVENT)event, &watch);
        }
    }
    end_watch(&watch);
}

static void a_terminated_session_stays_so(void **state)
{
    PROVES("SESS-96");
    struct watch watch;
    begin_watch(&watch, load_plain());
    bring_to(1, IoSessionStateTerminated);
    assert_int_equal(last_noted(&watch)->state.SessionState, IoSessionStateTerminated);
    ULONG before = watch.count;
    for (int event = IoSessionEventTerminated; event < IoSessionEventMax; event++) {
        assert_int_equal(wskemu_session_event(1, (IO_SESSION_EVENT)event, TRUE),
                         STATUS_INVALID_DEVICE_STATE);
    }
    assert_int_equal(state_of(1), IoSessionStateTerminated);
    assert_int_equal(watch.count, before);
    /* Its id may be that of another session. */
    assert_int_equal(wskemu_session_create(1), STATUS_SUCCESS);
    assert_int_equal(state_of(1), IoSessionStateCreated);
    end_watch(&watch);
}

static void a_user_may_come_back_where_that_is_asked_for(void **state)
{
    PROVES("SESS-98");
    const struct wskemu_session_options options = {.can_reconnect = TRUE};
    bring_to(1, IoSessionStateDisconnectedLoggedOn);
    assert_int_equal(wskemu_session_connect(1, FALSE), STATUS_INVALID_DEVICE_STATE);
    wskemu_session_configure(&options);
    assert_int_equal(wskemu_session_connect(1, FALSE), STATUS_SUCCESS);
    assert_int_equal(state_of(1), IoSessionStateLoggedOn);
}

/* ---- IoGetContainerInformation ---- */

/* What calls with other parameters said inside a callback. */
struct answers {
    NTSTATUS good;
    NTSTATUS longer;
    NTSTATUS class;
    NTSTATUS object;
    NTSTATUS buffer;
    NTSTATUS length;
    UCHAR bytes[16];
};

static NTSTATUS ask(PVOID session, PVOID object, ULONG event, PVOID context, PVOID payload,
                    ULONG length)
{
    struct answers *answers = context;
    IO_SESSION_STATE_INFORMATION information;
    ULONG size = sizeof(information);
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(event);
    UNREFERENCED_PARAMETER(payload);
    UNREFERENCED_PARAMETER(length);
    RtlFillMemory(answers->bytes, sizeof(answers->bytes), 0xEE);
    answers->good =
        IoGetContainerInformation(IoSessionStateInformation, session, &information, size);
    answers->longer = IoGetContainerInformation(IoSessionStateInformation, session, answers->bytes,
                                                sizeof(answers->bytes));
    answers->class =
        IoGetContainerInformation(IoMaxContainerInformationClass, session, &information, size);
    answers->object =
        IoGetContainerInformation(IoSessionStateInformation, NULL, &information, size);
    answers->buffer = IoGetContainerInformation(IoSessionStateInformation, session, NULL, size);
    answers->length =
        IoGetContainerInformation(IoSessionStateInformation, session, &information, size - 1);
    return STATUS_SUCCESS;
}

static void parameters_of_the_question_are_checked(void **state)
{
    PROVES("SESS-77", "SESS-79", "SESS-80", "SESS-81", "SESS-82");
    struct answers answers;
    IO_SESSION_STATE_INFORMATION information;
    PVOID registration = register_function(load_plain(), ask, &answers);
    make_session(9);
    assert_int_equal(answers.good, STATUS_SUCCESS);
    assert_int_equal(answers.longer, STATUS_SUCCESS);
    assert_int_equal(answers.class, STATUS_INVALID_PARAMETER_1);
    assert_int_equal(answers.object, STATUS_INVALID_PARAMETER_2);
    assert_int_equal(answers.buffer, STATUS_INVALID_PARAMETER_3);
    assert_int_equal(answers.length, STATUS_INVALID_PARAMETER_4);
    RtlCopyMemory(&information, answers.bytes, sizeof(information));
    assert_int_equal(information.SessionId, 9);
    assert_int_equal(information.SessionState, IoSessionStateCreated);
    assert_int_equal(answers.bytes[sizeof(information)], 0xEE); /* nothing behind it */
    IoUnregisterContainerNotification(registration);
}

static void the_answer_says_where_the_user_is(void **state)
{
    PROVES("SESS-86");
    struct watch watch;
    begin_watch(&watch, load_plain());
    for (ULONG id = 1; id <= 2; id++) {
        BOOLEAN is_local = id == 2;
        make_session(id);
        wskemu_session_connect(id, is_local);
        assert_int_equal(last_noted(&watch)->state.LocalSession, is_local);
        wskemu_session_logon(id);
        assert_int_equal(last_noted(&watch)->state.LocalSession, is_local);
        wskemu_session_logoff(id);
        assert_int_equal(last_noted(&watch)->state.LocalSession, is_local);
    }
    end_watch(&watch);
}

/* ---- what a test is told ---- */

static void moving_what_is_not_there_is_refused(void **state)
{
    IO_SESSION_STATE_INFORMATION information;
    assert_int_equal(wskemu_session_connect(4, TRUE), STATUS_NOT_FOUND);
    assert_int_equal(wskemu_session_disconnect(4), STATUS_NOT_FOUND);
    assert_int_equal(wskemu_session_logon(4), STATUS_NOT_FOUND);
    assert_int_equal(wskemu_session_logoff(4), STATUS_NOT_FOUND);
    assert_int_equal(wskemu_session_terminate(4), STATUS_NOT_FOUND);
    assert_int_equal(wskemu_session_query(4, &information), STATUS_NOT_FOUND);
    make_session(4);
    assert_int_equal(wskemu_session_create(4), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(wskemu_session_event(4, (IO_SESSION_EVENT)99, TRUE), STATUS_INVALID_PARAMETER);
}

static void the_list_has_what_has_not_ended(void **state)
{
    IO_SESSION_STATE_INFORMATION list[3];
    assert_int_equal(wskemu_session_list(NULL, 0), 0);
    log_on(3, TRUE);
    make_session(1);
    make_session(2);
    wskemu_session_terminate(1);
    assert_int_equal(wskemu_session_list(list, 1), 2);
    assert_int_equal(wskemu_session_list(list, 3), 2);
    assert_int_equal(list[0].SessionId, 3);
    assert_int_equal(list[0].SessionState, IoSessionStateLoggedOn);
    assert_int_equal(list[0].LocalSession, TRUE);
    assert_int_equal(list[1].SessionId, 2);
}

static void names_go_both_ways(void **state)
{
    for (int event = IoSessionEventCreated; event < IoSessionEventMax; event++) {
        const char *name = wskemu_session_event_name((IO_SESSION_EVENT)event);
        assert_int_equal(wskemu_session_event_of(name), event);
    }
    assert_string_equal(wskemu_session_event_name(IoSessionEventLogoff), "logoff");
    assert_null(wskemu_session_event_name(IoSessionEventIgnore));
    assert_null(wskemu_session_event_name(IoSessionEventMax));
    assert_int_equal(wskemu_session_event_of("lock"), IoSessionEventIgnore);
    for (int where = IoSessionStateCreated; where < IoSessionStateMax; where++) {
        assert_non_null(wskemu_session_state_name((IO_SESSION_STATE)where));
    }
    assert_null(wskemu_session_state_name((IO_SESSION_STATE)0));
    assert_null(wskemu_session_state_name(IoSessionStateMax));
}

/* Moves the session whose callback it is, and another. */
static NTSTATUS move_from_inside(PVOID session, PVOID object, ULONG event, PVOID context,
                                 PVOID payload, ULONG length)
{
    NTSTATUS *answers = context;
    UNREFERENCED_PARAMETER(session);
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(payload);
    UNREFERENCED_PARAMETER(length);
    if (event == IoSessionEventCreated) {
        answers[0] = wskemu_session_connect(1, TRUE);
        answers[1] = wskemu_session_connect(2, TRUE);
    }
    return STATUS_SUCCESS;
}

static void a_callback_cannot_move_its_own_session(void **state)
{
    NTSTATUS answers[2];
    make_session(2);
    PVOID registration = register_function(load_plain(), move_from_inside, answers);
    make_session(1);
    assert_int_equal(answers[0], STATUS_POSSIBLE_DEADLOCK);
    assert_int_equal(answers[1], STATUS_SUCCESS);
    assert_int_equal(state_of(1), IoSessionStateCreated);
    assert_int_equal(state_of(2), IoSessionStateConnected);
    IoUnregisterContainerNotification(registration);
}

/* Threads that toggle one session; the callback sees its events in order. */
struct order {
    LONG inside;
    LONG breaches;
    ULONG last;
    LONG calls;
};

static NTSTATUS check_order(PVOID session, PVOID object, ULONG event, PVOID context, PVOID payload,
                            ULONG length)
{
    struct order *order = context;
    UNREFERENCED_PARAMETER(session);
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(payload);
    UNREFERENCED_PARAMETER(length);
    if (InterlockedIncrement(&order->inside) != 1 || event == order->last) {
        InterlockedIncrement(&order->breaches);
    }
    order->last = event;
    InterlockedIncrement(&order->calls);
    InterlockedDecrement(&order->inside);
    return STATUS_SUCCESS;
}

static VOID toggle(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    for (int i = 0; i < 200; i++) {
        wskemu_session_connect(1, TRUE);
        wskemu_session_disconnect(1);
    }
}

static void events_of_one_session_come_one_after_the_other(void **state)
{
    PROVES("SESS-63", "SESS-97");
    struct order order = {0};
    PKTHREAD threads[3];
    PVOID registration = register_function(load_plain(), check_order, &order);
    make_session(1);
    for (size_t i = 0; i < RTL_NUMBER_OF(threads); i++) {
        threads[i] = start_thread(toggle, NULL);
    }
    for (size_t i = 0; i < RTL_NUMBER_OF(threads); i++) {
        join_thread(threads[i]);
    }
    assert_int_equal(order.breaches, 0);
    assert_true(order.calls > 200);
    IoUnregisterContainerNotification(registration);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_session_begins_initialized_and_unannounced),
    kernel_test(the_states_are_those_of_the_table),
    kernel_test(a_terminated_session_stays_so),
    kernel_test(a_user_may_come_back_where_that_is_asked_for),
    kernel_test(parameters_of_the_question_are_checked),
    kernel_test(the_answer_says_where_the_user_is),
    kernel_test(moving_what_is_not_there_is_refused),
    kernel_test(the_list_has_what_has_not_ended),
    kernel_test(names_go_both_ways),
    kernel_test(a_callback_cannot_move_its_own_session),
    kernel_test(events_of_one_session_come_one_after_the_other),
};

TEST_MAIN(tests)
