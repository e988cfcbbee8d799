/* The initial data of driver images. See image.c. */
#ifndef IO_IMAGE_H
#define IO_IMAGE_H

#include <wskemu/driver_image.h>

#include <stdbool.h>

/* Gives an image the writable data that it had before its first load. False without memory. */
bool io_image_restore(const struct wskemu_driver_image *image);

#endif
