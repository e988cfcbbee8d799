/*
 * The logins of the machine itself, as its login manager tells them. One thread at a time uses
 * them; base_logins_end alone may be called by another.
 */
#ifndef BASE_LOGINS_H
#define BASE_LOGINS_H

#include <stdbool.h>
#include <stddef.h>

#define BASE_LOGIN_NAME_BYTES 64

struct base_login {
    char name[BASE_LOGIN_NAME_BYTES]; /* the manager's, unique among those that are there */
    bool is_remote;
    bool is_active;  /* in front of its seat, or remote */
    bool is_closing; /* the user has logged off */
    bool is_greeter; /* a login screen: nobody is logged on */
};

struct base_logins;

/* Whether this build and this host can ask a login manager at all. */
bool base_logins_are_supported(void);

/* Begins to listen to the login manager. NULL without, and then why tells in a few words. */
struct base_logins *base_logins_open(const char **why);

/* Waits until something may have changed, at first not at all. False once base_logins_end was
 * called, or when the manager cannot be reached any more. */
bool base_logins_wait(struct base_logins *logins);

/* Gives all logins, one call each; false if the manager does not answer. */
typedef void base_login_visitor(void *context, const struct base_login *login);
bool base_logins_list(struct base_logins *logins, base_login_visitor *visit, void *context);

/* Makes base_logins_wait return false, now and later. */
void base_logins_end(struct base_logins *logins);

void base_logins_close(struct base_logins *logins);

#endif
