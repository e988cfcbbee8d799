/*
 * What wskemu_add_driver() says about a driver, for wskemu_load_driver().
 *
 * All of a driver's writable data lies between the bounds given here, and nothing else does. The
 * loader copies it before the first load and puts the copy back before each later one, so every
 * load starts from the image's initial data. The bounds take in what a sanitizer puts around
 * variables, so whoever copies must be compiled without address checks. By the bounds of its code
 * the verifier knows what a driver allocated and which routines are its.
 */
#ifndef WSKEMU_DRIVER_IMAGE_H
#define WSKEMU_DRIVER_IMAGE_H

#ifdef __cplusplus
extern "C" {
#endif

struct wskemu_driver_image {
    const char *name;
    int (*entry)(void *driver_object, void *registry_path); /* DriverEntry; an NTSTATUS */
    void *data_begin;                                       /* initialised data */
    void *data_end;
    void *bss_begin; /* data that starts as zero */
    void *bss_end;
    const void *text_begin; /* code; both NULL, or the same, where the bounds are not known */
    const void *text_end;
};

/* The image of the driver that wskemu_add_driver(name ...) built, for use inside a function. With
 * Microsoft's compiler it needs WSKEMU_USE_DRIVER(name) above the function. */
#if defined(_MSC_VER) && !defined(__clang__)
#define WSKEMU_DRIVER(name) (&wskemu_image_##name)
#else
#define WSKEMU_DRIVER(name)                                                                        \
    (__extension__({                                                                               \
        extern const struct wskemu_driver_image wskemu_image_##name;                               \
        &wskemu_image_##name;                                                                      \
    }))
#endif

/* Declares that image for a whole file, for tables of tests (wskemu/cmocka.h). */
#define WSKEMU_USE_DRIVER(name) extern const struct wskemu_driver_image wskemu_image_##name

#ifdef __cplusplus
}
#endif

#endif
