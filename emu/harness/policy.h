/* What a kernel's options are: as asked, else as the policy of the process says. See policy.c. */
#ifndef HARNESS_POLICY_H
#define HARNESS_POLICY_H

#include <wskemu/wskemu.h>

/* Fills in what the options (which may be NULL) leave open, and notes it for reports. */
struct wskemu_options policy_apply(const struct wskemu_options *options);

#endif
