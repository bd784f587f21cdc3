/*
 * address: where the daemon's socket is, by the order of the protocol.
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct address {
    struct sockaddr_un socket;
    socklen_t length;
};

enum { ADDRESS_TEXT = sizeof(((struct sockaddr_un *)0)->sun_path) };

/* Fills it for a path, or for NULL. ARGUMENT. */
int address_find(struct address *address, const char *path);

/* The path as it was given, written into `text`, for messages. */
const char *address_text(const struct address *address, char text[ADDRESS_TEXT]);
