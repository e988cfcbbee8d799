/* A driver's own sockets layer, with the names that everybody likes. */
#ifndef NAMES_H
#define NAMES_H

#include <ntddk.h>

int socket(int family, int type, int protocol);
int bind(int socket, const void *address, int length);
int connect(int socket, const void *address, int length);
int listen(int socket, int backlog);
int accept(int socket, void *address, int *length);
int send(int socket, const char *buffer, int length, int flags);
int recv(int socket, char *buffer, int length, int flags);
int sendto(int socket, const char *buffer, int length, int flags, const void *to, int to_length);
int recvfrom(int socket, char *buffer, int length, int flags, void *from, int *from_length);
int getaddrinfo(const char *node, const char *service, const void *hints, void **result);
void freeaddrinfo(void *list);
int closesocket(int socket);
int close(int socket);
ULONG htonl(ULONG value);
ULONG ntohl(ULONG value);
USHORT htons(USHORT value);
USHORT ntohs(USHORT value);

int sockets_calls(void);

#endif
