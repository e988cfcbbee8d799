#include "names.h"

static int calls;

#define CALLED(place) (calls++, ANSWER + (place))

int socket(int family, int type, int protocol)
{
    (void)family, (void)type, (void)protocol;
    return CALLED(1);
}

int bind(int socket, const void *address, int length)
{
    (void)socket, (void)address, (void)length;
    return CALLED(2);
}

int connect(int socket, const void *address, int length)
{
    (void)socket, (void)address, (void)length;
    return CALLED(3);
}

int listen(int socket, int backlog)
{
    (void)socket, (void)backlog;
    return CALLED(4);
}

int accept(int socket, void *address, int *length)
{
    (void)socket, (void)address, (void)length;
    return CALLED(5);
}

int send(int socket, const char *buffer, int length, int flags)
{
    (void)socket, (void)buffer, (void)length, (void)flags;
    return CALLED(6);
}

int recv(int socket, char *buffer, int length, int flags)
{
    (void)socket, (void)buffer, (void)length, (void)flags;
    return CALLED(7);
}

int sendto(int socket, const char *buffer, int length, int flags, const void *to, int to_length)
{
    (void)socket, (void)buffer, (void)length, (void)flags, (void)to, (void)to_length;
    return CALLED(8);
}

int recvfrom(int socket, char *buffer, int length, int flags, void *from, int *from_length)
{
    (void)socket, (void)buffer, (void)length, (void)flags, (void)from, (void)from_length;
    return CALLED(9);
}

int getaddrinfo(const char *node, const char *service, const void *hints, void **result)
{
    (void)node, (void)service, (void)hints, (void)result;
    return CALLED(10);
}

void freeaddrinfo(void *list)
{
    (void)list;
    calls++;
}

int closesocket(int socket)
{
    (void)socket;
    return CALLED(11);
}

int close(int socket)
{
    (void)socket;
    return CALLED(12);
}

ULONG htonl(ULONG value)
{
    return value + CALLED(13);
}

ULONG ntohl(ULONG value)
{
    return value + CALLED(14);
}

USHORT htons(USHORT value)
{
    return (USHORT)(value + CALLED(15));
}

USHORT ntohs(USHORT value)
{
    return (USHORT)(value + CALLED(16));
}

int sockets_calls(void)
{
    return calls;
}
