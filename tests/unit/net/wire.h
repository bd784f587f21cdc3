/*
 * wire: a struct net with a real service and connections on socket pairs, in one process.
 *
 * Nothing runs by itself: wire_run lets the event loop do what there is to do now, and returns.
 * What is sent and expected is written in the notation of tests/support/notation.h. The functions
 * end the test when something is not as it should be.
 */
#pragma once

#include "tests/support/unit.h"

#include "daemon/net/connection.h"
#include "daemon/net/net.h"

enum { WIRE_PEERS = 16 };

struct wire {
    struct event_base *base;
    struct service service;
    struct log log;
    struct net net;
    int devnull;
    int peers[WIRE_PEERS]; /* the tests' ends of the socket pairs */
    unsigned npeers;
};

/* cmocka's setup and teardown: *state is a struct wire. Teardown checks that nothing is left. */
int wire_setup(void **state);
int wire_teardown(void **state);
#define wire_test(function) cmocka_unit_test_setup_teardown(function, wire_setup, wire_teardown)

/* The peer's end of a new connection; closed by wire_teardown, unless wire_hang_up was called. */
int wire_connect(struct wire *wire);
void wire_hang_up(struct wire *wire, int peer);
/* The connection that was opened last. */
struct connection *wire_last(struct wire *wire);

/* Lets the event loop do all there is to do now. */
void wire_run(struct wire *wire);

/* The bytes of all values in a notation; the caller deinits it. */
struct buffer wire_bytes(const char *notation);
/* Writes bytes, which must fit into the socket; does not run the loop. */
void wire_write(int peer, struct slice bytes);
/* Writes the values, and runs the loop. */
void wire_send(struct wire *wire, int peer, const char *notation);

/* What there is to read now: all of it. The caller deinits it. */
struct buffer wire_read(int peer);
/* What is read now must be just these values, in this order. */
#define wire_expect(peer, notation) wire_expect_at(peer, notation, __FILE__, __LINE__)
void wire_expect_at(int peer, const char *notation, const char *file, int line);
/* The stream must end here. */
#define wire_expect_end(peer) wire_expect_end_at(peer, __FILE__, __LINE__)
void wire_expect_end_at(int peer, const char *file, int line);

/* How many descriptors the process has open. */
unsigned wire_descriptors(void);
