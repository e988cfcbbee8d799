#include <wskemu/peer.h>
#include <wskemu/wskemu.h>

int main(void)
{
    PDRIVER_OBJECT driver;
    if (wskemu_boot(NULL) != STATUS_SUCCESS) {
        return 1;
    }
    if (wskemu_free_port(AF_INET, SOCK_STREAM) == 0) {
        return 5;
    }
    if (wskemu_load_driver(WSKEMU_DRIVER(tiny), &driver) != STATUS_SUCCESS) {
        return 2;
    }
    if (wskemu_unload_driver(driver) != STATUS_SUCCESS) {
        return 3;
    }
    return wskemu_shutdown() == 0 ? 0 : 4;
}
