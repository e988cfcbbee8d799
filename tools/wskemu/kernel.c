#include "kernel.h"

#include "harness/activity.h"
#include "harness/status.h"
#include "ke/patience.h"
#include "rtl/status_name.h"
#include "trace/trace.h"
#include "verifier/hang.h"
#include "verifier/running.h"

#include <ntifs.h>
#include <wskemu/registry.h>
#include <wskemu/session.h>
#include <wskemu/trace.h>
#include <wskemu/wskemu.h>

#include <stdlib.h>
#include <string.h>

#define SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"
#define PATH_MAX_CHARACTERS 512

static KEVENT stop_event;
static KEVENT requests_event; /* no request is left */

C_ASSERT((int)KERNEL_TRACE_ALL == (int)WSKEMU_TRACE_ALL);
C_ASSERT((int)KERNEL_TRACE_NETWORK == (int)WSKEMU_TRACE_NETWORK);
C_ASSERT((int)KERNEL_SZ == REG_SZ && (int)KERNEL_DWORD == REG_DWORD);
C_ASSERT((int)KERNEL_BINARY == REG_BINARY && (int)KERNEL_QWORD == REG_QWORD);
C_ASSERT((int)KERNEL_MULTI_SZ == REG_MULTI_SZ);

const char *kernel_status_name(uint32_t status)
{
    return rtl_status_name((NTSTATUS)status);
}

/* ---- the kernel's life ---- */

uint32_t kernel_trace_start(const char *path, enum kernel_trace_level level, uint32_t payload_bytes,
                            uint32_t megabytes)
{
    return (uint32_t)wskemu_trace_start(&(struct wskemu_trace_options){
        .path = path,
        .level = (enum wskemu_trace_level)level,
        .payload_bytes = payload_bytes,
        .megabytes_max = megabytes,
    });
}

void kernel_trace_name_sites(void)
{
    wskemu_trace_name_sites();
}

void kernel_trace_stop(void)
{
    wskemu_trace_stop();
}

uint32_t kernel_boot(void)
{
    NTSTATUS status = wskemu_boot(NULL);
    if (NT_SUCCESS(status)) {
        KeInitializeEvent(&stop_event, NotificationEvent, FALSE);
        KeInitializeEvent(&requests_event, NotificationEvent, FALSE);
    }
    return (uint32_t)status;
}

unsigned kernel_shutdown(void)
{
    return wskemu_shutdown();
}

uint32_t kernel_load(const struct wskemu_driver_image *image)
{
    PDRIVER_OBJECT driver;
    return (uint32_t)wskemu_load_driver(image, &driver);
}

void kernel_wait(uint64_t milliseconds)
{
    LARGE_INTEGER interval = {.QuadPart = -(LONGLONG)milliseconds * 10000};
    struct ke_reason reason = {.kind = KE_REASON_OUTSIDE};
    ke_reason_begin(&reason);
    KeWaitForSingleObject(&stop_event, Executive, KernelMode, FALSE,
                          milliseconds != 0 ? &interval : NULL);
    ke_reason_end(&reason);
}

void kernel_stop(void)
{
    KeSetEvent(&stop_event, IO_NO_INCREMENT, FALSE);
}

uint64_t kernel_hang_ms(void)
{
    return verifier_hang_ms();
}

bool kernel_print_running(void)
{
    wskemu_log_redirect(NULL, NULL);
    return verifier_running_print() != 0;
}

void kernel_redirect_log(void (*sink)(void *context, const char *text, size_t length),
                         void *context)
{
    wskemu_log_redirect(sink, context);
}

/* ---- the registry ---- */

/* Appends UTF-8 text as 16-bit characters; false if it does not fit. */
static bool append(WCHAR *path, size_t *used, const char *text)
{
    ULONG bytes = 0;
    ULONG room = (ULONG)((PATH_MAX_CHARACTERS - 1 - *used) * sizeof(WCHAR));
    NTSTATUS status = RtlUTF8ToUnicodeN(path + *used, room, &bytes, text, (ULONG)strlen(text));
    *used += bytes / sizeof(WCHAR);
    path[*used] = L'\0';
    return status == STATUS_SUCCESS;
}

static uint32_t set_text(const WCHAR *key, const WCHAR *name, ULONG type, const char *text,
                         size_t bytes)
{
    WCHAR wide[PATH_MAX_CHARACTERS * 2];
    ULONG wide_bytes = 0;
    NTSTATUS status = RtlUTF8ToUnicodeN(wide, sizeof(wide), &wide_bytes, text, (ULONG)bytes);
    if (status != STATUS_SUCCESS) {
        return (uint32_t)STATUS_INVALID_PARAMETER;
    }
    return (uint32_t)wskemu_registry_set(key, name, type, wide, wide_bytes);
}

uint32_t kernel_set_value(const char *driver, const char *name, enum kernel_type type,
                          const void *data, size_t bytes)
{
    WCHAR key[PATH_MAX_CHARACTERS];
    WCHAR *value = key;
    size_t used = RTL_NUMBER_OF(SERVICES) - 1;
    RtlCopyMemory(key, SERVICES, sizeof(SERVICES));
    if (!append(key, &used, driver) || !append(key, &used, "\\Parameters\\") ||
        !append(key, &used, name)) {
        return (uint32_t)STATUS_INVALID_PARAMETER;
    }
    /* What follows the last backslash is the value's name. */
    for (WCHAR *at = key; *at != L'\0'; at++) {
        value = *at == L'\\' ? at : value;
    }
    *value++ = L'\0';
    if (type == KERNEL_SZ || type == KERNEL_MULTI_SZ) {
        return set_text(key, value, (ULONG)type, data, bytes);
    }
    return (uint32_t)wskemu_registry_set(key, value, (ULONG)type, data, (ULONG)bytes);
}

/* ---- requests ---- */

struct kernel_request {
    KEVENT cancelled;
    kernel_routine *routine;
    void *context;
    PVOID thread; /* referenced */
};

static VOID run_request(PVOID context)
{
    struct kernel_request *request = context;
    request->routine(request, request->context);
}

struct kernel_request *kernel_request_start(kernel_routine *routine, void *context)
{
    HANDLE handle;
    struct kernel_request *request = calloc(1, sizeof(*request));
    if (request == NULL) {
        return NULL;
    }
    request->routine = routine;
    request->context = context;
    KeInitializeEvent(&request->cancelled, NotificationEvent, FALSE);
    if (!NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, run_request,
                                         request))) {
        free(request);
        return NULL;
    }
    ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode,
                              &request->thread, NULL);
    ZwClose(handle);
    return request;
}

void kernel_request_name(const char *name)
{
    trace_name_thread(name);
}

void kernel_request_hide(void)
{
    trace_leave_out_thread();
}

void kernel_request_cancel(struct kernel_request *request)
{
    KeSetEvent(&request->cancelled, IO_NO_INCREMENT, FALSE);
}

void kernel_request_join(struct kernel_request *request)
{
    KeWaitForSingleObject(request->thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(request->thread);
    free(request);
}

void kernel_stand_aside(void)
{
    atomic_store(&ke_current()->is_aside, true);
}

static void describe_requests(const struct ke_reason *reason, char *text, size_t bytes)
{
    UNREFERENCED_PARAMETER(reason);
    strncpy(text, "the end of a request that the driver has (`wskemu ioctl`)", bytes - 1);
    text[bytes - 1] = '\0';
}

void kernel_requests_await(void)
{
    struct ke_reason reason = {.what = "the shutdown",
                               .object = &requests_event,
                               .kind = KE_REASON_END,
                               .describe = describe_requests};
    ke_reason_begin(&reason);
    KeWaitForSingleObject(&requests_event, Executive, KernelMode, FALSE, NULL);
    ke_reason_end(&reason);
}

void kernel_requests_end(void)
{
    KeSetEvent(&requests_event, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS open_as(const char *prefix, const char *name, HANDLE *file)
{
    WCHAR path[PATH_MAX_CHARACTERS];
    size_t used = 0;
    UNICODE_STRING string;
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK block;
    if (!append(path, &used, prefix) || !append(path, &used, name)) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    RtlInitUnicodeString(&string, path);
    InitializeObjectAttributes(&attributes, &string, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    return ZwOpenFile(file, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &attributes, &block,
                      FILE_SHARE_READ | FILE_SHARE_WRITE, 0);
}

static NTSTATUS open_device(const char *name, HANDLE *file)
{
    if (name[0] == '\\') {
        return open_as("", name, file);
    }
    NTSTATUS status = open_as("\\??\\", name, file);
    bool is_absent =
        status == STATUS_OBJECT_NAME_NOT_FOUND || status == STATUS_OBJECT_PATH_NOT_FOUND;
    return is_absent ? open_as("\\Device\\", name, file) : status;
}

/* Waits for the control's end, or closes the file first, which cancels it. */
static void await(struct kernel_request *request, HANDLE event, HANDLE *file)
{
    PVOID object;
    if (!NT_SUCCESS(ObReferenceObjectByHandle(event, EVENT_ALL_ACCESS, *ExEventObjectType,
                                              KernelMode, &object, NULL))) {
        return;
    }
    PVOID objects[] = {object, &request->cancelled};
    NTSTATUS status =
        KeWaitForMultipleObjects(2, objects, WaitAny, Executive, KernelMode, FALSE, NULL, NULL);
    if (status == STATUS_WAIT_0 + 1) {
        ZwClose(*file);
        *file = NULL;
        KeWaitForSingleObject(object, Executive, KernelMode, FALSE, NULL);
    }
    ObDereferenceObject(object);
}

uint32_t kernel_control(struct kernel_request *request, struct kernel_control *control)
{
    HANDLE file = NULL, event = NULL;
    IO_STATUS_BLOCK block = {.Information = 0};
    control->information = 0;
    NTSTATUS status = open_device(control->device, &file);
    control->is_open = NT_SUCCESS(status);
    if (!control->is_open) {
        return (uint32_t)status;
    }
    status = ZwCreateEvent(&event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
    if (NT_SUCCESS(status)) {
        status = ZwDeviceIoControlFile(file, event, NULL, NULL, &block, control->code,
                                       (PVOID)(ULONG_PTR)control->input, control->input_bytes,
                                       control->output, control->output_bytes);
        if (status == STATUS_PENDING) {
            await(request, event, &file);
            status = block.Status;
        }
        control->information = NT_ERROR(status) ? 0 : block.Information;
        ZwClose(event);
    }
    if (file != NULL) {
        ZwClose(file);
    }
    return (uint32_t)status;
}

/* ---- sessions, status ---- */

uint32_t kernel_session_event(const char *name, uint32_t session, bool is_local)
{
    IO_SESSION_EVENT event = wskemu_session_event_of(name);
    if (event == IoSessionEventIgnore) {
        return (uint32_t)STATUS_INVALID_PARAMETER;
    }
    return (uint32_t)wskemu_session_event(session, event, is_local);
}

uint32_t kernel_mirror_sessions(const char *manager)
{
    return (uint32_t)wskemu_session_mirror_start(manager);
}

char *kernel_status(bool is_json)
{
    return status_report(is_json);
}

void kernel_watch(void (*on_line)(const char *line, bool is_problem))
{
    activity_begin(on_line);
}
