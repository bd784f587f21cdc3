-- queue: what is known of a queue while a batch runs, and opening one; see daemon/objects/queue.h
-- for what a queue is, which this follows in all that is seen of it.
--
-- Keys of a queue, besides its meta hash:
--   q  list: the values that have nothing to remember, as they came, in the order of arrival
--   z  zset: the places of all other items that are ready; see 31_queue_place.lua
--   i  hash: those items and the delayed ones, by id
--   t  zset: when time changes them (ms)
--   k  zset: what is taken, by ticket; see 34_queue_taken.lua
--   c  zset: the tickets of each session, all with score 0: "SID\0TICKET"
--   l  zset: when the leases of what is taken are over (ms)
-- So a plain queue whose items have nothing to remember is a list and no more.
--
-- What is counted of a queue is in obj.meta, read and written with the object; see FIELDS.
-- So a plain queue's put is a push and the writing of that at the end of its batch.
--
-- Tests: tests/engine/test_queue*.py.
local queue = {}
ipcd.queue = queue

-- Times beyond it are as good as never; counters and times below it are exact.
queue.NEVER = 9007199254740992

local PLAIN = {
    order = "fifo", joinable = false, discard = false, dead_letter = "",
    maxsize = 0, lease_ms = 0, max_deliveries = 0,
    maxsize_text = "0", lease_text = "0", deliveries_text = "0",
}

local function read_options(packed)
    if not packed then
        return PLAIN
    end
    local options = {}
    options.order, options.joinable, options.discard, options.maxsize_text, options.lease_text,
        options.deliveries_text, options.dead_letter = cmsgpack.unpack(packed)
    options.maxsize = tonumber(options.maxsize_text)
    options.lease_ms = tonumber(options.lease_text)
    options.max_deliveries = tonumber(options.deliveries_text)
    return options
end

-- The meta fields, and those that are not 0 or false at first. There are five more, which change
-- with each put and get, and are its figures (20_object.lua):
--   ready   items that a get could return, were it not paused
--   listed  those of them in the list
--   popped  the number of the first value of a fifo queue's list; see 31_queue_place.lua
--   puts, gets  as they are described
local FIELDS = {
    "packed_options", -- nil: those of a plain fifo queue
    "delayed", "taken", "dropped", "expired", -- as they are described
    "front",       -- how many have come to the head before all others
    "last_id", "last_ticket",
    "resume_at",   -- when a pause is over; NEVER: not by itself
    "shut_down", "drain", "paused",
    "rank_kind",   -- of the items in a queue ordered by priority: the first byte of their ranks
}
local figures = { size = 40 }

function figures.pack(q)
    return struct.pack("<ddddd", q.ready, q.listed, q.popped, q.puts, q.gets)
end

function figures.unpack(q, bytes)
    q.ready, q.listed, q.popped, q.puts, q.gets = struct.unpack("<ddddd", bytes)
end

local NUMBERS = 49 -- the first byte of ranks that are numbers; see 32_queue_put.lua

-- What is known of a queue, to be read and changed: its fields, `options` as a table, `is_ranked`
-- (it is ordered by priority) and `is_simple` (it is a plain fifo queue), which are kept beside the
-- fields. Who changes one sets obj.unsaved; who changes figures alone may say obj:touch_figures().
function queue.of(obj)
    local q = obj.meta
    if not q.options then
        local options = read_options(q.packed_options)
        q.options = options
        q.is_ranked = options.order == "priority"
        q.is_simple = options.order == "fifo" and not options.joinable
    end
    return q
end

-- What a get could return now.
function queue.size(q)
    return q.paused and 0 or q.ready
end

function queue.is_full(q)
    local maxsize = q.options.maxsize
    return maxsize > 0 and q.ready + q.delayed >= maxsize
end

-- True if it is shut down and no get can find anything in it any more.
function queue.is_over(q)
    return q.shut_down and q.ready + q.delayed == 0 and not (q.drain and q.taken > 0)
end

-- The end of each operation that changes what a call may wait for. Once it is over, all who wait
-- for an item have to look: one that waits on other queues too may stay, those behind it may not.
function queue.changed(obj)
    if obj.waiting == 0 then
        return
    end
    if queue.is_over(obj.meta) then
        ipcd.changed(obj, "g")
    end
    ipcd.changed(obj)
end

-- Tells an event whose details are the size and no more than that.
function queue.tell_size(obj, event)
    if obj.watched then
        ipcd.tell(obj, event, { ipcd.pack.pair("size", ipcd.pack.int(queue.size(obj.meta))) })
    end
end

-- A moment so many milliseconds (a number) from now.
function queue.after(now, ms)
    return math.min(now + ms, queue.NEVER)
end

-- Time changes something at `due`: earlier than what is known of, perhaps. What was to change
-- earlier and is gone stays noted, as looking once in vain is cheaper than noting each time.
function queue.due_at(obj, due)
    if due < queue.NEVER and (not obj.due or due < obj.due) then
        ipcd.set_due(obj, due)
    end
end

-- Opening.

local ORDERS = { fifo = true, lifo = true, priority = true }

local function given(value)
    return value ~= nil and value ~= ""
end

local function only_for_joinable(option)
    return nil, "BAD_REQUEST",
        "queue.open: option " .. option .. " is for queues with option joinable"
end

local function create(obj, maxsize, order, joinable, on_disconnect, lease_ms, max_deliveries,
    dead_letter)
    if joinable ~= "1" then
        if given(on_disconnect) then
            return only_for_joinable("on_disconnect")
        elseif given(lease_ms) then
            return only_for_joinable("lease_ms")
        elseif given(max_deliveries) then
            return only_for_joinable("max_deliveries")
        elseif given(dead_letter) then
            return only_for_joinable("dead_letter")
        end
    end
    if given(dead_letter) then
        local why = queue.refuse_dead_letter(obj.name, dead_letter)
        if why then
            return nil, "BAD_REQUEST", "queue.open: option dead_letter" .. why
        end
    end
    maxsize = given(maxsize) and maxsize or "0"
    order = ORDERS[order] and order or "fifo"
    local meta = obj.meta
    for _, figure in ipairs(FIELDS) do
        meta[figure] = 0
    end
    meta.ready, meta.listed, meta.popped, meta.puts, meta.gets = 0, 0, 0, 0, 0
    meta.packed_options, meta.shut_down, meta.drain, meta.paused = nil, false, false, false
    meta.rank_kind = NUMBERS
    if maxsize ~= "0" or order ~= "fifo" or joinable == "1" then
        meta.packed_options = cmsgpack.pack(order, joinable == "1", on_disconnect == "discard",
            maxsize, given(lease_ms) and lease_ms or "0", given(max_deliveries) and max_deliveries or "0",
            dead_letter or "")
    end
    return true
end

local function differs(obj, maxsize, order, joinable, on_disconnect, lease_ms, max_deliveries,
    dead_letter)
    local is = queue.of(obj).options
    if given(maxsize) and maxsize ~= is.maxsize_text then
        return "maxsize"
    elseif given(order) and order ~= is.order then
        return "order"
    elseif given(joinable) and (joinable == "1") ~= is.joinable then
        return "joinable"
    elseif given(on_disconnect) and (on_disconnect == "discard") ~= is.discard then
        return "on_disconnect"
    elseif given(lease_ms) and lease_ms ~= is.lease_text then
        return "lease_ms"
    elseif given(max_deliveries) and max_deliveries ~= is.deliveries_text then
        return "max_deliveries"
    elseif given(dead_letter) and dead_letter ~= is.dead_letter then
        return "dead_letter"
    end
    return nil
end

-- False, true, or how many milliseconds more.
local function paused(q)
    if q.paused and q.resume_at ~= queue.NEVER then
        return ipcd.pack.int(math.max(q.resume_at - run.now, 0))
    end
    return ipcd.pack.bool(q.paused)
end

local function describe(obj)
    local q = queue.of(obj)
    local options, pack = q.options, ipcd.pack
    local pairs_ = {
        pack.pair("maxsize", pack.int_text(options.maxsize_text)),
        pack.pair("order", pack.str(options.order)),
        pack.pair("joinable", pack.bool(options.joinable)),
        pack.pair("on_disconnect", pack.str(options.discard and "discard" or "requeue")),
        pack.pair("lease_ms", pack.int_text(options.lease_text)),
        pack.pair("max_deliveries", pack.int_text(options.deliveries_text)),
        pack.pair("dead_letter",
            options.dead_letter ~= "" and pack.str(options.dead_letter) or pack.nil_),
        pack.pair("size", pack.int(queue.size(q))),
        pack.pair("queued", pack.int(q.ready)),
        pack.pair("unfinished", pack.int(q.ready + q.delayed + q.taken)),
        pack.pair("taken", pack.int(q.taken)),
        pack.pair("delayed", pack.int(q.delayed)),
        pack.pair("puts", pack.int(q.puts)),
        pack.pair("gets", pack.int(q.gets)),
        pack.pair("dropped", pack.int(q.dropped)),
        pack.pair("expired", pack.int(q.expired)),
        pack.pair("shut_down", pack.bool(q.shut_down)),
        pack.pair("drain", pack.bool(q.drain)),
        pack.pair("paused", paused(q)),
    }
    return #pairs_, table.concat(pairs_)
end

-- The figures are in obj.meta already.
local function save(obj)
    obj:set()
end

-- The channels: g waits for an item, p for room, j until nothing is unfinished.
ipcd.types.queue = {
    fields = FIELDS,
    figures = figures,
    parts = { "q", "z", "i", "t", "k", "c", "l" },
    channels = { "g", "p", "j" },
    create = create,
    differs = differs,
    describe = describe,
    save = save,
    durable = true,
}
