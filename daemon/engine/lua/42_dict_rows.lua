-- dict_rows: rows of calls (15_run.lua) that set or get keys of one dict or namespace, by one command
-- for all of them.
local dict = ipcd.dict

-- A key that is certainly one: a str.
local function is_str(key)
    local first = key:byte(1)
    return first >= 0xa0 and first < 0xc0 or first >= 0xd9 and first <= 0xdb
end

-- The keys of a row; nil if one of them has to be looked at more closely.
local function keys_of(argv, first, size, n)
    local keys = {}
    for i = 1, n do
        local key = argv[first]
        if not is_str(key) then
            return nil
        end
        keys[i] = key
        first = first + size
    end
    return keys
end

function dict.get_row(obj, argv, first, size, n, replies)
    local keys = keys_of(argv, first, size, n)
    if not keys then
        return false
    end
    local values = redis.call("HMGET", obj:key("kv"), unpack(keys))
    local count = #replies
    for i = 1, n do
        local value = values[i]
        if not value and size > OP_STRINGS + 1 and argv[first + 1] ~= "" then
            value = argv[first + 1]
        end
        if not value then
            replies[count + i] = reply_of(dict.no_key(obj, keys[i]))
        elseif value:byte(1) == 0xc1 then
            replies[count + i] = "=" .. ipcd.pack.raw(value)
        else
            replies[count + i] = "=" .. value
        end
        first = first + size
    end
    return true
end

function dict.set_row(obj, argv, first, size, n, replies)
    local map = {}
    for i = 1, n do
        local key = argv[first]
        if not is_str(key) then
            return false
        end
        map[2 * i - 1], map[2 * i] = key, argv[first + 1]
        first = first + size
    end
    local are_new = redis.call("HSET", obj:key("kv"), unpack(map)) > 0
    local count = #replies
    for i = 1, n do
        local is_new = are_new and redis.call("ZADD", obj:key("ko"), "NX",
            dict.take_numbers(obj, 1), map[2 * i - 1]) == 1
        replies[count + i] = is_new and "=\195" or "=\194"
    end
    return true
end

for i = 1, #dict.TYPES do
    ipcd.methods[dict.TYPES[i] .. ".get"].row = dict.get_row
    ipcd.methods[dict.TYPES[i] .. ".set"].row = dict.set_row
end
