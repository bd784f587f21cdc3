-- dict_methods: the handlers of dict.* and namespace.*, as daemon/methods/dict.c has them; what
-- they are made of is in 40_dict.lua.
--
-- All are O(1), or O(log n) where a key comes or goes, but those of which 40_dict.lua says
-- something else: keys, values, items, copy, clear; update, in the keys of its map; scan, in what
-- it answers.

local dict = ipcd.dict

-- Declares a method of both types. With on_key its first param is a key, which is checked.
function dict.method(verb, changes, handler)
    for i = 1, #dict.TYPES do
        local method = dict.TYPES[i] .. "." .. verb
        ipcd.method(method, { changes = changes }, function(call, ...)
            return handler(call.obj, method, ...)
        end)
    end
end

function dict.on_key(verb, changes, handler)
    for i = 1, #dict.TYPES do
        local method = dict.TYPES[i] .. "." .. verb
        local str_keys = dict.TYPES[i] == "namespace"
        ipcd.method(method, { changes = changes }, function(call, key, ...)
            local code, text = dict.refusal(method, str_keys, key)
            if code then
                return nil, code, text
            end
            return handler(call.obj, method, key, ...)
        end)
    end
end

function dict.no_key(obj, key)
    return nil, "KEY", string.format('"%s" has no key %s', obj.name, ipcd.value.print(key))
end

-- One key.

dict.on_key("get", false, function(obj, _, key, default)
    local value = dict.get(obj, key) or default
    if value == "" then
        return dict.no_key(obj, key)
    end
    return ipcd.pack.raw(value)
end)

dict.on_key("set", true, function(obj, _, key, value)
    return ipcd.pack.bool(dict.set(obj, key, value))
end)

dict.on_key("setdefault", true, function(obj, _, key, default)
    local value = dict.get(obj, key)
    if not value then
        value = default ~= "" and default or ipcd.pack.nil_
        dict.set(obj, key, value)
    end
    return ipcd.pack.raw(value)
end)

dict.on_key("delete", true, function(obj, _, key)
    if not dict.contains(obj, key) then
        return dict.no_key(obj, key)
    end
    dict.remove(obj, key)
    return ipcd.pack.nil_
end)

dict.on_key("pop", true, function(obj, _, key, default)
    local value = dict.get(obj, key)
    if value then
        dict.remove(obj, key)
    elseif default == "" then
        return dict.no_key(obj, key)
    end
    return ipcd.pack.raw(value or default)
end)

dict.on_key("contains", false, function(obj, _, key)
    return ipcd.pack.bool(dict.contains(obj, key))
end)

dict.on_key("incr", true, function(obj, method, key, delta, initial)
    local value = dict.get(obj, key) or initial ~= "" and initial or "\0"
    delta = delta ~= "" and delta or "\1"
    local sum, code = ipcd.number.add(ipcd.pack.canon(value), ipcd.pack.canon(delta))
    if not sum then
        return ipcd.number.refuse(method, code, "of this key")
    end
    dict.set(obj, key, sum)
    return sum
end)

-- A param that is [value] or []: the value, or nil. Else false, and a refusal.
function dict.read_optional(method, param, packed)
    local given = cmsgpack.unpack(packed)
    if #given > 1 then
        local text = "%s: param %s must be [value], or [] for a key that is not there, "
            .. "not an array of %d"
        return false, "BAD_REQUEST", text:format(method, param, #given)
    end
    return given[1]
end

dict.on_key("cas", true, function(obj, method, key, expected, value)
    local code, text
    expected, code, text = dict.read_optional(method, "expected", expected)
    if not code then
        value, code, text = dict.read_optional(method, "value", value)
    end
    if code then
        return nil, code, text
    end
    local canon = ipcd.pack.canon
    local now = dict.get(obj, key)
    if (now and canon(now)) ~= (expected and canon(expected)) then
        return ipcd.pack.bool(false)
    elseif value then
        dict.set(obj, key, value)
    elseif now then
        dict.remove(obj, key)
    end
    return ipcd.pack.bool(true)
end)

for i = 1, #dict.TYPES do
    local method = dict.TYPES[i] .. ".wait"
    local str_keys = dict.TYPES[i] == "namespace"
    ipcd.method(method, { waits = true }, function(call, key, timeout)
        local code, text = dict.refusal(method, str_keys, key)
        if code then
            return nil, code, text
        end
        local value = dict.get(call.obj, key)
        if not value then
            return ipcd.wait(call, dict.channel(key), timeout, "TIMEOUT")
        end
        return ipcd.pack.raw(value)
    end)
end

-- The whole dict.

dict.method("update", true, function(obj, method, packed)
    local map = cmsgpack.unpack(packed)
    local code, text = dict.refusal_of_map(method, obj.type == "namespace", map)
    if code then
        return nil, code, text
    end
    local new = dict.set_many(obj, map)
    if obj.waiting > 0 or obj.watched then
        for i = 1, #map, 2 do
            dict.ask(obj, map[i])
            dict.tell(obj, "set", map[i])
        end
    end
    return ipcd.pack.int(new)
end)

dict.method("popitem", true, function(obj)
    local key = redis.call("ZREVRANGE", obj:key("ko"), 0, 0)[1]
    if not key then
        return nil, "KEY", string.format('"%s" is empty', obj.name)
    end
    local value = dict.get(obj, key)
    dict.remove(obj, key)
    return ipcd.pack.array(2) .. key .. ipcd.pack.raw(value)
end)

dict.method("len", false, function(obj)
    return ipcd.pack.int(dict.len(obj))
end)

dict.method("clear", true, function(obj)
    dict.clear(obj)
    return ipcd.pack.nil_
end)

dict.method("keys", false, function(obj)
    local keys = dict.keys(obj)
    return ipcd.pack.array(#keys) .. table.concat(keys)
end)

dict.method("values", false, function(obj)
    return dict.pack_all(obj, ipcd.pack.array, function(_, value)
        return value
    end)
end)

dict.method("items", false, function(obj)
    return dict.pack_all(obj, ipcd.pack.array, function(key, value)
        return ipcd.pack.array(2) .. key .. value
    end)
end)

dict.method("copy", false, function(obj)
    return dict.pack_all(obj, ipcd.pack.map, function(key, value)
        return key .. value
    end)
end)

dict.method("scan", false, function(obj, _, cursor, count)
    local items, next_number = dict.scan(obj, cursor, count ~= "" and tonumber(count) or 100)
    return table.concat({
        ipcd.pack.map(2),
        ipcd.pack.pair("items", ipcd.pack.array(#items)),
        table.concat(items),
        ipcd.pack.pair("cursor", ipcd.pack.int(next_number)),
    })
end)
