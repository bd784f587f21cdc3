-- queue_put: queue.put, queue.put_many and queue.put_back.
--
-- Tests: tests/engine/test_queue*.py.
local queue, place = ipcd.queue, ipcd.queue.place

-- Ranks: what a priority sorts by. The kinds are ordered by their first bytes; zero bytes are
-- escaped and an end is marked, so that the id that follows a rank in a place has no part in it.
local KINDS = { n = "1", s = "2", b = "3" }

local function rank_of(priority)
    local kind, key = ipcd.number.sort_key(priority)
    if not kind or (kind == "n" and key == ipcd.number.NAN_KEY) then
        return nil
    end
    return KINDS[kind] .. key:gsub("%z", "\0\255") .. "\0\1"
end

-- The rank of an item without a priority in a queue that is ordered by it: that of the number 0.
function queue.rank_of_none()
    return rank_of("\0")
end

local NAMES = {
    ["nil"] = "nil", bool = "a boolean", int = "an integer", double = "a float", str = "a str",
    bin = "a bin", array = "an array", map = "a map", ext = "an ext",
}

local function is_positive(text)
    return text ~= nil and text ~= "" and text ~= "0"
end

-- In a queue ordered by priority all ranks are of one kind at a time. False if this is another one.
local function fits(obj, q, rank)
    local kind = rank:byte(1)
    if kind == q.rank_kind then
        return true
    elseif q.ready + q.delayed > 0 then
        return false
    end
    q.rank_kind = kind
    obj.unsaved = true
    return true
end

local function has_been_put(obj, q)
    q.puts = q.puts + 1
    obj.unsaved = true
    queue.tell_size(obj, "put")
    queue.changed(obj)
end

-- Puts a value that stands behind all others at once and is put with nothing else.
local function put_plain(obj, q, value)
    redis.call("RPUSH", obj:key("q"), value)
    q.ready = q.ready + 1
    q.listed = q.listed + 1
    has_been_put(obj, q)
end

-- Puts a value with something to remember. True, or nil if its priority is of another kind.
local function put_item(call, q, value, rank, delay_ms, ttl_ms)
    local obj = call.obj
    local item = { value = value, deliveries = 0, expires = 0, rank = rank }
    if q.is_ranked then
        if rank == "" then
            item.rank = queue.rank_of_none()
        end
        if not fits(obj, q, item.rank) then
            return nil
        end
    end
    if is_positive(ttl_ms) then
        item.expires = queue.after(call.now, tonumber(ttl_ms))
    end
    if is_positive(delay_ms) then
        place.delay(obj, q, item, queue.after(call.now, tonumber(delay_ms)))
    else
        place.enter(obj, q, item, false)
    end
    has_been_put(obj, q)
    return true
end

local function refuse_kind(verb, obj)
    return nil, "TYPE", verb .. ": the items of \"" .. obj.name ..
        "\" have priorities of another kind: they must be all numbers, all strs or all bins"
end

local function put_with_options(call, value, timeout, priority, delay_ms, ttl_ms, head)
    local obj = call.obj
    local q = queue.of(obj)
    local rank = ""
    if priority ~= "" and priority ~= nil then
        rank = rank_of(ipcd.pack.raw(priority))
        if not rank then
            return nil, "BAD_REQUEST", "queue.put: option priority must be a number other than " ..
                "NaN, a str or a bin, not " .. (NAMES[ipcd.pack.kind(priority)] or "nothing")
        end
    end
    if head == "1" then
        place.enter_first(obj, q, { value = value, deliveries = 0, expires = 0, rank = "" })
        has_been_put(obj, q)
        return ipcd.pack.nil_
    end
    local is_behind = ipcd.is_behind(call, "p")
    if not is_behind and q.shut_down then
        return nil, "SHUT_DOWN"
    elseif is_behind or queue.is_full(q) then
        return ipcd.wait(call, "p", timeout, "FULL")
    elseif not q.is_ranked and not is_positive(delay_ms)
        and not is_positive(ttl_ms) then
        put_plain(obj, q, value)
    elseif not put_item(call, q, value, rank, delay_ms, ttl_ms) then
        return refuse_kind("queue.put", obj)
    end
    return ipcd.pack.nil_
end

ipcd.method("queue.put", { waits = true, quiet = true }, function(call, value, timeout, priority, delay_ms,
    ttl_ms, head)
    if value:byte(1) == 0xc1 then
        value = ipcd.pack.raw(value)
    end
    local obj = call.obj
    local has_options = priority and
        (priority ~= "" or delay_ms ~= "" or ttl_ms ~= "" or head ~= "")
    if has_options or obj.waiting > 0 or obj.watched then
        return put_with_options(call, value, timeout, priority, delay_ms, ttl_ms, head)
    end
    local q = queue.of(obj) -- nobody looks on: what most puts are
    if q.is_ranked or q.shut_down or queue.is_full(q) then
        return put_with_options(call, value, timeout)
    end
    redis.call("RPUSH", obj:key("q"), value)
    q.ready = q.ready + 1
    q.listed = q.listed + 1
    q.puts = q.puts + 1
    obj.unsaved = true
    return ipcd.pack.nil_
end)

-- put_many. Its array is long, perhaps, and is gone through once for each place that it waits for:
-- so it is taken apart from where it was left, and `progress` says where that is.

-- Where the first string of a packed array begins, and how many there are.
local function array_begin(packed)
    local first = packed:byte(1)
    if first == 0xdc then
        return 4, (struct.unpack(">I2", packed, 2))
    elseif first == 0xdd then
        return 6, (struct.unpack(">I4", packed, 2))
    end
    return 2, first - 0x90
end

-- The string that is packed at a position, and the position behind it.
local function string_at(packed, at)
    local first = packed:byte(at)
    local size
    if first < 0xc0 then
        size, at = first - 0xa0, at + 1
    elseif first == 0xd9 or first == 0xc4 then
        size, at = packed:byte(at + 1), at + 2
    elseif first == 0xda or first == 0xc5 then
        size, at = struct.unpack(">I2", packed, at + 1), at + 3
    else
        size, at = struct.unpack(">I4", packed, at + 1), at + 5
    end
    return packed:sub(at, at + size - 1), at + size
end

local function room(q)
    local maxsize = q.options.maxsize
    return maxsize > 0 and math.max(maxsize - q.ready - q.delayed, 0) or queue.NEVER
end

-- Puts `n` values from a position on, one by one. How many, and the position behind them.
local function put_each(call, q, values, at, n)
    for done = 1, n do
        local value, behind = string_at(values, at)
        value = ipcd.pack.raw(value)
        if not q.is_ranked then
            put_plain(call.obj, q, value)
        elseif not put_item(call, q, value, "") then
            return done - 1, at
        end
        at = behind
    end
    return n, at
end

-- As put_each, where nobody looks at each one: all at once.
local function put_all(obj, q, values, at, n)
    local list = {}
    for i = 1, n do
        local value
        value, at = string_at(values, at)
        list[i] = value:byte(1) == 0xc1 and ipcd.pack.raw(value) or value
    end
    ipcd.redis_many("RPUSH", obj:key("q"), list)
    q.ready = q.ready + n
    q.listed = q.listed + n
    q.puts = q.puts + n
    obj.unsaved = true
    queue.changed(obj)
    return n, at
end

ipcd.method("queue.put_many", { waits = true }, function(call, values, timeout)
    local obj = call.obj
    local q = queue.of(obj)
    local at, count = array_begin(values)
    local done = 0
    if call.progress ~= "" then
        done, at = call.progress:match("^(%d+) (%d+)$")
        done, at = tonumber(done), tonumber(at)
    end
    if count == 0 then
        return ipcd.pack.int(0)
    end
    local code, text
    if ipcd.is_behind(call, "p") then
        code = "FULL"
    elseif q.shut_down then
        code = "SHUT_DOWN"
    else
        local n, put = math.min(count - done, room(q)), 0
        if n > 0 and not q.is_ranked and not obj.watched then
            put, at = put_all(obj, q, values, at, n)
        elseif n > 0 then
            put, at = put_each(call, q, values, at, n)
        end
        done = done + put
        if put < n then
            local _
            _, code, text = refuse_kind("queue.put_many", obj)
        elseif done < count then
            code = "FULL"
        end
    end
    if code == "FULL" then
        call.progress = done > 0 and string.format("%d %d", done, at) or ""
        local answer
        answer, code, text = ipcd.wait(call, "p", timeout, "FULL")
        if answer then
            return answer
        end
    end
    if code and done == 0 then
        return nil, code, text
    end
    return ipcd.pack.int(done)
end)

-- What was got and never arrived.

-- Items go back to where they were when they were got, as if they had not been: they are in the
-- order in which they were, and the last one goes first.
function queue.put_back(obj, items)
    local q = queue.of(obj)
    for i = #items, 1, -1 do
        q.gets = q.gets - 1
        place.enter(obj, q, items[i], true)
        queue.tell_give_back(obj, q, 0, "unsent")
    end
    queue.changed(obj)
end

-- For the daemon: the values of an answer to a get that it could not pass on, of a plain queue, in
-- their order. They are the next ones again; what else was remembered of them is not known.
ipcd.method("queue.put_back", { changes = true, unchecked = true }, function(call, packed)
    local obj = call.obj
    local q = queue.of(obj)
    local at, count = array_begin(packed)
    local values = {}
    for i = 1, count do
        values[i], at = string_at(packed, at)
    end
    for i = count, 1, -1 do
        q.gets = q.gets - 1
        place.enter_first(obj, q, { value = values[i], deliveries = 0, expires = 0, rank = "" })
        queue.tell_give_back(obj, q, 0, "unsent")
    end
    queue.changed(obj)
    return ipcd.pack.nil_
end)
