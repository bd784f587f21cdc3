-- queue_place: where the items of a queue stand that are ready, and how they get there and out.
--
-- A value with nothing to remember stands in the list, at its end if it is new. An item that has
-- something to remember (a priority, a time to live, deliveries) stands in the hash `i` under its
-- id, and its place is a member of the zset `z`, which ends with the id:
--   priority    score 0, member RANK ID: equal scores are ordered by bytes
--   fifo, lifo  score: a number of the list; the item stands before the list's value of that number,
--               and behind the one before it; member ENTRY ID, where entries count up, for those
--               that stand between the same two
-- The values of the list are numbered: fifo by q.popped, the first one, and up; lifo from 0 at the
-- bottom. (A value is pushed at the head only while nothing stands in `z`, so no number goes by it.)
-- Items that have come to the head stand FAR before all others, the last one first.
-- So an item can leave from anywhere in O(log n), and the list never has to be searched.
--
-- An item in Lua: value (as it came), deliveries so far, expires (ms; 0: never), rank ("" or its
-- sort key), id (nil: it has none yet).
--
-- Tests: tests/engine/test_queue*.py.
local place = {}
ipcd.queue.place = place

local FAR = 4503599627370496 -- 2^52
local FIRST_ID = 1099511627776 -- 2^40; what is put at the head has ids below it

-- A number as 8 bytes that are ordered as it is.
function place.bytes(n)
    return struct.pack(">I8", n)
end

local function next_id(obj, q)
    q.last_id = q.last_id + 1
    obj.unsaved = true
    return place.bytes(FIRST_ID + q.last_id)
end

-- Notes an item under its id; it gets one if it has none. `member` is its place, "" if it is delayed
-- until `ready_at`.
local function note(obj, item, member, ready_at)
    redis.call("HSET", obj:key("i"), item.id, cmsgpack.pack(item.value, item.deliveries,
        item.expires, item.rank, member, ready_at))
end

-- The item of an id, with member and ready_at.
function place.read(obj, id)
    local item = { id = id }
    item.value, item.deliveries, item.expires, item.rank, item.member, item.ready_at =
        cmsgpack.unpack(redis.call("HGET", obj:key("i"), id))
    return item
end

local function is_plain(item)
    return item.deliveries == 0 and item.expires == 0 and item.rank == ""
end

local function push(obj, q, item, score, prefix)
    item.id = item.id or next_id(obj, q)
    local member = prefix .. item.id
    redis.call("ZADD", obj:key("z"), score, member)
    note(obj, item, member, 0)
    q.ready = q.ready + 1
    if item.expires > 0 then
        redis.call("ZADD", obj:key("t"), item.expires, "0" .. item.id)
        ipcd.queue.due_at(obj, item.expires)
    end
    obj.unsaved = true
end

local function push_value(obj, q, value, command)
    redis.call(command, obj:key("q"), value)
    q.ready = q.ready + 1
    q.listed = q.listed + 1
    obj.unsaved = true
end

-- The item becomes ready, before all others, whatever the order.
function place.enter_first(obj, q, item)
    local order = q.options.order
    if order == "fifo" and q.ready == q.listed and is_plain(item) then
        push_value(obj, q, item.value, "LPUSH")
        return
    end
    q.front = q.front + 1
    item.id = item.id or place.bytes(FIRST_ID - q.front)
    obj.unsaved = true
    push(obj, q, item, order == "lifo" and FAR + q.front or -FAR - q.front, "")
end

-- The item becomes ready, at the head or the tail. In a lifo queue the back is the head.
function place.enter(obj, q, item, to_head)
    local order = q.options.order
    if order == "priority" then
        if item.rank == "" then
            item.rank = ipcd.queue.rank_of_none()
        end
        push(obj, q, item, 0, item.rank)
    elseif to_head and order == "fifo" then
        place.enter_first(obj, q, item)
    elseif is_plain(item) then
        push_value(obj, q, item.value, "RPUSH")
    else
        push(obj, q, item, order == "fifo" and q.popped + q.listed or q.listed, next_id(obj, q))
    end
end

-- The item is ready at `ready_at`; to_head: of which ticket it was, for its place among those that
-- become so at the same time.
function place.delay(obj, q, item, ready_at, to_head)
    item.id = item.id or next_id(obj, q)
    note(obj, item, "", ready_at)
    local due = ready_at
    if item.expires > 0 and item.expires < due then
        due = item.expires
    end
    local member = to_head and "1" .. place.bytes(ipcd.queue.NEVER - to_head) or "0"
    redis.call("ZADD", obj:key("t"), due, member .. item.id)
    q.delayed = q.delayed + 1
    obj.unsaved = true
    ipcd.queue.due_at(obj, due)
end

-- How many values of the list come before an item of that score.
function place.before(q, score)
    local n = q.options.order == "lifo" and q.listed - score or score - q.popped
    return math.max(0, math.min(n, q.listed))
end

-- The member of `z` at the head, or nil: a value of the list is there, or nothing.
local function head(obj, q)
    if q.ready == q.listed then
        return nil
    end
    local command = q.options.order == "lifo" and "ZREVRANGE" or "ZRANGE"
    local first = redis.call(command, obj:key("z"), 0, 0, "WITHSCORES")
    if q.listed > 0 and place.before(q, tonumber(first[2])) > 0 then
        return nil
    end
    return first[1]
end

-- An item that is ready and stands in `z` leaves its place.
function place.leave(obj, q, item)
    redis.call("ZREM", obj:key("z"), item.member)
    redis.call("HDEL", obj:key("i"), item.id)
    if item.expires > 0 then
        redis.call("ZREM", obj:key("t"), "0" .. item.id)
    end
    q.ready = q.ready - 1
    obj.unsaved = true
end

-- Takes the first value of the list of a plain fifo queue, which has nothing before it.
function place.take_value(obj, q)
    local value = redis.call("LPOP", obj:key("q"))
    q.popped = q.popped + 1
    q.listed = q.listed - 1
    q.ready = q.ready - 1
    q.gets = q.gets + 1
    obj.unsaved = true
    return value
end

-- Takes out the item at the head; there must be one.
function place.take(obj, q)
    local member = head(obj, q)
    if member then
        local item = place.read(obj, member:sub(-8))
        place.leave(obj, q, item)
        return item
    end
    local value
    if q.options.order == "fifo" then
        value = redis.call("LPOP", obj:key("q"))
        q.popped = q.popped + 1
    else
        value = redis.call("RPOP", obj:key("q"))
    end
    q.listed = q.listed - 1
    q.ready = q.ready - 1
    obj.unsaved = true
    return { value = value, deliveries = 0, expires = 0, rank = "" }
end
