/* Drivers as files. */
#ifndef MODULE_H
#define MODULE_H

struct wskemu_driver_image;

/* The driver in the file of that name, or with the ending that modules have here; NULL after a
 * complaint that says what to do. It stays loaded. */
const struct wskemu_driver_image *module_open(const char *name);

/* ".so" or ".dll" */
extern const char module_ending[];

#endif
