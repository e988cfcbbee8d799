/* Without CMake and without a driver: a test of kernel objects. */
#include <wskemu/wskemu.h>

int main(void)
{
    KEVENT event;
    if (wskemu_boot(NULL) != STATUS_SUCCESS) {
        return 1;
    }
    KeInitializeEvent(&event, NotificationEvent, TRUE);
    if (KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL) != STATUS_SUCCESS) {
        return 2;
    }
    return wskemu_shutdown() == 0 ? 0 : 3;
}
