-- wait: calls that cannot go on yet, the outbox by which they are answered, and serving them.
--
-- A wait is known by "HOST/EPOCH.WAIT". It stands in the zset of a channel of one object or of
-- several, whose scores (a count of the object's tag) say who came first. The tag in which it was registered, its home, has the
-- rest: a record, [verb, number and name of the call's object ("" if it has none), sid, progress,
-- timeout, since, channel, {number and name of each object that it waits on}, {arg…}], and the outbox
-- of its host. In the zsets of objects of other tags (there are such only without a cluster)
-- the member ends in "@" and the home's prefix.
--
-- Who is served gets what his call answers as an entry of his host's outbox, [n, WAIT, reply, undo],
-- n being one more for each, and by a message of the same bytes on the host's channel. Undo is "",
-- or [type, number, name, blob, sid] of something that is to be put back if nobody takes it.
--
-- Invariants: nobody stands in a zset without a record in its home; obj.waiting is the number of
-- members of all the object's channels.
--
-- Tests: tests/engine/test_wait.py, test_wait_model.py.

-- A record's fields.
local WAIT_VERB, WAIT_NUMBER, WAIT_NAME, WAIT_SID, WAIT_PROGRESS, WAIT_TIMEOUT, WAIT_SINCE,
    WAIT_CHANNEL, WAIT_OBJECTS, WAIT_ARGS = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10

-- Of a handler that cannot go on: the call waits on that channel of its object, for `timeout` ms at
-- most ("": without limit). Returns what the handler is to return: if the call may not wait, or not
-- any more, the error `code`.
function ipcd.wait(call, channel, timeout, code, text)
    return ipcd.wait_any(call, { call.obj }, channel, timeout, code, text)
end

-- As ipcd.wait, on the same channel of several objects; call.woken_by is then the one that changed.
function ipcd.wait_any(call, objs, channel, timeout, code, text)
    if call.timed_out or (not call.waited and (timeout == "0" or call.wait == "0")) then
        return nil, code, text
    end
    if not call.waited then
        call.wish = { objs = objs, channel = channel, timeout = timeout }
    end
    return WAIT
end

-- As ipcd.wait; the handler is run once more, with call.waited, as soon as the call stands in line
-- and nothing can refuse it any more.
function ipcd.wait_again(call, channel, timeout, code, text)
    local answer, refused, why = ipcd.wait(call, channel, timeout, code, text)
    if answer == WAIT and call.wish then
        call.wish.again = true
    end
    return answer, refused, why
end

-- True if others wait on the channel already and the call is new: it must wait behind them. Of the
-- call's object, or of another one.
function ipcd.is_behind(call, channel, obj)
    obj = obj or call.obj
    return not call.waited and obj.waiting > 0 and redis.call("ZCARD", obj:key("W" .. channel)) > 0
end

-- How many calls wait on a channel.
function ipcd.waiting_on(obj, channel)
    return obj.waiting > 0 and redis.call("ZCARD", obj:key("W" .. channel)) or 0
end

local function is_listed(obj, channel)
    for _, listed in ipairs(ipcd.types[obj.type].channels or {}) do
        if listed == channel then
            return true
        end
    end
    return false
end

local function member_for(wait, obj)
    return obj.prefix == wait.home and wait.key or wait.key .. "@" .. wait.home
end

-- The wait of that member of an object's zset.
local function wait_of(member, obj)
    local key, home = member:match("^([^@]*)@(.*)$")
    return { key = key or member, home = home or obj.prefix }
end

local function host_of(wait)
    return wait.key:match("^(.*)%.")
end

-- It stands in line now, behind all others.
local function enter(wait, obj, channel)
    local order = redis.call("HINCRBY", obj.prefix .. "n", "w", 1)
    redis.call("ZADD", obj:key("W" .. channel), order, member_for(wait, obj))
    redis.call("SADD", obj:key("Wh"), host_of(wait))
    if not is_listed(obj, channel) then
        redis.call("SADD", obj:key("Wc"), channel)
    end
    obj.waiting = obj.waiting + 1
    obj:touch()
end

local function leave(wait, obj, channel)
    local zset = obj:key("W" .. channel)
    if redis.call("ZREM", zset, member_for(wait, obj)) == 0 then
        return
    end
    obj.waiting = obj.waiting - 1
    if not is_listed(obj, channel) and redis.call("EXISTS", zset) == 0 then
        redis.call("SREM", obj:key("Wc"), channel)
    end
    if obj.waiting == 0 then
        redis.call("DEL", obj:key("Wh"))
    end
    obj:touch()
end

-- Calls f(obj) for the objects that it waits on; one that is gone is left out.
local function each_object(wait, f)
    local objects = wait.record[WAIT_OBJECTS]
    for i = 1, #objects, 2 do
        local obj = ipcd.find_number(nil, objects[i], objects[i + 1])
        if obj then
            f(obj)
        end
    end
end

local function save(wait)
    redis.call("HSET", wait.home .. "wd", wait.key, cmsgpack.pack(wait.record))
end

-- Reads what is known of it; nil if nobody knows it (any more).
local function wait_read(wait)
    local record = redis.call("HGET", wait.home .. "wd", wait.key)
    if not record then
        return nil
    end
    wait.record = cmsgpack.unpack(record)
    return wait
end

-- Registers a call whose handler has answered that it waits.
local function wait_register(call)
    local wish = call.wish
    local wait = { key = run.host .. "." .. call.wait, home = run.prefix }
    local list, seen = {}, {}
    for _, obj in ipairs(wish.objs) do
        if not seen[obj] then
            seen[obj] = true
            list[#list + 1] = obj.number
            list[#list + 1] = obj.name
            enter(wait, obj, wish.channel)
        end
    end
    local own = call.obj
    wait.record = { call.method.name, own and own.number or "", own and own.name or "", call.sid,
        call.progress, wish.timeout, run.now, wish.channel, list, 
        { unpack(call.argv, call.first, call.last) } }
    save(wait)
    redis.call("HSET", run.prefix .. "s:" .. call.sid, "w" .. call.wait, "")
    return wait
end

-- It waits no more, on anything.
local function wait_remove(wait)
    each_object(wait, function(obj)
        leave(wait, obj, wait.record[WAIT_CHANNEL])
    end)
    redis.call("HDEL", wait.home .. "wd", wait.key)
    redis.call("HDEL", wait.home .. "s:" .. wait.record[WAIT_SID],
        "w" .. wait.key:match("%.([^.]*)$"))
    wait.is_over = true
end

-- A call that waited goes on waiting, on a channel of another object, without limit.
function ipcd.move(call, obj, channel)
    local wait = call.of_wait
    each_object(wait, function(other)
        leave(wait, other, wait.record[WAIT_CHANNEL])
    end)
    wait.record[WAIT_TIMEOUT] = ""
    wait.record[WAIT_CHANNEL] = channel
    wait.record[WAIT_OBJECTS] = { obj.number, obj.name }
    wait.record[WAIT_PROGRESS] = call.progress
    enter(wait, obj, channel)
    save(wait)
    wait.has_moved = true
    ipcd.changed(obj)
    return WAIT
end

-- The outbox.

-- Gives a call that waited its reply.
local function deliver(wait, reply, undo)
    local host, number = wait.key:match("^(.*)%.([^.]*)$")
    local n = redis.call("INCR", wait.home .. "o:" .. host)
    local entry = cmsgpack.pack({ n, tonumber(number), reply, undo or "" })
    redis.call("RPUSH", wait.home .. "out:" .. host, entry)
    redis.call("SPUBLISH", wait.home .. "ch:" .. host, entry)
end

-- The call's reply takes something away for good: if nobody gets it, undo(obj, blob) of the type of
-- its object, or of `obj`, puts it back.
function ipcd.undo(call, blob, obj)
    if not call.waited then
        return -- the reply goes to the daemon itself
    end
    obj = obj or call.obj
    call.undo = cmsgpack.pack({ obj.type, obj.number, obj.name, blob, call.sid })
end

-- Forgets the entries of the batch's own host up to number `ack`.
local function outbox_trim(ack)
    local out = run.prefix .. "out:" .. run.host
    local length = redis.call("LLEN", out)
    local last = tonumber(redis.call("GET", run.prefix .. "o:" .. run.host) or 0)
    local first = last - length + 1
    if ack >= first then
        redis.call("LTRIM", out, ack - first + 1, -1)
    end
end

-- Does what an undo says. The object may be gone: then there is nothing to put it back to.
local function undo_run(undo)
    if undo == "" then
        return
    end
    local type_name, number, name, blob, sid = unpack(cmsgpack.unpack(undo))
    local obj = ipcd.find_number(nil, number, name)
    if obj then
        ipcd.types[type_name].undo(obj, blob, sid)
        ipcd.changed(obj)
    end
end

-- Tells the hosts whose calls wait on the object when it is due: ["d", due, name].
function ipcd.tell_due(obj)
    local message = cmsgpack.pack({ "d", obj.due, obj.name })
    for _, host in ipairs(redis.call("SMEMBERS", obj:key("Wh"))) do
        if host ~= run.host then
            redis.call("SPUBLISH", obj.prefix .. "ch:" .. host, message)
        end
    end
end

-- Asking again.

-- What a handler's three results are as a reply.
local function reply_of(result, code, text)
    if result then
        return "=" .. result
    end
    return "!" .. code .. " " .. (text or "")
end

-- The call leaves without what it waited for: its object may have to know, and those who stood
-- behind it may be able to go on.
local function wait_ended(wait, obj, progress)
    if obj and not obj.is_deleted and ipcd.types[obj.type].wait_ended then
        ipcd.types[obj.type].wait_ended(obj, { progress = progress, sid = wait.record[WAIT_SID] })
    end
end

local function ask_those_behind(wait)
    each_object(wait, ipcd.changed)
end

-- The call's own object; nil, true if it is gone.
local function own_object(wait)
    local number = wait.record[WAIT_NUMBER]
    if number == "" then
        return nil, false
    end
    local obj = ipcd.find_number(nil, number, wait.record[WAIT_NAME])
    return obj, obj == nil
end

-- "a queue", "an event"
local function article(type_name)
    return (type_name:find("^[aeiou]") and "an " or "a ") .. type_name
end

local DELETED = "!DELETED the object was deleted while the call waited"

-- Runs the handler of a call that waits again. Returns its reply, and the call; or nothing if it
-- goes on waiting.
local function wait_try(wait, woken_by, timed_out)
    local record = wait.record
    local own, is_gone = own_object(wait)
    if is_gone then
        return DELETED
    end
    local method = ipcd.methods[record[WAIT_VERB]]
    local sid = record[WAIT_SID]
    local call = {
        method = method, verb = method.name, obj = own, sid = sid, session = tonumber(sid:match(":(.*)$")),
        waited = true, timed_out = timed_out, now = run.now, progress = record[WAIT_PROGRESS],
        wait = wait.key, of_wait = wait, woken_by = woken_by,
    }
    local result, code, text = handle(method, call, record[WAIT_ARGS], 1, #record[WAIT_ARGS])
    if result == WAIT then
        if call.progress ~= record[WAIT_PROGRESS] then
            record[WAIT_PROGRESS] = call.progress
            save(wait)
        end
        return nil
    end
    return reply_of(result, code, text), call
end

-- Ends a wait with a reply.
local function wait_finish(wait, reply, call)
    local own = own_object(wait)
    wait_remove(wait)
    if reply:byte(1) == 33 then
        wait_ended(wait, own, call and call.progress or wait.record[WAIT_PROGRESS])
    end
    deliver(wait, reply, call and call.undo)
end

-- Asks one that waits on a channel of the object. True if it has left it.
local function ask(obj, channel, member)
    local wait = wait_of(member, obj)
    if not wait_read(wait) then
        leave(wait, obj, channel) -- it should not stand there
        return true
    end
    local reply, call = wait_try(wait, obj, false)
    if reply then
        wait_finish(wait, reply, call)
        return true
    end
    return wait.has_moved or false
end

-- Asks those on a channel in order, until one goes on waiting. True if one has left.
local function ask_in_order(obj, channel)
    local served = false
    local key = obj:key("W" .. channel)
    while not obj.is_deleted do
        local first = redis.call("ZRANGE", key, 0, 0)[1]
        if not first or not ask(obj, channel, first) then
            break
        end
        served = true
    end
    return served
end

-- Asks each on a channel once.
local function ask_each(obj, channel)
    local served = false
    local key = obj:key("W" .. channel)
    for _, member in ipairs(redis.call("ZRANGE", key, 0, -1)) do
        if obj.is_deleted then
            break
        end
        if redis.call("ZSCORE", key, member) and ask(obj, channel, member) then
            served = true
        end
    end
    return served
end

-- Asks until nobody can be served any more.
local function serve_object(obj)
    local served
    repeat
        served = false
        local all = obj.ask_all
        obj.ask_all = nil
        for _, channel in ipairs(all or {}) do
            served = ask_each(obj, channel) or served
        end
        for _, channel in ipairs(ipcd.types[obj.type].channels or {}) do
            if obj.waiting > 0 and not obj.is_deleted then
                served = ask_in_order(obj, channel) or served
            end
        end
    until not served or obj.waiting == 0 or obj.is_deleted
end

-- Serves all objects that have changed.
local function serve()
    local changed, at = run.changed, 1
    while changed[at] do
        changed[at].is_changed = false
        serve_object(changed[at])
        at = at + 1
    end
    run.changed = {}
end

-- Calls f(wait, channel) for each wait on the object, in order within its channel.
local function each_wait(obj, f)
    if obj.waiting == 0 then
        return
    end
    local channels = redis.call("SMEMBERS", obj:key("Wc"))
    for i, channel in ipairs(ipcd.types[obj.type].channels or {}) do
        table.insert(channels, i, channel)
    end
    for _, channel in ipairs(channels) do
        for _, member in ipairs(redis.call("ZRANGE", obj:key("W" .. channel), 0, -1)) do
            local wait = wait_read(wait_of(member, obj))
            if wait then
                f(wait, channel)
            end
        end
    end
end

-- Ends all waits on an object that is deleted, or that cannot be without one that is.
function ipcd.end_waits(obj)
    each_wait(obj, function(wait)
        ask_those_behind(wait)
        wait_finish(wait, DELETED)
    end)
end

-- Ends the calls of an object `of`, which is deleted, that wait on another one.
function ipcd.end_waits_elsewhere(other, of)
    each_wait(other, function(wait)
        if wait.record[WAIT_NUMBER] == of.number then
            ask_those_behind(wait)
            wait_finish(wait, DELETED)
        end
    end)
end
