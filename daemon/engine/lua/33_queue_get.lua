-- queue_get: queue.get, queue.get_many and queue.get_any.
--
-- What a plain queue gives to a call that has waited can be put back: the call's undo is "p" and the
-- items, packed; for an item of a joinable queue, of get_any, which may wait in other tags, too, it
-- is "t" and the ticket. An answer that goes straight back has none: see queue.put_back.
--
-- Tests: tests/engine/test_queue*.py.
local queue, place = ipcd.queue, ipcd.queue.place
local pack = ipcd.pack

-- An answer of many values ends when it is longer than that.
queue.LONG = 1048576
local GET_AT_ONCE = 10000 -- and one of many items, so that nobody waits for long

-- Why a get finds nothing: "EMPTY", also while it is paused; "SHUT_DOWN"; nil: there is an item.
function queue.lacks(q)
    if q.paused and not queue.is_over(q) then
        return "EMPTY"
    elseif q.ready == 0 then
        return queue.is_over(q) and "SHUT_DOWN" or "EMPTY"
    end
    return nil
end

local function tell_get(obj, q, ticket)
    if obj.watched then
        ipcd.tell(obj, "get", { pack.pair("size", pack.int(queue.size(q))),
            pack.pair("ticket", pack.int(ticket)) })
    end
end

-- Takes the next item. Returns [value, ticket, deliveries] without the array's head, and the item.
local function deliver(call, obj, q)
    local item = place.take(obj, q)
    local ticket = pack.nil_
    q.gets = q.gets + 1
    if q.options.joinable then
        local number = queue.hold(obj, q, item, call.sid, call.now)
        ticket = pack.int(number)
        item.ticket = number
        tell_get(obj, q, number)
        return item.value .. ticket .. pack.int(item.deliveries), item
    end
    tell_get(obj, q, 0)
    return item.value .. ticket .. pack.int(item.deliveries + 1), item
end

-- What has been taken for a call that waited goes back if nobody takes it.
local function note_undo(call, obj, items)
    if items[1].ticket then
        ipcd.undo(call, "t" .. string.format("%.0f", items[1].ticket), obj)
        return
    end
    local list = {}
    for i, item in ipairs(items) do
        list[i] = { item.value, item.deliveries, item.expires, item.rank, item.id or "" }
    end
    ipcd.undo(call, "p" .. cmsgpack.pack(list), obj)
end

-- types.queue.undo
function queue.undo(obj, blob)
    local rest = blob:sub(2)
    if blob:byte(1) == 116 then
        queue.untake(obj, rest)
        return
    end
    local items = cmsgpack.unpack(rest)
    for i, item in ipairs(items) do
        items[i] = { value = item[1], deliveries = item[2], expires = item[3], rank = item[4],
            id = item[5] ~= "" and item[5] or nil }
    end
    queue.put_back(obj, items)
end

-- The call waits for an item.
local function wait_for_item(call, q, timeout)
    local text
    if q.paused then
        text = call.verb .. ": \"" .. call.obj.name .. "\" is paused"
    end
    return ipcd.wait(call, "g", timeout, "EMPTY", text)
end

-- Nothing is reserved for a session here: `ahead`, given by one that could have it, is answered so.
ipcd.method("queue.get", { waits = true }, function(call, timeout, ahead)
    local obj = call.obj
    local q = queue.of(obj)
    if q.is_simple and q.listed == q.ready and q.ready > 0 and not q.paused and obj.waiting == 0
        and not obj.watched and (not ahead or ahead == "") then
        return "\147" .. place.take_value(obj, q) .. "\192\1" -- what most gets are
    end
    local code = queue.lacks(q)
    if code == "SHUT_DOWN" then
        return nil, code
    elseif code or ipcd.is_behind(call, "g") then
        return wait_for_item(call, q, timeout)
    end
    local answer, item = deliver(call, obj, q)
    if call.waited and not item.ticket then
        note_undo(call, obj, { item })
    end
    queue.changed(obj)
    if ahead and ahead ~= "" and ahead ~= "0" then
        return "\148" .. answer .. pack.nil_
    end
    return "\147" .. answer
end)

ipcd.method("queue.get_many", { waits = true }, function(call, max, timeout)
    local obj = call.obj
    local q = queue.of(obj)
    if max == "0" then
        return pack.array(0)
    end
    local code = queue.lacks(q)
    if code == "SHUT_DOWN" then
        return nil, code
    elseif code or ipcd.is_behind(call, "g") then
        return wait_for_item(call, q, timeout)
    end
    local answers, items, size = {}, {}, 0
    local count = math.min(tonumber(max), q.ready, GET_AT_ONCE)
    while #items < count and size < queue.LONG do
        local answer, item = deliver(call, obj, q)
        answers[#answers + 1] = "\147" .. answer
        items[#items + 1] = item
        size = size + #answer
    end
    if call.waited and not items[1].ticket then
        note_undo(call, obj, items)
    end
    queue.changed(obj)
    return pack.array(#items) .. table.concat(answers)
end)

-- get_any. It names queues of one tag, and its VERSION those that rights were checked for.

local WHY = {
    EMPTY = "queue.get_any: none of the queues has an item",
    SHUT_DOWN = "queue.get_any: all of the queues are empty and shut down",
}

local function take_any(call, obj)
    local q = queue.of(obj)
    local answer, item = deliver(call, obj, q)
    if call.waited then
        note_undo(call, obj, { item })
    end
    queue.changed(obj)
    return "\148" .. pack.str(obj.name) .. answer
end

-- True if none of the queues that a call waits on can get an item, but by one that comes back.
local function all_are_shut_down(names)
    for _, name in ipairs(cmsgpack.unpack(names)) do
        local obj = ipcd.find(name)
        if obj and obj.type == "queue" and queue.lacks(queue.of(obj)) ~= "SHUT_DOWN" then
            return false
        end
    end
    return true
end

-- A call that has waited is asked by one of its queues. One that is shut down may still get back
-- what was taken from it, so it is waited on as long as there is another one.
local function get_from_asked(call, names, timeout, stays)
    local obj = call.woken_by
    local code = obj and not call.timed_out and queue.lacks(queue.of(obj)) or nil
    if obj and not call.timed_out and not code then
        return take_any(call, obj)
    elseif code == "SHUT_DOWN" and stays ~= "1" and all_are_shut_down(names) then
        return nil, code, WHY[code]
    end
    return ipcd.wait_any(call, {}, "g", timeout, "EMPTY", WHY.EMPTY)
end

-- `stays` ("1"): it waits though all of these are shut down, as it waits in other tags too.
ipcd.method("queue.get_any", { waits = true, objects = true }, function(call, names, timeout, stays)
    if call.waited then
        return get_from_asked(call, names, timeout, stays)
    end
    local refusal = "SHUT_DOWN"
    for _, obj in ipairs(call.objs) do
        local code = queue.lacks(queue.of(obj))
        if not code and not ipcd.is_behind(call, "g", obj) then
            return take_any(call, obj)
        elseif code ~= "SHUT_DOWN" then
            refusal = "EMPTY"
        end
    end
    if refusal == "SHUT_DOWN" and stays ~= "1" then
        return nil, refusal, WHY[refusal]
    end
    return ipcd.wait_any(call, call.objs, "g", timeout, "EMPTY", WHY.EMPTY)
end)

ipcd.types.queue.undo = queue.undo
