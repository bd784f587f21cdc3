/*
 * replies: what becomes of a request when its node has answered: done, or sent again, or ended.
 */
#pragma once

#include "daemon/engine/request_state.h"

/* The pipeline_done of requests. */
void replies_take(void *request, struct redisReply *reply);

/* A node has the library, or not; see functions.h. `requests`: struct requests. */
void replies_loaded(void *requests, struct node *node, const char *why, bool final);
