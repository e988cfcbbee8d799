/* A client of an echo server, with the host's own sockets: it knows nothing of WSK. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <winsock2.h>
#define SHUT_WR SD_SEND
typedef SOCKET socket_handle;

static bool start_sockets(void)
{
    WSADATA data;
    return WSAStartup(MAKEWORD(2, 2), &data) == 0;
}
#else
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
#define closesocket close
typedef int socket_handle;

static bool start_sockets(void)
{
    return true;
}
#endif

static bool connect_to(socket_handle handle, unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    printf("client    connects to 127.0.0.1:%u\n", port);
    return connect(handle, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool exchange(socket_handle handle, const char *text)
{
    char bytes[256];
    int length = (int)strlen(text);
    int received = 0;
    printf("client    sends \"%s\"\n", text);
    if (send(handle, text, length, 0) != length) {
        return false;
    }
    while (received < length) {
        int count = (int)recv(handle, bytes + received, length - received, 0);
        if (count <= 0) {
            return false;
        }
        received += count;
    }
    printf("client    gets back \"%.*s\"\n", received, bytes);
    return memcmp(bytes, text, length) == 0;
}

static bool part(socket_handle handle)
{
    char byte;
    puts("client    sends no more");
    if (shutdown(handle, SHUT_WR) != 0 || recv(handle, &byte, 1, 0) != 0) {
        return false;
    }
    puts("client    sees the server's end too");
    return true;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc != 2 || !start_sockets()) {
        return 2;
    }
    socket_handle handle = socket(AF_INET, SOCK_STREAM, 0);
    bool is_good = connect_to(handle, (unsigned)atoi(argv[1])) &&
                   exchange(handle, "hello, kernel") && exchange(handle, "and once more") &&
                   part(handle);
    closesocket(handle);
    puts(is_good ? "client    is content" : "client    did not get what it sent");
    return is_good ? 0 : 1;
}
