/*
 * Peers: the other end of the wire. A driver listens, a peer connects to it; a driver connects, a
 * peer accepts it; a driver sends datagrams, a peer receives them.
 *
 *     struct wskemu_peer *peer;
 *     assert_int_equal(wskemu_peer_connect(WSKEMU_LOOPBACK(AF_INET, 7), &peer), STATUS_SUCCESS);
 *     assert_int_equal(wskemu_peer_send_all(peer, "hello", 5), STATUS_SUCCESS);
 *     assert_int_equal(wskemu_peer_expect_bytes(peer, "hello", 5), STATUS_SUCCESS);
 *     wskemu_peer_close(peer);
 *
 * Every call that may wait does so at most until the peer's deadline, 10 seconds unless set,
 * counted from the call's begin; it then returns STATUS_TIMEOUT and the peer can be used further.
 * That is no error to NT_SUCCESS: compare with STATUS_SUCCESS.
 *
 * Call at PASSIVE_LEVEL, with a kernel running. Peers are independent of each other; each is used
 * by one thread at a time, a second one gets STATUS_INVALID_DEVICE_STATE. A peer that is still open
 * at wskemu_shutdown() counts as left, and is reset before drivers are unloaded. A peer of a kernel
 * that a bug check halted is of no use any more: closing it does nothing, every other call returns
 * STATUS_INVALID_DEVICE_STATE.
 *
 * Besides what is said at each call, all return what the network says, as WSK does: for example
 * STATUS_CONNECTION_RESET, STATUS_CONNECTION_REFUSED, STATUS_ADDRESS_ALREADY_EXISTS,
 * STATUS_INSUFFICIENT_RESOURCES.
 */
#ifndef WSKEMU_PEER_H
#define WSKEMU_PEER_H

#include <wsk.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One socket of the test's. */
struct wskemu_peer;

/* Addresses. */

/* 127.0.0.1 (AF_INET) or ::1 (AF_INET6) with a port in host order; 0 lets the network choose. */
SOCKADDR_STORAGE wskemu_loopback(ADDRESS_FAMILY family, USHORT port);

/* The same as an argument of a call. It lives as long as the block that it stands in. C only. */
#define WSKEMU_LOOPBACK(family, port)                                                              \
    ((const SOCKADDR *)(const SOCKADDR_STORAGE[1]){wskemu_loopback((family), (port))})

/* The port of an address, in host order. */
USHORT wskemu_port(const SOCKADDR *address);

/* A port of the loopback address that nobody uses at this moment: for a driver that is told its
 * port. type is SOCK_STREAM or SOCK_DGRAM. 0 if there is none. */
USHORT wskemu_free_port(ADDRESS_FAMILY family, USHORT type);

/* Making peers. */

/* A TCP connection to the address. *peer is NULL unless STATUS_SUCCESS is returned; so below. */
NTSTATUS wskemu_peer_connect(const SOCKADDR *address, struct wskemu_peer **peer);

/* The same from an address of the host's, as from 127.0.0.2; its port may be 0. NULL: any. */
NTSTATUS wskemu_peer_connect_from(const SOCKADDR *local, const SOCKADDR *address,
                                  struct wskemu_peer **peer);

/* A TCP listener at the address. */
NTSTATUS wskemu_peer_listen(const SOCKADDR *address, struct wskemu_peer **listener);

/* Waits for a connection; the new peer has the listener's deadline. */
NTSTATUS wskemu_peer_accept(struct wskemu_peer *listener, struct wskemu_peer **peer);

/* A UDP socket at the address. */
NTSTATUS wskemu_peer_open_datagram(const SOCKADDR *address, struct wskemu_peer **peer);

/* How long each call may take. peer NULL: all peers that this kernel's test makes from now on. */
void wskemu_peer_set_deadline(struct wskemu_peer *peer, ULONG milliseconds);

/* Where the peer is bound, and to whom it is connected. */
NTSTATUS wskemu_peer_local_address(struct wskemu_peer *peer, SOCKADDR_STORAGE *address);
NTSTATUS wskemu_peer_remote_address(struct wskemu_peer *peer, SOCKADDR_STORAGE *address);

/* TCP. */

/* Waits for room and sends what fits, at least one byte. */
NTSTATUS wskemu_peer_send(struct wskemu_peer *peer, const void *data, SIZE_T length, SIZE_T *sent);

NTSTATUS wskemu_peer_send_all(struct wskemu_peer *peer, const void *data, SIZE_T length);

/* Waits for data and takes what is there, at most length bytes. STATUS_END_OF_FILE, and 0 bytes, if
 * the other end sends no more. */
NTSTATUS wskemu_peer_receive(struct wskemu_peer *peer, void *buffer, SIZE_T length,
                             SIZE_T *received);

/* Waits for exactly length bytes. STATUS_END_OF_FILE if the stream ends before. */
NTSTATUS wskemu_peer_receive_exactly(struct wskemu_peer *peer, void *buffer, SIZE_T length);

/* Waits for exactly these bytes. STATUS_DATA_ERROR if others come; it prints the first that
 * differs. */
NTSTATUS wskemu_peer_expect_bytes(struct wskemu_peer *peer, const void *expected, SIZE_T length);

/* Waits for the end of the stream. STATUS_DATA_ERROR if data comes instead. */
NTSTATUS wskemu_peer_expect_end(struct wskemu_peer *peer);

/* Sends no more: the other end sees the end of the stream. Receiving goes on. */
NTSTATUS wskemu_peer_shutdown_send(struct wskemu_peer *peer);

/* UDP. */

NTSTATUS wskemu_peer_send_to(struct wskemu_peer *peer, const SOCKADDR *address, const void *data,
                             SIZE_T length);

/* Waits for a datagram. from may be NULL. STATUS_BUFFER_OVERFLOW, with the first length bytes, if
 * it is longer than the buffer. */
NTSTATUS wskemu_peer_receive_from(struct wskemu_peer *peer, void *buffer, SIZE_T length,
                                  SIZE_T *received, SOCKADDR_STORAGE *from);

/* Ending. */

/* Closes the peer and frees it; NULL does nothing. What was sent still arrives, unless data that
 * nobody received is dropped: then the host resets the connection. */
void wskemu_peer_close(struct wskemu_peer *peer);

/* The same, but resets the connection at once. */
void wskemu_peer_reset(struct wskemu_peer *peer);

#ifdef __cplusplus
}
#endif

#endif
