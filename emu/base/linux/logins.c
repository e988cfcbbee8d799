/*
 * systemd's login manager, asked by D-Bus.
 *
 * libsystemd is needed at build time for its header only; it is loaded when somebody asks, so that
 * nothing here depends on it. Any signal that may mean a change makes the waiter return, and the
 * list is then asked for anew, so nothing is lost and nothing has to be kept.
 */
#include "base/logins.h"

#ifdef WSKEMU_LOGIND

#include "base/clock.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define LIBRARY "libsystemd.so.0"
#define MANAGER "org.freedesktop.login1"
#define MANAGER_PATH "/org/freedesktop/login1"
#define SESSION MANAGER ".Session"
#define ANSWER_US_MAX (2 * 1000 * 1000) /* for each question */
#define US_PER_MS 1000
#define NS_PER_US 1000

#define FUNCTIONS(X)                                                                               \
    X(sd_bus_open_system)                                                                          \
    X(sd_bus_flush_close_unref)                                                                    \
    X(sd_bus_set_method_call_timeout)                                                              \
    X(sd_bus_add_match)                                                                            \
    X(sd_bus_process)                                                                              \
    X(sd_bus_get_fd)                                                                               \
    X(sd_bus_get_events)                                                                           \
    X(sd_bus_get_timeout)                                                                          \
    X(sd_bus_call_method)                                                                          \
    X(sd_bus_get_property_trivial)                                                                 \
    X(sd_bus_get_property_string)                                                                  \
    X(sd_bus_message_enter_container)                                                              \
    X(sd_bus_message_read)                                                                         \
    X(sd_bus_message_unref)

struct bus_functions {
#define X(name) __typeof__(name) *name;
    FUNCTIONS(X)
#undef X
};

struct base_logins {
    struct bus_functions call;
    void *library;
    sd_bus *bus;
    int wake; /* an eventfd, written by base_logins_end and never read */
    bool has_changed;
};

static const char *const matches[] = {
    "type='signal',sender='" MANAGER "',interface='" MANAGER ".Manager',member='SessionNew'",
    "type='signal',sender='" MANAGER "',interface='" MANAGER ".Manager',member='SessionRemoved'",
    "type='signal',sender='" MANAGER "',interface='org.freedesktop.DBus.Properties',"
    "member='PropertiesChanged',path_namespace='" MANAGER_PATH "/session'",
    "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
    "member='NameOwnerChanged',arg0='" MANAGER "'",
};

bool base_logins_are_supported(void)
{
    return true;
}

static bool load(struct base_logins *logins)
{
    logins->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (logins->library == NULL) {
        return false;
    }
#define X(name)                                                                                    \
    *(void **)&logins->call.name = dlsym(logins->library, #name);                                  \
    if (logins->call.name == NULL) {                                                               \
        return false;                                                                              \
    }
    FUNCTIONS(X)
#undef X
    return true;
}

static int on_signal(sd_bus_message *message, void *context, sd_bus_error *error)
{
    (void)message;
    (void)error;
    ((struct base_logins *)context)->has_changed = true;
    return 0;
}

static bool listen_to_signals(struct base_logins *logins)
{
    for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
        if (logins->call.sd_bus_add_match(logins->bus, NULL, matches[i], on_signal, logins) < 0) {
            return false;
        }
    }
    return true;
}

static void visit_nobody(void *context, const struct base_login *login)
{
    (void)context;
    (void)login;
}

/* What is missing, in the order in which it is needed; NULL if nothing is. */
static const char *connect_to_manager(struct base_logins *logins)
{
    logins->wake = eventfd(0, EFD_CLOEXEC);
    if (logins->wake < 0) {
        return "the host is out of descriptors";
    }
    if (!load(logins)) {
        return LIBRARY " cannot be loaded";
    }
    if (logins->call.sd_bus_open_system(&logins->bus) < 0) {
        return "there is no system bus";
    }
    logins->call.sd_bus_set_method_call_timeout(logins->bus, ANSWER_US_MAX);
    if (!listen_to_signals(logins) || !base_logins_list(logins, visit_nobody, NULL)) {
        return "no " MANAGER " answers on the system bus";
    }
    return NULL;
}

struct base_logins *base_logins_open(const char **why)
{
    struct base_logins *logins = calloc(1, sizeof(*logins));
    *why = "the host is out of memory";
    if (logins == NULL) {
        return NULL;
    }
    logins->wake = -1;
    logins->has_changed = true;
    *why = connect_to_manager(logins);
    if (*why != NULL) {
        base_logins_close(logins);
        return NULL;
    }
    return logins;
}

void base_logins_close(struct base_logins *logins)
{
    if (logins->bus != NULL) {
        logins->call.sd_bus_flush_close_unref(logins->bus);
    }
    if (logins->wake >= 0) {
        close(logins->wake);
    }
    if (logins->library != NULL) {
        dlclose(logins->library);
    }
    free(logins);
}

void base_logins_end(struct base_logins *logins)
{
    uint64_t one = 1;
    while (write(logins->wake, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

/* ---- waiting ---- */

/* Milliseconds until the bus wants to be processed without a byte from it; -1 for never. */
static int timeout_ms(struct base_logins *logins)
{
    uint64_t until_us = UINT64_MAX;
    if (logins->call.sd_bus_get_timeout(logins->bus, &until_us) < 0 || until_us == UINT64_MAX) {
        return -1;
    }
    uint64_t now_us = base_clock_ns() / NS_PER_US;
    return until_us <= now_us ? 0 : (int)((until_us - now_us) / US_PER_MS + 1);
}

/* Sleeps until the bus has something or the end was called; false at the end. */
static bool sleep_until_bus(struct base_logins *logins)
{
    int events = logins->call.sd_bus_get_events(logins->bus);
    struct pollfd fds[2] = {
        {.fd = logins->wake, .events = POLLIN},
        {.fd = logins->call.sd_bus_get_fd(logins->bus), .events = (short)events},
    };
    if (events < 0 || fds[1].fd < 0) {
        return false;
    }
    int ready = poll(fds, 2, timeout_ms(logins));
    return (ready >= 0 || errno == EINTR) && fds[0].revents == 0;
}

static bool has_ended(const struct base_logins *logins)
{
    struct pollfd fd = {.fd = logins->wake, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

bool base_logins_wait(struct base_logins *logins)
{
    while (!has_ended(logins)) {
        int processed = logins->call.sd_bus_process(logins->bus, NULL);
        if (processed < 0) {
            return false;
        }
        if (processed > 0) {
            continue; /* there may be more, which one answer serves, too */
        }
        if (logins->has_changed) {
            logins->has_changed = false;
            return true;
        }
        if (!sleep_until_bus(logins)) {
            return false;
        }
    }
    return false;
}

/* ---- the list ---- */

static bool read_flag(struct base_logins *logins, const char *path, const char *name, bool *flag)
{
    int value = 0;
    int result = logins->call.sd_bus_get_property_trivial(logins->bus, MANAGER, path, SESSION, name,
                                                          NULL, SD_BUS_TYPE_BOOLEAN, &value);
    *flag = value != 0;
    return result >= 0;
}

/* The text is the caller's to free; NULL if there is no answer. */
static char *read_text(struct base_logins *logins, const char *path, const char *name)
{
    char *text = NULL;
    int result = logins->call.sd_bus_get_property_string(logins->bus, MANAGER, path, SESSION, name,
                                                         NULL, &text);
    return result >= 0 ? text : NULL;
}

/* Fills in a session of a user or a login screen. False for any other (services, lock screens), and
 * for one that ended meanwhile. Each property is a question of its own: one that closes between two
 * of them is inactive then, so its state comes last, or it would seem to be in the background. */
static bool describe(struct base_logins *logins, const char *name, const char *path,
                     struct base_login *login)
{
    bool has_flags = read_flag(logins, path, "Active", &login->is_active) &&
                     read_flag(logins, path, "Remote", &login->is_remote);
    char *class = read_text(logins, path, "Class");
    char *state = read_text(logins, path, "State");
    bool is_shown = false;
    if (has_flags && class != NULL && state != NULL && strlen(name) < sizeof(login->name)) {
        login->is_greeter = strcmp(class, "greeter") == 0;
        login->is_closing = strcmp(state, "closing") == 0;
        strcpy(login->name, name);
        is_shown = login->is_greeter || strncmp(class, "user", 4) == 0;
    }
    free(class);
    free(state);
    return is_shown;
}

bool base_logins_list(struct base_logins *logins, base_login_visitor *visit, void *context)
{
    const struct bus_functions *call = &logins->call;
    sd_bus_message *reply = NULL;
    const char *name;
    const char *path;
    if (call->sd_bus_call_method(logins->bus, MANAGER, MANAGER_PATH, MANAGER ".Manager",
                                 "ListSessions", NULL, &reply, "") < 0) {
        return false;
    }
    int result = call->sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "(susso)");
    while (result > 0 && (result = call->sd_bus_message_read(reply, "(susso)", &name, NULL, NULL,
                                                             NULL, &path)) > 0) {
        struct base_login login = {.is_remote = false};
        if (describe(logins, name, path, &login)) {
            visit(context, &login);
        }
    }
    call->sd_bus_message_unref(reply);
    return result >= 0;
}

#else

bool base_logins_are_supported(void)
{
    return false;
}

struct base_logins *base_logins_open(const char **why)
{
    *why = "this build has no libsystemd";
    return NULL;
}

bool base_logins_wait(struct base_logins *logins)
{
    return false;
}

bool base_logins_list(struct base_logins *logins, base_login_visitor *visit, void *context)
{
    return false;
}

void base_logins_end(struct base_logins *logins)
{
}

void base_logins_close(struct base_logins *logins)
{
}

#endif
