#include "io/image.h"

#include <stdlib.h>

/*
 * Images belong to the process, not to a kernel: a copy taken before the first load is kept until
 * the process ends, also over a bug check. The bounds may take in bytes that a sanitizer has
 * poisoned, so the copying itself is not instrumented.
 */

#if defined(__GNUC__)
#define NOT_SANITIZED __attribute__((no_sanitize("address", "thread", "undefined"), noinline))
#else
#define NOT_SANITIZED
#endif

struct saved_image {
    struct saved_image *next;
    const struct wskemu_driver_image *image;
    unsigned char data[];
};

static struct saved_image *saved_images;

static size_t bytes_between(const void *begin, const void *end)
{
    return (size_t)((const unsigned char *)end - (const unsigned char *)begin);
}

NOT_SANITIZED static void copy(volatile unsigned char *to, const volatile unsigned char *from,
                               size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        to[i] = from[i];
    }
}

NOT_SANITIZED static void clear(volatile unsigned char *to, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        to[i] = 0;
    }
}

static struct saved_image *find(const struct wskemu_driver_image *image)
{
    struct saved_image *saved = saved_images;
    while (saved != NULL && saved->image != image) {
        saved = saved->next;
    }
    return saved;
}

bool io_image_restore(const struct wskemu_driver_image *image)
{
    size_t bytes = bytes_between(image->data_begin, image->data_end);
    struct saved_image *saved = find(image);
    if (saved != NULL) {
        copy(image->data_begin, saved->data, bytes);
        clear(image->bss_begin, bytes_between(image->bss_begin, image->bss_end));
        return true;
    }
    saved = malloc(sizeof(*saved) + bytes);
    if (saved == NULL) {
        return false;
    }
    saved->image = image;
    copy(saved->data, image->data_begin, bytes);
    saved->next = saved_images;
    saved_images = saved;
    return true;
}
