/*
 * A look at a running kernel from a thread of its own: each part's lists under that part's lock.
 * What can be many is copied first, so that nobody waits while call sites are looked up.
 */
#include "harness/status.h"

#include "base/clock.h"
#include "base/stack.h"
#include "ex/pool.h"
#include "harness/activity.h"
#include "harness/report.h"
#include "io/driver.h"
#include "io/io.h"
#include "ke/wait.h"
#include "ps/thread.h"
#include "trace/address.h"
#include "wsk/wsk.h"

#include <wskemu/session.h>

#include <stdio.h>
#include <stdlib.h>

#define IRPS_MAX 4096
#define SESSIONS_MAX 256
#define TAGS_MAX 1024

static void report_address(struct report *report, const char *name,
                           const struct net_address *address)
{
    char text[TRACE_ADDRESS_BYTES];
    trace_address_write((unsigned)address->family, address->bytes, address->port, text);
    report_text(report, name, text);
}

/* ---- drivers ---- */

static void report_drivers(struct report *report)
{
    struct io_drivers *drivers = &io_state()->drivers;
    report_section(report, "drivers");
    io_drivers_lock();
    for (LIST_ENTRY *entry = drivers->loaded.Flink; entry != &drivers->loaded;
         entry = entry->Flink) {
        const struct io_driver *driver = CONTAINING_RECORD(entry, struct io_driver, link);
        unsigned devices = 0;
        for (PDEVICE_OBJECT device = driver->object.DeviceObject; device != NULL;
             device = device->NextDevice) {
            devices++;
        }
        report_row(report);
        report_text(report, "name", driver->image->name);
        report_number(report, "devices", devices);
    }
    io_drivers_unlock();
}

/* ---- sockets ---- */

static const char *kind_of(const struct wsk_socket *socket)
{
    switch (socket->role) {
    case WSK_ROLE_LISTENER:
        return "listener";
    case WSK_ROLE_CONNECTION:
        return "connection";
    case WSK_ROLE_DATAGRAM:
        return "datagram";
    default:
        return socket->category == WSK_FLAG_STREAM_SOCKET ? "stream" : "basic";
    }
}

static const char *state_of(const struct wsk_socket *socket)
{
    static const char *const states[] = {
        [WSK_OPENED] = "opened",         [WSK_BOUND] = "bound",
        [WSK_CONNECTING] = "connecting", [WSK_CONNECTED] = "connected",
        [WSK_LISTENING] = "listening",
    };
    return socket->is_closing ? "closing" : socket->is_dead ? "dead" : states[socket->state];
}

static unsigned length_of(const LIST_ENTRY *list)
{
    unsigned length = 0;
    for (const LIST_ENTRY *entry = list->Flink; entry != list; entry = entry->Flink) {
        length++;
    }
    return length;
}

/* The lock of the list of sockets is held; a socket's own comes before it, so it is only tried. */
static void report_socket(struct report *report, struct wsk_socket *socket)
{
    struct activity_bytes bytes = activity_bytes_of(socket);
    report_row(report);
    report_text(report, "kind", kind_of(socket));
    if (!base_mutex_try_lock(&socket->lock)) {
        report_text(report, "state", "busy");
        return;
    }
    const struct net_address none = {0};
    report_text(report, "state", state_of(socket));
    report_address(report, "local", &socket->local);
    report_address(report, "remote", socket->state == WSK_CONNECTED ? &socket->remote : &none);
    report_number(report, "receives", length_of(&socket->receive.pending));
    report_number(report, "sends", length_of(&socket->send.pending));
    wsk_socket_unlock(socket);
    report_number(report, "bytes_in", bytes.received);
    report_number(report, "bytes_out", bytes.sent);
}

static void report_sockets(struct report *report)
{
    struct wsk_state *wsk = wsk_state();
    report_section(report, "sockets");
    base_mutex_lock(&wsk->lock);
    for (LIST_ENTRY *entry = wsk->sockets.Flink; entry != &wsk->sockets; entry = entry->Flink) {
        report_socket(report, CONTAINING_RECORD(entry, struct wsk_socket, link));
    }
    base_mutex_unlock(&wsk->lock);
}

/* ---- IRPs ---- */

static void report_irps(struct report *report)
{
    struct activity_irp *irps = calloc(IRPS_MAX, sizeof(*irps));
    report_section(report, "irps");
    if (irps == NULL) {
        return;
    }
    unsigned total = activity_irps(irps, IRPS_MAX);
    uint64_t now_ns = base_clock_ns();
    for (unsigned i = 0; i < total && i < IRPS_MAX; i++) {
        char address[32];
        const char *site = (const char *)irps[i].site;
        snprintf(address, sizeof(address), "0x%llx", (unsigned long long)(ULONG_PTR)irps[i].irp);
        report_row(report);
        report_text(report, "irp", address);
        report_text(report, "call", irps[i].function != NULL ? irps[i].function : "IofCallDriver");
        report_seconds(report, "seconds", now_ns - irps[i].since_ns);
        report_text(report, "site", site != NULL ? base_stack_site(site + 1).text : "-");
    }
    free(irps);
}

/* ---- threads ---- */

struct seen_thread {
    ULONG_PTR id;
    const char *name;
    KIRQL irql;
    const void *waits_for;
    bool is_adopted;
    bool is_driver;
    const void *routine;
};

static void report_thread(struct report *report, const struct seen_thread *seen)
{
    char text[32];
    report_row(report);
    report_number(report, "id", seen->id);
    report_text(report, "name",
                seen->name != NULL ? seen->name
                : seen->is_driver  ? base_stack_site_of(seen->routine).text
                                   : "host");
    report_number(report, "irql", seen->irql);
    if (seen->waits_for != NULL) {
        snprintf(text, sizeof(text), "0x%llx", (unsigned long long)(ULONG_PTR)seen->waits_for);
        report_text(report, "waits_for", text);
    }
}

static void report_threads(struct report *report)
{
    struct seen_thread *seen;
    unsigned count = 0, room;
    report_section(report, "threads");
    LIST_ENTRY *head = &ke_kernel()->threads.all;
    ke_lock();
    room = length_of(head);
    seen = calloc(room, sizeof(*seen));
    for (LIST_ENTRY *entry = head->Flink; entry != head && seen != NULL; entry = entry->Flink) {
        const struct _ETHREAD *thread = CONTAINING_RECORD(entry, struct _ETHREAD, Tcb.link);
        if (&thread->Tcb == ke_current()) {
            continue; /* it only asks */
        }
        seen[count++] = (struct seen_thread){
            .id = thread->id,
            .name = thread->name,
            .irql = __atomic_load_n(&thread->Tcb.irql, __ATOMIC_RELAXED),
            .waits_for = thread->Tcb.wait != NULL ? thread->Tcb.wait->what : NULL,
            .is_driver = thread->is_system && thread->name == NULL,
            .routine = (const void *)(ULONG_PTR)thread->start_routine,
        };
    }
    ke_unlock();
    for (unsigned i = 0; i < count; i++) {
        report_thread(report, &seen[i]);
    }
    free(seen);
}

/* ---- pool ---- */

struct tag_use {
    ULONG tag;
    uint64_t blocks;
    uint64_t bytes;
};

struct pool_use {
    struct tag_use tags[TAGS_MAX];
    unsigned count;
};

static void count_block(void *context, const struct ex_pool_info *info)
{
    struct pool_use *use = context;
    unsigned i = 0;
    while (i < use->count && use->tags[i].tag != info->tag) {
        i++;
    }
    if (i == TAGS_MAX) {
        return;
    }
    if (i == use->count) {
        use->tags[use->count++] = (struct tag_use){.tag = info->tag};
    }
    use->tags[i].blocks++;
    use->tags[i].bytes += info->bytes;
}

static void report_pool(struct report *report)
{
    struct pool_use *use = calloc(1, sizeof(*use));
    report_section(report, "pool");
    if (use == NULL) {
        return;
    }
    ex_pool_each(count_block, use);
    for (unsigned i = 0; i < use->count; i++) {
        char tag[5] = {0};
        for (int j = 0; j < 4; j++) {
            char c = (char)(use->tags[i].tag >> (8 * j));
            tag[j] = (char)(c >= ' ' && c < 0x7F ? c : '.');
        }
        report_row(report);
        report_text(report, "tag", tag);
        report_number(report, "blocks", use->tags[i].blocks);
        report_number(report, "bytes", use->tags[i].bytes);
    }
    free(use);
}

/* ---- sessions ---- */

static void report_sessions(struct report *report)
{
    IO_SESSION_STATE_INFORMATION *list = calloc(SESSIONS_MAX, sizeof(*list));
    report_section(report, "sessions");
    if (list == NULL) {
        return;
    }
    ULONG count = wskemu_session_list(list, SESSIONS_MAX);
    for (ULONG i = 0; i < count && i < SESSIONS_MAX; i++) {
        const char *state = wskemu_session_state_name(list[i].SessionState);
        report_row(report);
        report_number(report, "id", list[i].SessionId);
        report_text(report, "state", state != NULL ? state : "?");
        report_text(report, "where", list[i].LocalSession ? "local" : "remote");
    }
    free(list);
}

char *status_report(bool is_json)
{
    struct report report;
    report_begin(&report, is_json);
    report_drivers(&report);
    report_sockets(&report);
    report_irps(&report);
    report_threads(&report);
    report_pool(&report);
    report_sessions(&report);
    return report_end(&report);
}
