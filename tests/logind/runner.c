/*
 * Prints what a driver hears of the machine's sessions, a line an event:
 *
 *     logon 2 LoggedOn local
 *
 * after "mirror STATUS" and until its standard input ends. It fails if anything was left.
 */
#include <wskemu/session.h>
#include <wskemu/wskemu.h>

#include <ntddk.h>

#include <stdio.h>

static PVOID notification;
static KEVENT has_told; /* the first line comes first */

static NTSTATUS print_event(PVOID session, PVOID object, ULONG event, PVOID context, PVOID payload,
                            ULONG length)
{
    IO_SESSION_STATE_INFORMATION information;
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(payload);
    UNREFERENCED_PARAMETER(length);
    KeWaitForSingleObject(&has_told, Executive, KernelMode, FALSE, NULL);
    NTSTATUS status = IoGetContainerInformation(IoSessionStateInformation, session, &information,
                                                sizeof(information));
    if (NT_SUCCESS(status)) {
        printf("%s %lu %s", wskemu_session_event_name((IO_SESSION_EVENT)event),
               (unsigned long)information.SessionId,
               wskemu_session_state_name(information.SessionState));
        if (information.SessionState == IoSessionStateConnected ||
            information.SessionState == IoSessionStateLoggedOn) {
            printf(" %s", information.LocalSession ? "local" : "remote");
        }
        printf("\n");
        fflush(stdout);
    }
    return status;
}

static VOID unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    IoUnregisterContainerNotification(notification);
}

static int entry(void *object, void *registry_path)
{
    PDRIVER_OBJECT driver = object;
    IO_SESSION_STATE_NOTIFICATION information = {
        .Size = sizeof(information),
        .IoObject = driver,
        .EventMask = IO_SESSION_STATE_ALL_EVENTS,
    };
    UNREFERENCED_PARAMETER(registry_path);
    driver->DriverUnload = unload;
    KeInitializeEvent(&has_told, NotificationEvent, FALSE);
    return IoRegisterContainerNotification(IoSessionStateNotification,
                                           (PIO_CONTAINER_NOTIFICATION_FUNCTION)print_event,
                                           &information, sizeof(information), &notification);
}

int main(void)
{
    static const struct wskemu_driver_image image = {.name = "listener", .entry = entry};
    PDRIVER_OBJECT driver;
    if (!NT_SUCCESS(wskemu_boot(NULL)) || !NT_SUCCESS(wskemu_load_driver(&image, &driver))) {
        return 1;
    }
    printf("mirror 0x%08X\n", (unsigned)wskemu_session_mirror_start("logind"));
    fflush(stdout);
    KeSetEvent(&has_told, IO_NO_INCREMENT, FALSE);
    while (getchar() != EOF) {
        continue;
    }
    wskemu_session_mirror_stop();
    wskemu_session_mirror_stop(); /* a second time does nothing */
    return wskemu_shutdown() == 0 ? 0 : 1;
}
