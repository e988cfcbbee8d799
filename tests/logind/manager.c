/*
 * A login manager that does as it is told. It takes the name org.freedesktop.login1 on the bus that
 * DBUS_SYSTEM_BUS_ADDRESS names, prints "ready", and obeys its standard input, a line a command,
 * with "done" after each:
 *
 *     add NAME CLASS ACTIVE REMOTE     a session: its class, and 0 or 1 for each of the others
 *     set NAME active|closing          its state, told by a signal
 *     set NAME online                  the state of a session that is not in front
 *     remove NAME                      the end of a session
 *     ask NAME COUNT                   a signal, and its state is closing as soon as so many of its
 *                                      properties were asked for
 *
 * Commands that are its arguments are obeyed before it takes the name.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define MANAGER "org.freedesktop.login1"
#define MANAGER_PATH "/org/freedesktop/login1"
#define SESSION_PATH MANAGER_PATH "/session"
#define SESSIONS_MAX 64

struct session {
    char name[32];
    char path[64];
    char class[32];
    char state[16];
    int is_active;
    int is_remote;
    bool is_there;
    sd_bus_slot *slot;
};

static struct session sessions[SESSIONS_MAX];
static sd_bus *bus;

static struct session *asked; /* the one that closes when it was asked about, or NULL */
static int questions_left;

static void check(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "logind_manager: %s: %s\n", what, strerror(-result));
        exit(1);
    }
}

static int list_sessions(sd_bus_message *request, void *context, sd_bus_error *error)
{
    sd_bus_message *reply = NULL;
    (void)context;
    (void)error;
    check(sd_bus_message_new_method_return(request, &reply), "reply");
    check(sd_bus_message_open_container(reply, 'a', "(susso)"), "reply");
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        if (sessions[i].is_there) {
            check(sd_bus_message_append(reply, "(susso)", sessions[i].name, 1000, "user", "seat0",
                                        sessions[i].path),
                  "reply");
        }
    }
    check(sd_bus_message_close_container(reply), "reply");
    check(sd_bus_send(NULL, reply, NULL), "reply");
    sd_bus_message_unref(reply);
    return 1;
}

static const sd_bus_vtable manager_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("ListSessions", "", "a(susso)", list_sessions, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_SIGNAL("SessionNew", "so", 0),
    SD_BUS_SIGNAL("SessionRemoved", "so", 0),
    SD_BUS_VTABLE_END,
};

static void set(struct session *session, const char *state);

/* A property was asked for, and its answer is made. */
static void count_question(const char *path)
{
    struct session *session = asked;
    if (session != NULL && strcmp(session->path, path) == 0 && --questions_left == 0) {
        asked = NULL;
        set(session, "closing");
    }
}

static int get_flag(sd_bus *from, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *flag, sd_bus_error *error)
{
    (void)from;
    (void)interface;
    (void)property;
    (void)error;
    int result = sd_bus_message_append(reply, "b", *(int *)flag);
    count_question(path);
    return result;
}

static int get_text(sd_bus *from, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *text, sd_bus_error *error)
{
    (void)from;
    (void)interface;
    (void)property;
    (void)error;
    int result = sd_bus_message_append(reply, "s", (const char *)text);
    count_question(path);
    return result;
}

static const sd_bus_vtable session_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Active", "b", get_flag, offsetof(struct session, is_active),
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("State", "s", get_text, offsetof(struct session, state),
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Remote", "b", get_flag, offsetof(struct session, is_remote),
                    SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Class", "s", get_text, offsetof(struct session, class),
                    SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_VTABLE_END,
};

static void tell(const char *signal, const struct session *session)
{
    check(sd_bus_emit_signal(bus, MANAGER_PATH, MANAGER ".Manager", signal, "so", session->name,
                             session->path),
          signal);
}

static struct session *find(const char *name)
{
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        if (sessions[i].is_there && strcmp(sessions[i].name, name) == 0) {
            return &sessions[i];
        }
    }
    fprintf(stderr, "logind_manager: no session %s\n", name);
    exit(1);
}

static void add(const char *name, const char *class, int is_active, int is_remote)
{
    struct session *session = sessions;
    while (session->is_there) {
        session++;
    }
    *session = (struct session){
        .is_active = is_active,
        .is_remote = is_remote,
        .is_there = true,
    };
    snprintf(session->name, sizeof(session->name), "%s", name);
    snprintf(session->path, sizeof(session->path), SESSION_PATH "/_%s", name);
    snprintf(session->class, sizeof(session->class), "%s", class);
    strcpy(session->state, is_active ? "active" : "online");
    check(sd_bus_add_object_vtable(bus, &session->slot, session->path, MANAGER ".Session",
                                   session_table, session),
          name);
    tell("SessionNew", session);
}

static void tell_change(const struct session *session)
{
    check(sd_bus_emit_properties_changed(bus, session->path, MANAGER ".Session", "Active", "State",
                                         NULL),
          "PropertiesChanged");
}

static void set(struct session *session, const char *state)
{
    session->is_active = strcmp(state, "active") == 0;
    snprintf(session->state, sizeof(session->state), "%s", state);
    tell_change(session);
}

static void close_when_asked(struct session *session, int count)
{
    tell_change(session); /* which asks as well */
    asked = session;
    questions_left = count;
}

static void drop(struct session *session)
{
    session->is_there = false;
    sd_bus_slot_unref(session->slot);
    tell("SessionRemoved", session);
}

static void obey(const char *line)
{
    char word[4][32] = {{0}};
    char verb[16] = {0};
    sscanf(line, "%15s %31s %31s %31s %31s", verb, word[0], word[1], word[2], word[3]);
    if (strcmp(verb, "add") == 0) {
        add(word[0], word[1], atoi(word[2]), atoi(word[3]));
    } else if (strcmp(verb, "set") == 0) {
        set(find(word[0]), word[1]);
    } else if (strcmp(verb, "ask") == 0) {
        close_when_asked(find(word[0]), atoi(word[1]));
    } else if (strcmp(verb, "remove") == 0) {
        drop(find(word[0]));
    } else {
        fprintf(stderr, "logind_manager: %s", line);
        exit(1);
    }
    check(sd_bus_flush(bus), "flush");
}

/* One round of the loop; false when the input ended. A line a read: the other end waits for each
 * answer. */
static bool serve(void)
{
    char line[256];
    struct pollfd fds[2] = {
        {.fd = 0, .events = POLLIN},
        {.fd = sd_bus_get_fd(bus), .events = (short)sd_bus_get_events(bus)},
    };
    while (sd_bus_process(bus, NULL) > 0) {
        continue;
    }
    fds[1].events = (short)sd_bus_get_events(bus);
    if (poll(fds, 2, -1) < 0 && errno != EINTR) {
        return false;
    }
    if (fds[0].revents == 0) {
        return true;
    }
    if (fgets(line, sizeof(line), stdin) == NULL) {
        return false;
    }
    obey(line);
    puts("done");
    fflush(stdout);
    return true;
}

int main(int argc, char **argv)
{
    check(sd_bus_open_system(&bus), "bus");
    check(
        sd_bus_add_object_vtable(bus, NULL, MANAGER_PATH, MANAGER ".Manager", manager_table, NULL),
        "manager");
    for (int i = 1; i < argc; i++) {
        obey(argv[i]);
    }
    check(sd_bus_request_name(bus, MANAGER, 0), MANAGER);
    puts("ready");
    fflush(stdout);
    while (serve()) {
        continue;
    }
    sd_bus_flush_close_unref(bus);
    return 0;
}
