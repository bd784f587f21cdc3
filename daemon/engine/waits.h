/*
 * waits: what the engine tells by itself: who has been served (the outbox), what has happened to
 * objects that are watched, what is due earlier than was known.
 *
 * The outbox of a lane is a list in Redis, its entries numbered without gaps; each is sent as a
 * message, too. Messages can be lost; so the list is read when the channel has been subscribed to,
 * each time, and when a number is missing. Each entry is looked at once, in order, and forgotten
 * there when that has been said with a batch.
 */
#pragma once

#include "daemon/engine/state.h"

/* For cluster_listener; `data` is the engine. */
void waits_message(void *data, struct slice channel, struct slice payload);
void waits_subscribed(void *data, struct slice channel);

/* Sends itself a message on each channel; engine->catching_up is how many have not come. */
void waits_catch_up(struct engine *engine);

/* The lease is lost: all that wait end, refused; all channels are given up. */
void waits_lose(struct engine *engine, const char *why);
