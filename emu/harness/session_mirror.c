/*
 * The machine's own sessions, mirrored.
 *
 * A worker waits for the login manager. Whenever something may have changed it takes the whole list
 * and moves each session here, one event at a time, towards what the list says; sessions that are
 * not in it any more are terminated. It never asks what happened, only what is, so that a signal
 * missed, doubled or late makes no difference.
 */
#include "harness/session_mirror.h"

#include "base/log.h"
#include "base/logins.h"
#include "io/io.h"
#include "ke/limit.h"
#include "ps/thread.h"

#include <wskemu/session.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 8 /* from any state to any other */

/* A session of the login manager's, under its name here. */
struct mirrored {
    LIST_ENTRY link;
    char name[BASE_LOGIN_NAME_BYTES];
    ULONG id;
    bool is_there; /* in the list that is being taken */
};

struct mirror {
    struct ke_kernel *kernel;
    struct base_logins *logins;
    struct _KTHREAD *worker;
    LIST_ENTRY sessions;
    ULONG next_id;
    atomic_bool is_ending;
};

/* The one of the running kernel, or of one that was abandoned. */
static struct mirror *_Atomic current;

static bool is_free(ULONG id)
{
    IO_SESSION_STATE_INFORMATION information;
    return !NT_SUCCESS(wskemu_session_query(id, &information)) ||
           information.SessionState == IoSessionStateTerminated;
}

/* A number's own value where that is free, else the next of our own. */
static ULONG choose_id(struct mirror *mirror, const char *name)
{
    ULONG id = 0;
    const char *digit = name;
    while (*digit >= '0' && *digit <= '9' && id < WSKEMU_SESSION_ID_FIRST) {
        id = id * 10 + (ULONG)(*digit++ - '0');
    }
    if (*digit == '\0' && id != 0 && id < WSKEMU_SESSION_ID_FIRST && is_free(id)) {
        return id;
    }
    while (!is_free(mirror->next_id)) {
        mirror->next_id++;
    }
    return mirror->next_id++;
}

static struct mirrored *find(struct mirror *mirror, const char *name)
{
    for (LIST_ENTRY *entry = mirror->sessions.Flink; entry != &mirror->sessions;
         entry = entry->Flink) {
        struct mirrored *mirrored = CONTAINING_RECORD(entry, struct mirrored, link);
        if (strcmp(mirrored->name, name) == 0) {
            return mirrored;
        }
    }
    return NULL;
}

static struct mirrored *find_or_add(struct mirror *mirror, const char *name)
{
    struct mirrored *mirrored = find(mirror, name);
    if (mirrored != NULL) {
        return mirrored;
    }
    mirrored = calloc(1, sizeof(*mirrored));
    if (mirrored != NULL) {
        strcpy(mirrored->name, name);
        mirrored->id = choose_id(mirror, name);
        InsertTailList(&mirror->sessions, &mirrored->link);
        wskemu_session_create(mirrored->id);
    }
    return mirrored;
}

/* What comes next on the way to what the login is; Ignore when nothing does. */
static IO_SESSION_EVENT next_event(IO_SESSION_STATE state, const struct base_login *login)
{
    bool has_user = !login->is_greeter && !login->is_closing;
    switch (state) {
    case IoSessionStateCreated:
        return login->is_active ? IoSessionEventConnected : IoSessionEventDisconnected;
    case IoSessionStateConnected:
        if (!login->is_active) {
            return IoSessionEventDisconnected;
        }
        return has_user ? IoSessionEventLogon : IoSessionEventIgnore;
    case IoSessionStateDisconnected:
        if (login->is_active && !login->is_closing) {
            return IoSessionEventConnected;
        }
        return has_user ? IoSessionEventLogon : IoSessionEventIgnore;
    case IoSessionStateLoggedOn:
        if (!has_user) {
            return IoSessionEventLogoff;
        }
        return login->is_active ? IoSessionEventIgnore : IoSessionEventDisconnected;
    case IoSessionStateDisconnectedLoggedOn:
        if (!has_user) {
            return IoSessionEventLogoff;
        }
        return login->is_active ? IoSessionEventConnected : IoSessionEventIgnore;
    default:
        return IoSessionEventIgnore;
    }
}

/* Moves the session until it is what the login is. */
static void follow(ULONG id, const struct base_login *login)
{
    IO_SESSION_STATE_INFORMATION information;
    for (int step = 0; step < STEPS_MAX; step++) {
        if (!NT_SUCCESS(wskemu_session_query(id, &information))) {
            return;
        }
        IO_SESSION_EVENT event = next_event(information.SessionState, login);
        if (event == IoSessionEventIgnore ||
            !NT_SUCCESS(wskemu_session_event(id, event, !login->is_remote))) {
            return;
        }
    }
}

static void visit(void *context, const struct base_login *login)
{
    struct mirrored *mirrored = find_or_add(context, login->name);
    if (mirrored != NULL) {
        mirrored->is_there = true;
        follow(mirrored->id, login);
    }
}

static void forget_who_is_there(struct mirror *mirror)
{
    for (LIST_ENTRY *entry = mirror->sessions.Flink; entry != &mirror->sessions;
         entry = entry->Flink) {
        CONTAINING_RECORD(entry, struct mirrored, link)->is_there = false;
    }
}

/* Terminates what the list did not have. */
static void drop_missing(struct mirror *mirror)
{
    LIST_ENTRY *entry = mirror->sessions.Flink;
    while (entry != &mirror->sessions) {
        struct mirrored *mirrored = CONTAINING_RECORD(entry, struct mirrored, link);
        entry = entry->Flink;
        if (!mirrored->is_there) {
            wskemu_session_terminate(mirrored->id);
            RemoveEntryList(&mirrored->link);
            free(mirrored);
        }
    }
}

static void run(void *context)
{
    struct mirror *mirror = context;
    while (base_logins_wait(mirror->logins)) {
        forget_who_is_there(mirror);
        /* A manager that does not answer changes nothing; it is asked again when it is back. */
        if (base_logins_list(mirror->logins, visit, mirror)) {
            drop_missing(mirror);
        }
    }
    if (!atomic_load(&mirror->is_ending)) {
        base_log("sessions: the system bus is gone; the sessions stay as they are\n");
    }
}

static void free_mirror(struct mirror *mirror)
{
    while (!IsListEmpty(&mirror->sessions)) {
        free(CONTAINING_RECORD(RemoveHeadList(&mirror->sessions), struct mirrored, link));
    }
    if (mirror->logins != NULL) {
        base_logins_close(mirror->logins);
    }
    free(mirror);
}

static NTSTATUS open_mirror(struct mirror *mirror)
{
    const char *why;
    InitializeListHead(&mirror->sessions);
    mirror->kernel = ke_kernel();
    mirror->next_id = WSKEMU_SESSION_ID_FIRST;
    mirror->logins = base_logins_open(&why);
    if (mirror->logins == NULL) {
        base_log("sessions: %s\n", why);
        return STATUS_DEVICE_NOT_CONNECTED;
    }
    io_sessions_allow_reconnect();
    return ps_start_worker("session mirror", run, mirror, &mirror->worker);
}

NTSTATUS wskemu_session_mirror_start(const char *manager)
{
    struct mirror *running = atomic_load(&current);
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (strcmp(manager, "logind") != 0 || !base_logins_are_supported()) {
        return STATUS_NOT_SUPPORTED;
    }
    if (running != NULL && running->kernel == ke_kernel()) {
        return STATUS_DEVICE_ALREADY_ATTACHED;
    }
    struct mirror *mirror = calloc(1, sizeof(*mirror));
    if (mirror == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS status = open_mirror(mirror);
    if (!NT_SUCCESS(status)) {
        free_mirror(mirror);
        return status;
    }
    atomic_store(&current, mirror);
    return STATUS_SUCCESS;
}

/* One that an abandoned kernel left is left, too: its worker may still use it. */
void session_mirror_end(void)
{
    struct mirror *mirror = atomic_exchange(&current, NULL);
    if (mirror != NULL && mirror->kernel == ke_kernel()) {
        atomic_store(&mirror->is_ending, true);
        base_logins_end(mirror->logins);
        ps_join_worker(mirror->worker);
        free_mirror(mirror);
    }
}

void wskemu_session_mirror_stop(void)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    session_mirror_end();
}
