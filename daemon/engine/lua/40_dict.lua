-- dict: what is in a dict, or a namespace, which is a dict whose keys are strs; as
-- daemon/objects/dict.c has it. The methods are in 41_dict_methods.lua.
--
-- Parts of an object: "kv", a hash of the keys (canonical) to their values (as stored); "ko", a
-- zset of the same keys, whose scores are numbers, in the order in which the keys came. A number
-- stays with its key, and a key that comes gets one above all others; so a scan goes by numbers. To
-- set a key that is there does not touch the order.
--
-- A call that waits for a key waits on a channel of the key's own: nobody else is asked when it
-- comes.

local dict = {
    TYPES = { "dict", "namespace" },
    PART = 1000, -- elements in one command
    SCAN_BYTES = 32768, -- an answer of dict.scan ends once it is longer; half the least max_output
    TOLD_BYTES = 1024, -- an event leaves a longer key out (WATCH_KEY_MAX)
}
ipcd.dict = dict

-- Keys.

-- Why these bytes cannot be a key: "TYPE" and a sentence; nil if they can.
function dict.refusal(method, str_keys, key)
    local first = key:byte(1)
    local is_str = first >= 0xa0 and first < 0xc0 or first >= 0xd9 and first <= 0xdb
    if is_str or not str_keys and (first < 0x80 or first >= 0xe0) then
        return nil
    end
    local why = str_keys and "not a string" or ipcd.value.key_fault(key)
    if why then
        local shown = ipcd.value.print(key)
        return "TYPE", string.format("%s: %s cannot be a key: it is %s", method, shown, why)
    end
end

-- The same of a map, [key, value, …]: of the first of its keys that cannot be one.
function dict.refusal_of_map(method, str_keys, map)
    for i = 1, #map, 2 do
        local code, text = dict.refusal(method, str_keys, map[i])
        if code then
            return code, text
        end
    end
end

-- Looking.

-- The value of a key, as stored; nil if there is none.
function dict.get(obj, key)
    return redis.call("HGET", obj:key("kv"), key) or nil
end

function dict.contains(obj, key)
    return redis.call("HEXISTS", obj:key("kv"), key) == 1
end

function dict.len(obj)
    return redis.call("HLEN", obj:key("kv"))
end

-- How many keys a dict may have for those calls that are about all of them; dict.scan takes any.
dict.KEYS_MOST = 250000

-- All keys in their order. O(number of keys).
function dict.keys(obj)
    ipcd.take_many(obj, dict.len(obj), dict.KEYS_MOST)
    return redis.call("ZRANGE", obj:key("ko"), 0, -1)
end

-- What all keys and values make: a head for so many, and what pack(key, value) makes of each; the
-- values are as they came. O(number of keys).
function dict.pack_all(obj, head, pack)
    local keys = dict.keys(obj)
    local values_key = obj:key("kv")
    local out = { head(#keys) }
    for from = 1, #keys, dict.PART do
        local to = math.min(from + dict.PART - 1, #keys)
        local values = redis.call("HMGET", values_key, unpack(keys, from, to))
        for i = from, to do
            out[i + 1] = pack(keys[i], ipcd.pack.raw(values[i - from + 1]))
        end
    end
    return table.concat(out)
end

-- Up to `count` items, packed, from the key with the number `cursor` on, or the first one behind
-- that; and the number of the key that follows them, 0 if there is none. The values end it once
-- they are long. O(number of items).
function dict.scan(obj, cursor, count)
    local items, bytes, following = {}, 0, cursor
    repeat
        local part = math.min(count - #items, dict.PART)
        local page = redis.call("ZRANGEBYSCORE", obj:key("ko"), following, "+inf", "WITHSCORES",
            "LIMIT", 0, part + 1)
        following = nil
        for i = 1, #page, 2 do
            if i > 2 * part or bytes >= dict.SCAN_BYTES then
                following = page[i + 1]
                break
            end
            local value = ipcd.pack.raw(dict.get(obj, page[i]))
            items[#items + 1] = ipcd.pack.array(2) .. page[i] .. value
            bytes = bytes + #items[#items]
        end
    until not following or #items >= count or bytes >= dict.SCAN_BYTES
    return items, tonumber(following or 0)
end

-- Changing.

-- Numbers for `count` keys that come: the first of them.
function dict.take_numbers(obj, count)
    if not obj.next_number then
        local last = redis.call("ZREVRANGE", obj:key("ko"), 0, 0, "WITHSCORES")[2]
        obj.next_number = (tonumber(last) or 0) + 1
    end
    local first = obj.next_number
    obj.next_number = first + count
    return first
end

-- A key has got a value, or has gone.
function dict.tell(obj, event, key)
    if obj.watched then
        ipcd.tell(obj, event, #key <= dict.TOLD_BYTES and { ipcd.pack.pair("key", key) } or {})
    end
end

-- The channel on which a call waits for a key. A key may be long, and have any bytes.
function dict.channel(key)
    return "k" .. redis.sha1hex(key)
end

-- A key has come: those who wait for it are to be asked.
function dict.ask(obj, key)
    if obj.waiting > 0 then
        ipcd.changed(obj, dict.channel(key))
    end
end

-- Sets the value of a key; true if it is new.
function dict.set(obj, key, value)
    local is_new = redis.call("HSET", obj:key("kv"), key, value) == 1
    if is_new then
        redis.call("ZADD", obj:key("ko"), dict.take_numbers(obj, 1), key)
        dict.ask(obj, key)
    end
    dict.tell(obj, "set", key)
    return is_new
end

-- Sets the keys of a map, [key, value, …], which has each once; says how many are new. A key that
-- is there keeps its number, one that is not gets that of its place in the map. O(keys of the map).
function dict.set_many(obj, map)
    local new = 0
    local number = dict.take_numbers(obj, #map / 2)
    for from = 1, #map, 2 * dict.PART do
        local to = math.min(from + 2 * dict.PART - 1, #map)
        local numbers = {}
        for i = from, to, 2 do
            numbers[#numbers + 1] = number
            numbers[#numbers + 1] = map[i]
            number = number + 1
        end
        redis.call("HSET", obj:key("kv"), unpack(map, from, to))
        new = new + redis.call("ZADD", obj:key("ko"), "NX", unpack(numbers))
    end
    return new
end

-- Removes a key that is there.
function dict.remove(obj, key)
    redis.call("HDEL", obj:key("kv"), key)
    redis.call("ZREM", obj:key("ko"), key)
    dict.tell(obj, "delete", key)
end

-- O(number of keys), though beside what else the engine does.
function dict.clear(obj)
    local count = dict.len(obj)
    if count > 0 then
        redis.call("UNLINK", obj:key("kv"), obj:key("ko"))
        ipcd.tell(obj, "clear", { ipcd.pack.pair("count", ipcd.pack.int(count)) })
    end
end

-- The types.

function dict.create(obj, initial)
    if initial == "" then
        return true
    end
    local map = cmsgpack.unpack(initial)
    local code, text = dict.refusal_of_map(obj.type .. ".open", obj.type == "namespace", map)
    if code then
        return nil, code, text
    end
    dict.set_many(obj, map)
    return true
end

function dict.differs()
    return nil -- what a dict holds at first is nothing that could disagree later
end

function dict.describe(obj)
    return 1, ipcd.pack.pair("size", ipcd.pack.int(dict.len(obj)))
end

for i = 1, #dict.TYPES do
    ipcd.types[dict.TYPES[i]] = {
        durable = true,
        fields = {},
        parts = { "kv", "ko" },
        channels = {},
        create = dict.create,
        differs = dict.differs,
        describe = dict.describe,
    }
end
