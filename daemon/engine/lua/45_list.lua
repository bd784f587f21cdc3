-- list: what is in a list, as daemon/objects/list.c has it. Slices and sorting are in
-- 46_list_slice.lua and 47_list_sort.lua, the methods in 48_list_methods.lua.
--
-- Part of an object: "l", a list of the values as stored. The meta field `wrapped` is there once
-- the list has had a value that is not canonical: then equal values may be stored in different
-- ways, and are looked for one by one; else Redis itself finds them.
--
-- Redis finds a place in a list by going there from the nearer end, many values at a time: what is
-- said to be O(n) here is so, but fast, as long as no value comes into Lua.

local list = {
    PART = 1000, -- values looked at in one go
    MARK = "\193", -- stands for a value for a moment; no stored form is so short
}
ipcd.list = list

-- Indexes come as decimal texts of an int64; beyond 2^53 they are rounded, which is without effect
-- where they are clamped or out of range anyway.

-- The position that an index means, or nil.
function list.position(len, index)
    local position = tonumber(index)
    position = position < 0 and position + len or position
    return position >= 0 and position < len and position or nil
end

-- An index counted from the end if it is negative, and clamped to `low` … `high`.
function list.bound(len, index, low, high)
    local position = tonumber(index)
    position = position < 0 and position + len or position
    return math.max(low, math.min(position, high))
end

function list.refuse_index(obj, method, index)
    local text = '%s: index %s is out of range: "%s" has %d values'
    return nil, "INDEX", text:format(method, index, obj.name, list.len(obj))
end

function list.len(obj)
    return redis.call("LLEN", obj:key("l"))
end

-- The value at an index, as stored; or nil. O(n).
function list.get(obj, index)
    return redis.call("LINDEX", obj:key("l"), index) or nil
end

-- How many values a call may have in hand.
list.VALUES_MOST = 250000

-- The values from a position to before another, as stored. O(number of them).
function list.values(obj, from, to)
    ipcd.take_many(obj, to - from, list.VALUES_MOST)
    return from < to and redis.call("LRANGE", obj:key("l"), from, to - 1) or {}
end

-- The values of an array as they came, which may be changed for it.
function list.raw_all(obj, values)
    if obj.meta.wrapped then
        for i = 1, #values do
            values[i] = ipcd.pack.raw(values[i])
        end
    end
    return values
end

-- A value is about to come in.
function list.note(obj, value)
    if not obj.meta.wrapped and value:byte(1) == 0xc1 then
        obj:set("wrapped", 1)
    end
end

function list.note_all(obj, values)
    for i = 1, #values do
        list.note(obj, values[i])
    end
end

-- Tells an event with details: name, number, … Nothing is packed if nobody watches.
function list.tell(obj, event, ...)
    if not obj.watched then
        return
    end
    local details = {}
    for i = 1, select("#", ...), 2 do
        local name, number = select(i, ...)
        details[#details + 1] = ipcd.pack.pair(name, ipcd.pack.int(number))
    end
    ipcd.tell(obj, event, details)
end

-- Changing one value.

-- Adds a value at the end; the new length. O(1).
function list.append(obj, value)
    list.note(obj, value)
    local len = redis.call("RPUSH", obj:key("l"), value)
    list.tell(obj, "insert", "index", len - 1, "count", 1)
    return len
end

-- Inserts a value before a position. O(n), at the ends O(1).
function list.insert(obj, len, position, value)
    local key = obj:key("l")
    list.note(obj, value)
    if position == len then
        redis.call("RPUSH", key, value)
    elseif position == 0 then
        redis.call("LPUSH", key, value)
    else
        local behind = redis.call("LINDEX", key, position)
        redis.call("LSET", key, position, list.MARK)
        redis.call("LINSERT", key, "BEFORE", list.MARK, value)
        redis.call("LSET", key, position + 1, behind)
    end
    list.tell(obj, "insert", "index", position, "count", 1)
end

-- Replaces the value at an index; true if there is one. O(n).
function list.set(obj, index, value)
    local answer = redis.pcall("LSET", obj:key("l"), index, value)
    if answer.err then
        if answer.err:find("index out of range") or answer.err:find("no such key") then
            return false
        end
        error(answer)
    end
    list.note(obj, value)
    if obj.watched then
        list.tell(obj, "set", "index", list.position(list.len(obj), index))
    end
    return true
end

-- Removes the value at a position. O(n), at the ends O(1).
function list.delete(obj, len, position)
    local key = obj:key("l")
    if position == 0 then
        redis.call("LPOP", key)
    elseif position == len - 1 then
        redis.call("RPOP", key)
    else
        redis.call("LSET", key, position, list.MARK)
        redis.call("LREM", key, position < len / 2 and 1 or -1, list.MARK)
    end
    list.tell(obj, "delete", "index", position, "count", 1)
end

-- O(n), though beside what else the engine does.
function list.clear(obj)
    local count = list.len(obj)
    if count == 0 then
        return
    end
    redis.call("UNLINK", obj:key("l"))
    if obj.meta.wrapped then
        obj:unset("wrapped")
    end
    list.tell(obj, "clear", "count", count)
end

-- Looking for a value. O(n).

-- Among so many values it can be looked for one by one, and the work that it is where Redis does it.
list.LOOK_MOST = 1000000

function list.spend(obj)
    ipcd.spend(list.len(obj) / 20)
end

-- The positions from `from` to before `to` where a value equal to a stored one is, up to `most` of
-- them, one by one.
function list.look(obj, value, from, to, most)
    ipcd.take_many(obj, to - from, list.LOOK_MOST)
    local canon = ipcd.pack.canon
    local wanted = canon(value)
    local found = {}
    for at = from, to - 1, list.PART do
        local values = list.values(obj, at, math.min(at + list.PART, to))
        for i = 1, #values do
            if canon(values[i]) == wanted then
                found[#found + 1] = at + i - 1
                if #found == most then
                    return found
                end
            end
        end
    end
    return found
end

-- The first position of an equal value in the whole list, or nil.
function list.find(obj, value)
    if obj.meta.wrapped then
        return list.look(obj, value, 0, list.len(obj), 1)[1]
    end
    list.spend(obj)
    return redis.call("LPOS", obj:key("l"), ipcd.pack.canon(value)) or nil
end

-- The same from one position to before another.
function list.find_between(obj, value, from, to)
    if from >= to then
        return nil
    elseif obj.meta.wrapped then
        return list.look(obj, value, from, to, 1)[1]
    end
    local key = obj:key("l")
    list.spend(obj)
    local all = redis.call("LPOS", key, ipcd.pack.canon(value), "COUNT", 0, "MAXLEN", to)
    for i = 1, #all do
        if all[i] >= from then
            return all[i]
        end
    end
end

function list.count(obj, value)
    if obj.meta.wrapped then
        return #list.look(obj, value, 0, list.len(obj))
    end
    list.spend(obj)
    return #redis.call("LPOS", obj:key("l"), ipcd.pack.canon(value), "COUNT", 0)
end

-- The type.

ipcd.types.list = {
    durable = true,
    fields = { "wrapped" },
    parts = { "l" },
    channels = {},
    create = function(obj, initial)
        if initial ~= "" then
            local values = cmsgpack.unpack(initial)
            list.note_all(obj, values)
            ipcd.redis_many("RPUSH", obj:key("l"), values)
        end
        return true
    end,
    differs = function()
        return nil -- what a list holds at first is nothing that could disagree later
    end,
    describe = function(obj)
        return 1, ipcd.pack.pair("size", ipcd.pack.int(list.len(obj)))
    end,
}
