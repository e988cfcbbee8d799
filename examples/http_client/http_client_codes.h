/* What the http_client driver and its callers share. */
#ifndef HTTP_CLIENT_CODES_H
#define HTTP_CLIENT_CODES_H

#define HTTP_CLIENT_DEVICE_NAME L"\\Device\\HttpClientExample"
#define HTTP_CLIENT_LINK_NAME L"\\DosDevices\\HttpClientExample"

/*
 * Buffered: fetches a page. In: HTTP_CLIENT_GET; out: HTTP_CLIENT_PAGE. Pends, and can be
 * cancelled. STATUS_BUFFER_OVERFLOW: the page is longer than the output buffer, whose part is
 * filled. STATUS_IO_TIMEOUT: a step took longer than it may.
 */
#define IOCTL_HTTP_CLIENT_GET CTL_CODE(0x8000, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

#define HTTP_CLIENT_HOST_MAX 256
#define HTTP_CLIENT_PATH_MAX 256

/* All texts end with a null. */
typedef struct _HTTP_CLIENT_GET {
    WCHAR Host[HTTP_CLIENT_HOST_MAX]; /* a name, or an address in digits */
    WCHAR Port[6];                    /* a number, or the name of a service */
    CHAR Path[HTTP_CLIENT_PATH_MAX];  /* "/index.html" */
} HTTP_CLIENT_GET;

typedef struct _HTTP_CLIENT_PAGE {
    ULONG StatusCode; /* 200, 404 ... */
    ULONG BodyBytes;  /* of the whole body */
    UCHAR Body[ANYSIZE_ARRAY];
} HTTP_CLIENT_PAGE;

#endif
