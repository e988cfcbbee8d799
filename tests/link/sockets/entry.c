#include "names.h"

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD DriverUnload;

VOID DriverUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

/* Fails unless each call arrives at this driver's own function. */
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    int sum = 0;
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = DriverUnload;
    sum += socket(0, 0, 0) + bind(0, NULL, 0) + connect(0, NULL, 0) + listen(0, 0);
    sum += accept(0, NULL, NULL) + send(0, NULL, 0, 0) + recv(0, NULL, 0, 0);
    sum += sendto(0, NULL, 0, 0, NULL, 0) + recvfrom(0, NULL, 0, 0, NULL, NULL);
    sum += getaddrinfo(NULL, NULL, NULL, NULL) + closesocket(0) + close(0);
    sum += (int)htonl(0) + (int)ntohl(0) + htons(0) + ntohs(0);
    freeaddrinfo(NULL);
    if (sum != 16 * ANSWER + 16 * 17 / 2) {
        return STATUS_UNSUCCESSFUL;
    }
    return sockets_calls() == 17 ? STATUS_SUCCESS : STATUS_DATA_ERROR;
}
