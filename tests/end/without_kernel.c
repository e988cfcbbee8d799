/* A program that calls the kernel before it booted one: it must end, and say what is missing. */
#include <wskemu/wskemu.h>

int main(void)
{
    return KeGetCurrentIrql();
}
