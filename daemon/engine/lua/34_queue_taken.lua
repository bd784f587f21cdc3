-- queue_taken: the items of a joinable queue that are taken: their tickets, done, given back, left by
-- a session that ends; and waiting until there are none. Looking at them is in 38_queue_claims.lua.
--
-- A taken item is a member of the zset `k`, its score the ticket:
--   ticket, sid, taken (ms), value, deliveries (this one counted), expires, rank, id ("" for none)
-- Its session has it in `c`. That the session has claims on the queue at all is noted when it takes
-- the first item, and stays until it ends: a look at `c` in vain then, instead of one at each end of
-- an item. The lease, if there is one, is in `l` under "1" and the ticket from the end: those that
-- are over at the same time come back the last one first.
--
-- Tests: tests/engine/test_queue*.py.
local queue, place = ipcd.queue, ipcd.queue.place
local pack = ipcd.pack

local TAKEN_AT_ONCE = 500 -- how many are read in one command

local function of_session(sid, ticket)
    return sid .. "\0" .. place.bytes(ticket)
end

function queue.lease_member(ticket)
    return "1" .. place.bytes(queue.NEVER - ticket)
end

-- The ticket of a member of `l`.
function queue.ticket_of_lease(member)
    return queue.NEVER - struct.unpack(">I8", member, 2)
end

local function start_lease(obj, q, ticket, now)
    local due = queue.after(now, q.options.lease_ms)
    redis.call("ZADD", obj:key("l"), due, queue.lease_member(ticket))
    queue.due_at(obj, due)
end

-- The item, which stands in no place, is taken by a session. Returns its ticket.
function queue.hold(obj, q, item, sid, now)
    local ticket = q.last_ticket + 1
    q.last_ticket = ticket
    item.deliveries = item.deliveries + 1
    redis.call("ZADD", obj:key("k"), ticket, cmsgpack.pack(ticket, sid, now, item.value,
        item.deliveries, item.expires, item.rank, item.id or ""))
    redis.call("ZADD", obj:key("c"), 0, of_session(sid, ticket))
    if q.options.lease_ms > 0 then
        start_lease(obj, q, ticket, now)
    end
    q.taken = q.taken + 1
    obj.unsaved = true
    if obj.claimed ~= sid then
        obj.claimed = sid -- once in a batch is enough, for most
        ipcd.claim(obj, sid)
    end
    return ticket
end

function queue.unpack_taken(member)
    local item = { member = member }
    item.ticket, item.sid, item.taken, item.value, item.deliveries, item.expires, item.rank, item.id =
        cmsgpack.unpack(member)
    if item.id == "" then
        item.id = nil
    end
    return item
end

-- The taken item of a ticket, or nil.
function queue.taken_by_ticket(obj, ticket)
    local member = redis.call("ZRANGEBYSCORE", obj:key("k"), ticket, ticket)[1]
    return member and queue.unpack_taken(member)
end

-- The session's tickets, the first ones; or the last ones.
function queue.tickets_of(obj, sid, count, from_end)
    local members
    if from_end then
        members = redis.call("ZREVRANGEBYLEX", obj:key("c"), "(" .. sid .. "\1", "[" .. sid .. "\0",
            "LIMIT", 0, count)
    else
        members = redis.call("ZRANGEBYLEX", obj:key("c"), "[" .. sid .. "\0", "(" .. sid .. "\1",
            "LIMIT", 0, count)
    end
    for i, member in ipairs(members) do
        members[i] = struct.unpack(">I8", member, #member - 7)
    end
    return members
end

-- A taken item stands in no place any more.
local function leave(obj, q, item)
    redis.call("ZREM", obj:key("k"), item.member)
    redis.call("ZREM", obj:key("c"), of_session(item.sid, item.ticket))
    if q.options.lease_ms > 0 then
        redis.call("ZREM", obj:key("l"), queue.lease_member(item.ticket))
    end
    q.taken = q.taken - 1
    obj.unsaved = true
end

local function unfinished(q)
    return q.ready + q.delayed + q.taken
end

local function done(obj, q, item)
    leave(obj, q, item)
    if obj.watched then
        ipcd.tell(obj, "done", { pack.pair("unfinished", pack.int(unfinished(q))),
            pack.pair("ticket", pack.int(item.ticket)) })
    end
    queue.changed(obj)
end

-- Tells that an item has come back.
function queue.tell_give_back(obj, q, ticket, reason)
    if obj.watched then
        ipcd.tell(obj, "give_back", { pack.pair("size", pack.int(queue.size(q))),
            pack.pair("ticket", pack.int(ticket)), pack.pair("reason", pack.str(reason)) })
    end
end

-- The item, which stands in no place, goes where one that comes back belongs.
local function come_back(obj, q, item, delay_ms, now)
    local most = q.options.max_deliveries
    if item.expires > 0 and item.expires <= now then
        q.expired = q.expired + 1
    elseif most > 0 and item.deliveries >= most then
        obj.dead = obj.dead or {}
        obj.dead[#obj.dead + 1] = item
    elseif delay_ms > 0 then
        place.delay(obj, q, item, queue.after(now, delay_ms), item.ticket)
    else
        place.enter(obj, q, item, true)
    end
end

-- A taken item goes back, for that reason. The dead are to be passed on afterwards.
local function give_back(obj, q, item, reason, delay_ms, now)
    leave(obj, q, item)
    come_back(obj, q, item, delay_ms, now)
    queue.tell_give_back(obj, q, item.ticket, reason)
    if item.expires > 0 and item.expires <= now then
        queue.tell_size(obj, "expire")
    end
    queue.changed(obj)
end

-- What follows, a give_back, is to be as if the item had not been taken this time.
local function uncount(q, item)
    item.deliveries = item.deliveries - 1
    q.gets = q.gets - 1
end

-- The lease of a ticket is over.
function queue.end_lease(obj, q, ticket, now)
    local item = queue.taken_by_ticket(obj, ticket)
    give_back(obj, q, item, "lease", 0, now)
end

-- The item of a ticket has been taken for a call that nobody waits for.
function queue.untake(obj, ticket)
    local q = queue.of(obj)
    local item = queue.taken_by_ticket(obj, ticket)
    if item then
        uncount(q, item)
        give_back(obj, q, item, "unsent", 0, run.now)
            queue.pass_on(obj, q)
    end
end

-- For the daemon: the same, of an answer that it could not pass on.
ipcd.method("queue.untake", { changes = true, unchecked = true }, function(call, ticket)
    queue.untake(call.obj, ticket)
    queue.changed(call.obj)
    return pack.nil_
end)

-- A session ends: the items that it took go back in their old order, or count as done.
local function abandon(obj, sid)
    local q = queue.of(obj)
    local tickets
    repeat
        tickets = queue.tickets_of(obj, sid, TAKEN_AT_ONCE, true)
        for _, ticket in ipairs(tickets) do
            local item = queue.taken_by_ticket(obj, ticket)
            if q.options.discard then
                done(obj, q, item)
            else
                give_back(obj, q, item, "session", 0, run.now)
            end
        end
    until #tickets < TAKEN_AT_ONCE
    ipcd.unclaim(obj, sid)
    queue.pass_on(obj, q)
end

-- Methods.

-- Refuses if the queue is not joinable.
function queue.need_joinable(call)
    local q = queue.of(call.obj)
    if q.options.joinable then
        return q
    end
    return nil, "WRONG_TYPE", call.verb .. " needs a joinable queue; \"" .. call.obj.name ..
        "\" was opened without joinable"
end

-- The queue's figures and the taken item of a ticket.
local function find_ticket(call, ticket)
    local q, code, text = queue.need_joinable(call)
    if not q then
        return nil, code, text
    end
    local item = queue.taken_by_ticket(call.obj, ticket)
    if not item then
        return nil, "VALUE", call.verb .. ": ticket " .. ticket .. " of \"" .. call.obj.name ..
            "\" is not taken: it is done, or has gone back"
    end
    return q, item
end

-- The one that task_done without a ticket means.
local function oldest_taken(call)
    local q, code, text = queue.need_joinable(call)
    if not q then
        return nil, code, text
    end
    local obj = call.obj
    local ticket = q.taken > 0 and queue.tickets_of(obj, call.sid, 1)[1]
    if ticket then
        return q, queue.taken_by_ticket(obj, ticket)
    elseif q.taken > 0 and q.options.lease_ms == 0 then -- else what others took comes back by itself
        return q, queue.unpack_taken(redis.call("ZRANGE", obj:key("k"), 0, 0)[1])
    elseif q.taken > 0 then
        return nil, "VALUE", "this session has taken no item of \"" .. obj.name .. "\", which has " ..
            "lease_ms: give the ticket to finish one that another session has taken"
    end
    return nil, "VALUE", "task_done was called too many times: no item of \"" .. obj.name ..
        "\" is taken"
end

ipcd.method("queue.task_done", { changes = true }, function(call, ticket)
    local q, item, text
    if ticket and ticket ~= "" then
        q, item, text = find_ticket(call, ticket)
    else
        q, item, text = oldest_taken(call)
    end
    if not q then
        return nil, item, text
    end
    done(call.obj, q, item)
    return pack.int(unfinished(q))
end)

ipcd.method("queue.give_back", { changes = true }, function(call, ticket, delay_ms, uncounted)
    local q, item, text = find_ticket(call, ticket)
    if not q then
        return nil, item, text
    end
    if uncounted == "1" then
        uncount(q, item)
    end
    give_back(call.obj, q, item, "call", tonumber(delay_ms or "") or 0, call.now)
    queue.pass_on(call.obj, q)
    return pack.nil_
end)

ipcd.method("queue.touch", { changes = true }, function(call, ticket)
    local q, item, text = find_ticket(call, ticket)
    if not q then
        return nil, item, text
    end
    if q.options.lease_ms > 0 then
        start_lease(call.obj, q, item.ticket, call.now)
    end
    return pack.nil_
end)

ipcd.method("queue.join", { waits = true }, function(call, timeout)
    local q, code, text = queue.need_joinable(call)
    if not q then
        return nil, code, text
    elseif unfinished(q) > 0 then
        return ipcd.wait(call, "j", timeout, "TIMEOUT")
    end
    return pack.nil_
end)

ipcd.types.queue.abandon = abandon
