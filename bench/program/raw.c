/* The same test of a thread that echoes, without wskemu. */
#include "host/socket.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench.h"

static void *echo(void *context)
{
    char bytes[BENCH_MESSAGE_BYTES];
    ssize_t moved;
    int fd = accept_one(*(int *)context);
    while ((moved = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
        write_all(fd, bytes, (size_t)moved);
    }
    close(fd);
    return NULL;
}

static void a_message_comes_back(void **state)
{
    pthread_t thread;
    uint16_t port;
    char bytes[5];
    (void)state;
    int listener = listen_loopback(0, &port);
    assert_int_equal(pthread_create(&thread, NULL, echo, &listener), 0);
    int fd = connect_loopback(port);
    write_all(fd, "hello", 5);
    assert_int_equal(read_exactly(fd, bytes, 5), 5);
    assert_memory_equal(bytes, "hello", 5);
    set_reset_on_close(fd);
    close(fd);
    pthread_join(thread, NULL);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_message_comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
