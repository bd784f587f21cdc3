/* queue_private: what the files of the queue share, which queue.c lists. */
#pragma once

#include "daemon/objects/queue.h"
#include "daemon/objects/waits.h"
#include "daemon/objects/watch.h"

/* An item in no place yet, charged; takes over the reference to the value, also when it fails, and
 * takes one of its own to the rank.
 * ERR_LIMIT unless `always`, ERR_MEMORY; a NULL value (there was no memory for it) is the
 * latter. */
int item_new(struct queue *queue, struct blob *value, const struct item_meta *meta, bool always,
             struct item **out);
/* Frees an item that stands in no place, and releases its charge. */
void item_free(struct queue *queue, struct item *item);

/* The item becomes ready, at the head or the tail. For want of memory it comes to stand at the
 * head, which needs none. */
void item_enter(struct queue *queue, struct item *item, bool to_head);
/* The item becomes ready, before all others, whatever the order. */
void item_enter_first(struct queue *queue, struct item *item);
/* The item becomes ready, behind those that have come back and before all others. */
void item_enter_returned(struct queue *queue, struct item *item);
/* Takes a ready, delayed or taken item out of its place; it stands in none then. */
void item_leave(struct queue *queue, struct item *item, struct pace *pace);
/* Sets when time next changes the item; TIME_NEVER: never. 0 or ERR_MEMORY (memory). */
int item_set_due(struct queue *queue, struct item *item, uint64_t due);

/* An item that is ready and stands in the middle of where it is becomes a tombstone. False if it
 * can be taken out instead. */
bool item_bury(struct queue *queue, struct item *item);

/* Pushes to the packed store with its charge. ERR_LIMIT unless `always`, ERR_MEMORY. */
int store_push(struct queue *queue, enum packed_tag tag, struct slice data, bool always);
/* Takes the head record of the packed store, and tombstones that then stand at an end. */
void store_pop(struct queue *queue);
/* The two steps of that. */
void store_pop_one(struct queue *queue);
void store_trim(struct queue *queue);
bool store_head(const struct queue *queue, struct packed_record *out);
/* Packs the store anew without its tombstones, or cleans the run of queue->priority, when they are
 * many. For want of memory they stay for now. */
void store_compact(struct queue *queue, struct pace *pace);
/* The pointer to a blob or an item as the data of a record. */
#define POINTER_SLICE(pointer) ((struct slice){(const uint8_t *)&(pointer), sizeof(pointer)})

/* As queue_give_back, for that reason, which those who watch are told. */
void item_give_back(struct queue *queue, struct item *item, const char *reason, int64_t delay_ms,
                    uint64_t now, struct pace *pace);

/* Tells that an item has come back. */
void queue_tell_give_back(struct queue *queue, uint64_t ticket, const char *reason);

/* Tells an event whose details are the size and no more than that. */
static inline void queue_tell_size(struct queue *queue, enum event_name event)
{
    if (object_is_watched(&queue->object, event)) {
        const union detail size = {.uint = queue_size(queue)};
        object_tell(&queue->object, event, &size);
    }
}

/* True if it is shut down and no get can find anything in it any more. */
static inline bool queue_is_over(const struct queue *queue)
{
    return queue->shut_down && queue->ready + queue->delayed == 0 &&
           !(queue->drain && queue->tickets.live > 0);
}

/* The end of each operation that changes what a call may wait for, or the queue's timer. Once it is
 * shut down and has nothing more to give, all who wait for an item have to look: one that waits on
 * other queues too may stay, those behind it may not. */
static inline void queue_changed(struct queue *queue)
{
    if (object_is_durable(&queue->object)) {
        object_join_changed(&queue->object);
    }
    if (queue_is_over(queue)) {
        object_changed_for_all(&queue->object, QUEUE_GETTERS);
    } else {
        object_changed(&queue->object);
    }
}

/* The hash that a ticket is found by in queue->tickets. */
uint32_t ticket_hash(uint64_t ticket);

/* dead_letter.c: object_type.refuse_name and pass_on. */
const char *queue_refuse_name(const struct object *object, struct slice name);
void queue_pass_on_dead(struct object *object, uint64_t now);

/* As queue_head, of a queue that may be paused. */
int queue_first(struct queue *queue, struct delivery *out);
/* What a record of the packed store shows, but for the ticket. */
void queue_show_record(const struct packed_record *record, struct delivery *out);
void queue_show_item(struct item *item, struct delivery *out);
/* A ready item at the head of a joinable queue, which stands in no place now, is the session's of
 * `tie` from `now` on. There is room for its ticket and, if there are leases, in queue->due. */
void queue_take_item(struct queue *queue, struct item *item, struct tie *tie, uint64_t now);
/* Makes a struct item, standing in no place, of the head, which is a value without one.
 * ERR_MEMORY. */
int queue_head_item(struct queue *queue, const struct delivery *head, struct item **out);
/* object_type.settle. */
void queue_settle(struct object *object, bool whole);
/* The item at the head is dropped without being taken. */
void queue_discard_head(struct queue *queue);

/* The run of queue->priority was charged with `before` bytes: charges what it costs now, since what
 * is stored must not be out of reach for a limit. */
void item_recharge_run(struct queue *queue, uint64_t before);

/* Frees an item whose time was over in the middle, and which stands nowhere now . */
void tombstone_free(void *queue, struct item *item);

/* A value that was put, or is being loaded, without anything to remember, goes into the packed
 * store. 0, ERR_LIMIT, ERR_MEMORY. */
int queue_put_plain(struct queue *queue, struct incoming value);

/* queue_rows.c, of a durable queue: an item is new or has left its place, and one is no more. */
void item_row_changed(struct queue *queue, struct item *item);
void item_row_gone(struct queue *queue, struct item *item);

/* An item that stands nowhere becomes a tombstone, which the packed store or the run may keep. */
void item_make_tombstone(struct queue *queue, struct item *item);

/* queue_form.c: what object_type asks for for the daemon that takes over. */
void queue_save_claims(const struct tie *tie, struct buffer *out);
int queue_load_claims(struct tie *tie, struct row *row);
void queue_save_note(const void *note, struct buffer *out, const struct row_writer *writer);
int queue_load_note(void *note, struct row *row);

/* What object_type asks for. */
struct queue_loading;
void queue_loading_free(struct queue *queue);
void queue_save_options(const struct object *object, struct buffer *out);
int queue_make(const struct object_options *common, struct row *options, struct object **out);
int queue_save(struct object *object, enum rows which, const struct row_writer *out,
               const struct moment *now);
int queue_load(struct object *object, struct slice key, struct slice value,
               struct row_reader *reader);
int queue_loaded(struct object *object, struct row_reader *reader);
void queue_abandon(struct object *object, struct tie *tie, uint64_t now, struct pace *pace);
void queue_tick(struct object *object, uint64_t now, struct pace *pace);
uint64_t queue_due(const struct object *object);
size_t queue_describe(const struct object *object, struct buffer *out, uint64_t now);
