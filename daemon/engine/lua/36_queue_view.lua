-- queue_view: what looks at a queue without changing it.
--
-- A peek goes through the list and the zset `z` side by side. The n-th item is found without those
-- before it: binary search in `z`, as each of its items knows how many values of the list it stands
-- behind. What the list itself takes to get to its n-th value is a hundredth of that.
--
-- Tests: tests/engine/test_queue*.py.
local queue, place = ipcd.queue, ipcd.queue.place
local pack = ipcd.pack

local PEEK_AT_ONCE = 200 -- how many are read in one command

ipcd.method("queue.qsize", {}, function(call)
    return pack.int(queue.size(queue.of(call.obj)))
end)

ipcd.method("queue.empty", {}, function(call)
    return pack.bool(queue.size(queue.of(call.obj)) == 0)
end)

ipcd.method("queue.full", {}, function(call)
    return pack.bool(queue.is_full(queue.of(call.obj)))
end)

-- Members first to last of `z` in get order, and their scores behind each.
local function places(obj, q, first, last)
    local command = q.options.order == "lifo" and "ZREVRANGE" or "ZRANGE"
    return redis.call(command, obj:key("z"), first, last, "WITHSCORES")
end

-- Values first to last of the list in get order.
local function listed(obj, q, first, last)
    if q.options.order ~= "lifo" then
        return redis.call("LRANGE", obj:key("q"), first, last)
    end
    local bottom = math.max(q.listed - 1 - last, 0)
    local values = redis.call("LRANGE", obj:key("q"), bottom, q.listed - 1 - first)
    for i = 1, math.floor(#values / 2) do
        values[i], values[#values + 1 - i] = values[#values + 1 - i], values[i]
    end
    return values
end

-- How many of the first n items stand in `z`.
local function placed_among(obj, q, n)
    local low, high = 0, math.min(q.ready - q.listed, n)
    while low < high do
        local middle = math.floor((low + high) / 2)
        local score = tonumber(places(obj, q, middle, middle)[2])
        if middle + place.before(q, score) < n then
            low = middle + 1
        else
            high = middle
        end
    end
    return low
end

-- The values of items that stand in `z`, from `first` on.
local function placed(obj, q, first, count)
    local members = places(obj, q, first, first + count - 1)
    local ids, before = {}, {}
    for i = 1, #members, 2 do
        ids[#ids + 1] = members[i]:sub(-8)
        before[#before + 1] = place.before(q, tonumber(members[i + 1]))
    end
    local values = #ids > 0 and redis.call("HMGET", obj:key("i"), unpack(ids)) or {}
    for i, packed in ipairs(values) do
        values[i] = (cmsgpack.unpack(packed))
    end
    return values, before
end

-- Up to `count` values from position `start` on, of which `in_z` of those before stand in `z`.
-- Returns them, and how many of the shown ones stand there.
local function look(obj, q, start, count, in_z)
    local at = start - in_z -- in the list
    local values, before = {}, {}
    if q.ready > q.listed then
        values, before = placed(obj, q, in_z, count)
    end
    local others = at < q.listed and listed(obj, q, at, at + count - 1) or {}
    local shown, i, j = {}, 1, 1
    while #shown < count and (values[i] or others[j]) do
        if values[i] and (before[i] <= at + j - 1 or not others[j]) then
            shown[#shown + 1] = values[i]
            i = i + 1
        else
            shown[#shown + 1] = others[j]
            j = j + 1
        end
    end
    return shown, i - 1
end

ipcd.method("queue.peek", {}, function(call, start, count)
    local obj = call.obj
    local q = queue.of(obj)
    start = math.min(tonumber(start or "") or 0, q.ready)
    count = math.min(tonumber(count or "") or 1, q.ready - start)
    local shown, size = {}, 0
    local in_z = count > 0 and q.ready > q.listed and placed_among(obj, q, start) or 0
    while count > 0 and size < queue.LONG do
        local values, placed_ones = look(obj, q, start, math.min(count, PEEK_AT_ONCE), in_z)
        for _, value in ipairs(values) do
            if size < queue.LONG then
                shown[#shown + 1] = value
                size = size + #value
            end
        end
        start, count, in_z = start + #values, count - #values, in_z + placed_ones
    end
    return pack.array(#shown) .. table.concat(shown)
end)
