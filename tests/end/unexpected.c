/* A program whose bug check nobody expects: it must end, and say why. See check.cmake. */
#include <wskemu/wskemu.h>

static KSPIN_LOCK lock;

static void release_what_nobody_holds(void)
{
    KIRQL irql = KeRaiseIrqlToDpcLevel();
    KeReleaseSpinLock(&lock, irql);
}

int main(void)
{
    if (!NT_SUCCESS(wskemu_boot(NULL))) {
        return 1;
    }
    KeInitializeSpinLock(&lock);
    release_what_nobody_holds();
    return 0; /* never reached */
}
