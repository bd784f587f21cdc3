-- dict_rows: runs of calls (15_run.lua) that set or get keys of one dict or namespace, by one command
-- for all of them.
local dict = ipcd.dict

-- True if all keys are certainly such: strs. Others have to be looked at more closely.
local function are_strs(argv, first, step, n)
    local byte = string.byte
    for at = first, first + (n - 1) * step, step do
        local kind = byte(argv[at])
        if kind < 0xa0 or kind >= 0xc0 and kind ~= 0xd9 and kind ~= 0xda and kind ~= 0xdb then
            return false
        end
    end
    return true
end

-- The reply to a get that found a value (false: none).
local function get_reply(obj, key, value, default)
    value = value or default
    if not value or value == "" then
        return reply_of(dict.no_key(obj, key))
    elseif value:byte(1) == 0xc1 then
        return "=" .. ipcd.pack.raw(value)
    end
    return "=" .. value
end

-- True if all are there, and in the form in which they came.
local function are_plain(values, n)
    local byte = string.byte
    for i = 1, n do
        if not values[i] or byte(values[i]) == 0xc1 then
            return false
        end
    end
    return true
end

function dict.get_row(obj, argv, first, nargs, n)
    if not are_strs(argv, first, nargs, n) then
        return nil
    elseif n == 1 then
        return get_reply(obj, argv[first], redis.call("HGET", obj:key("kv"), argv[first]),
            nargs > 1 and argv[first + 1])
    end
    local keys = argv
    if nargs > 1 then
        keys = {}
        for i = 1, n do
            keys[i] = argv[first + (i - 1) * nargs]
        end
    end
    local from = nargs > 1 and 1 or first
    local values = redis.call("HMGET", obj:key("kv"), unpack(keys, from, from + n - 1))
    if are_plain(values, n) then
        local reply = { "=", "" }
        for i = 1, n do
            reply[i + 2] = values[i]
        end
        return reply
    end
    for i = 1, n do
        local at = first + (i - 1) * nargs
        values[i] = get_reply(obj, argv[at], values[i], nargs > 1 and argv[at + 1])
    end
    return values
end

function dict.set_row(obj, argv, first, nargs, n)
    if nargs ~= 2 or not are_strs(argv, first, 2, n) then
        return nil
    elseif n == 1 then
        local is_new = dict.set(obj, argv[first], argv[first + 1])
        obj.next_number = nil -- it may be the object's place, which stays
        return is_new and "=\195" or "=\194"
    elseif redis.call("HSET", obj:key("kv"), unpack(argv, first, first + 2 * n - 1)) == 0 then
        return { "=\194" }
    end
    local replies = {}
    for i = 1, n do
        replies[i] = redis.call("ZADD", obj:key("ko"), "NX", dict.take_numbers(obj, 1),
            argv[first + 2 * i - 2]) == 1 and "=\195" or "=\194"
    end
    return replies
end

for i = 1, #dict.TYPES do
    ipcd.methods[dict.TYPES[i] .. ".get"].row = dict.get_row
    ipcd.methods[dict.TYPES[i] .. ".set"].row = dict.set_row
end
