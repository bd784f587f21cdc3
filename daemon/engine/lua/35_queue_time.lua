-- queue_time: what time does to a queue (delays, times to live, leases, pauses), and what ends it:
-- clearing and shutting down.
--
-- Tests: tests/engine/test_queue*.py.
local queue, place = ipcd.queue, ipcd.queue.place
local pack = ipcd.pack

-- How much one tick does: what is left is due at once, and done with the next one, so that nobody
-- in the engine waits for long.
local DUE_AT_ONCE = 4096

local function resume(obj, q)
    if q.paused then
        q.paused = false
        obj.unsaved = true
        queue.tell_size(obj, "resume")
        queue.changed(obj)
    end
end

-- The first that is due: of `t` and, with true behind it, of `l`. When, and the member.
local function first_due(obj, q)
    local first = redis.call("ZRANGE", obj:key("t"), 0, 0, "WITHSCORES")
    local due, member = tonumber(first[2]) or queue.NEVER, first[1]
    if q.options.lease_ms == 0 then
        return due, member, false
    end
    local lease = redis.call("ZRANGE", obj:key("l"), 0, 0, "WITHSCORES")
    local ends = tonumber(lease[2]) or queue.NEVER
    local is_lease = lease[1] and (not member or ends < due)
    if lease[1] and member and ends == due and member:byte(1) == 49 then -- both go to the head
        is_lease = queue.ticket_of_lease(lease[1]) > queue.ticket_of_lease(member)
    end
    if is_lease then
        return ends, lease[1], true
    end
    return due, member, false
end

-- The delay of an item is over, or its time to live; it is a member of `t`.
local function item_due(obj, q, member, now)
    local item = place.read(obj, member:sub(-8))
    if item.member ~= "" then
        place.leave(obj, q, item)
    else
        redis.call("ZREM", obj:key("t"), member)
        redis.call("HDEL", obj:key("i"), item.id)
        q.delayed = q.delayed - 1
    end
    obj.unsaved = true
    if item.expires > 0 and item.expires <= now then
        q.expired = q.expired + 1
        queue.tell_size(obj, "expire")
    else
        place.enter(obj, q, item, member:byte(1) == 49)
        queue.tell_size(obj, "ready")
    end
end

local function tick(obj, now)
    local q = queue.of(obj)
    if q.paused and q.resume_at <= now then
        resume(obj, q)
    end
    local due, member, is_lease
    for _ = 0, DUE_AT_ONCE do
        due, member, is_lease = first_due(obj, q)
        if due > now or not member then
            break
        elseif is_lease then
            queue.end_lease(obj, q, queue.ticket_of_lease(member), now)
        else
            item_due(obj, q, member, now)
        end
    end
    queue.pass_on(obj, q)
    if q.paused then
        due = math.min(due, q.resume_at)
    end
    ipcd.set_due(obj, due < queue.NEVER and due or nil)
    queue.changed(obj)
end

-- Drops what is queued and delayed; returns how many.
local function clear(obj, q)
    local removed = q.ready + q.delayed
    if removed > 0 then
        redis.call("UNLINK", obj:key("q"), obj:key("z"), obj:key("i"), obj:key("t"))
        q.ready, q.listed, q.delayed = 0, 0, 0
        obj.unsaved = true
        if obj.watched then
            ipcd.tell(obj, "clear", { pack.pair("count", pack.int(removed)) })
        end
    end
    queue.changed(obj)
    return removed
end

ipcd.method("queue.clear", { changes = true }, function(call)
    return pack.int(clear(call.obj, queue.of(call.obj)))
end)

ipcd.method("queue.shutdown", { changes = true }, function(call, immediate, drain, has_options)
    local obj = call.obj
    local q = queue.of(obj)
    q.shut_down = true
    if drain == "1" or drain == "0" then
        q.drain = drain == "1"
        has_options = "1"
    end
    obj.unsaved = true
    if obj.watched then
        ipcd.tell(obj, "shutdown", { pack.pair("immediate", pack.bool(immediate == "1")) })
    end
    if immediate == "1" then
        clear(obj, q)
    end
    queue.changed(obj)
    return has_options == "1" and pack.int(q.taken) or pack.nil_
end)

ipcd.method("queue.pause", { changes = true }, function(call, ms)
    local obj = call.obj
    local q = queue.of(obj)
    local is_timed = ms ~= nil and ms ~= ""
    q.paused = true
    q.resume_at = queue.NEVER
    obj.unsaved = true
    if obj.watched then
        ipcd.tell(obj, "pause", { pack.pair("timed", pack.bool(is_timed)),
            pack.pair("ms", pack.int_text(is_timed and ms or "0")) })
    end
    if ms == "0" then
        resume(obj, q)
    elseif is_timed then
        -- One that is as good as without end is timed all the same, as its description says.
        q.resume_at = math.min(queue.after(call.now, tonumber(ms)), queue.NEVER - 1)
        queue.due_at(obj, q.resume_at)
    end
    queue.changed(obj)
    return pack.nil_
end)

ipcd.method("queue.resume", { changes = true }, function(call)
    resume(call.obj, queue.of(call.obj))
    return pack.nil_
end)

ipcd.types.queue.tick = tick
