-- sample: a small type, for the tests of what all types have in common: a box of at most `size`
-- values, and tickets for those that are taken with one.

ipcd.types.sample = {
    fields = { "size" },
    parts = { "q", "held", "ended" },
    channels = { "put", "get" },
    create = function(obj, size)
        if size == "0" then
            return nil, "BAD_REQUEST", "option size must be at least 1"
        end
        obj:set("size", size == "" and "1000" or size)
        return true
    end,
    differs = function(obj, size)
        return size ~= "" and size ~= obj.meta.size and "size" or nil
    end,
    describe = function(obj)
        return 2, ipcd.pack.pair("size", ipcd.pack.int_text(obj.meta.size)) ..
            ipcd.pack.pair("count", ipcd.pack.int(redis.call("LLEN", obj:key("q"))))
    end,
    claims = function(obj)
        local claims = {}
        local held = redis.call("HGETALL", obj:key("held"))
        for i = 1, #held, 2 do
            claims[#claims + 1] = { held[i], 5000, 1, ipcd.pack.pair("value", held[i + 1]) }
        end
        return claims
    end,
    abandon = function(obj, sid)
        local value = redis.call("HGET", obj:key("held"), sid)
        if value then
            redis.call("HDEL", obj:key("held"), sid)
            redis.call("LPUSH", obj:key("q"), value)
        end
    end,
    undo = function(obj, value)
        redis.call("LPUSH", obj:key("q"), value)
    end,
    tick = function(obj, now)
        redis.call("RPUSH", obj:key("q"), ipcd.pack.str("due"))
        ipcd.set_due(obj, nil)
    end,
    save = function(obj)
        assert(obj.meta.size ~= "bad", "this cannot be saved")
        obj:set("size", obj.meta.size)
    end,
    refuse_name = function(_, name)
        return name:match("13$") and "it would have bad luck" or nil
    end,
    wait_ended = function(obj, wait)
        redis.call("HINCRBY", obj:key("ended"), wait.sid, 1)
    end,
}

ipcd.method("sample.put", { waits = true }, function(call, value, timeout)
    local obj = call.obj
    if ipcd.is_behind(call, "put") or redis.call("LLEN", obj:key("q")) >= tonumber(obj.meta.size) then
        return ipcd.wait(call, "put", timeout, "FULL")
    end
    local length = redis.call("RPUSH", obj:key("q"), value)
    ipcd.changed(obj)
    if obj.watched then
        ipcd.tell(obj, "put", { ipcd.pack.pair("size", ipcd.pack.int(length)) })
    end
    return ipcd.pack.nil_
end)

ipcd.method("sample.get", { waits = true }, function(call, timeout)
    local obj = call.obj
    local value = not ipcd.is_behind(call, "get") and redis.call("LPOP", obj:key("q"))
    if not value then
        return ipcd.wait(call, "get", timeout, "EMPTY")
    end
    ipcd.undo(call, value)
    ipcd.changed(obj)
    return ipcd.pack.raw(value)
end)

-- Takes a value that goes back when the session ends.
ipcd.method("sample.hold", { waits = true }, function(call, timeout)
    local obj = call.obj
    local value = not ipcd.is_behind(call, "get") and redis.call("LPOP", obj:key("q"))
    if not value then
        return ipcd.wait(call, "get", timeout, "EMPTY")
    end
    redis.call("HSET", obj:key("held"), call.sid, value)
    ipcd.claim(obj, call.sid)
    ipcd.changed(obj)
    return ipcd.pack.raw(value)
end)

-- From the first of several boxes that has a value: [name, value].
ipcd.method("sample.get_any", { waits = true, objects = true }, function(call, _, timeout)
    local objs = call.objs
    if call.waited then
        objs = { call.woken_by }
    end
    for _, obj in ipairs(objs) do
        local value = not ipcd.is_behind(call, "get", obj) and redis.call("LPOP", obj:key("q"))
        if value then
            ipcd.undo(call, value, obj)
            ipcd.changed(obj)
            return ipcd.pack.array(2) .. ipcd.pack.str(obj.name) .. ipcd.pack.raw(value)
        end
    end
    return ipcd.wait_any(call, objs, "get", timeout, "EMPTY")
end)

ipcd.method("sample.count", {}, function(call)
    return ipcd.pack.int(redis.call("LLEN", call.obj:key("q")))
end)

-- In `ms` milliseconds a value comes by itself.
ipcd.method("sample.later", { changes = true }, function(call, ms)
    ipcd.set_due(call.obj, call.now + tonumber(ms))
    return ipcd.pack.nil_
end)

-- A fault, after a change.
ipcd.method("sample.fault", { changes = true }, function(call)
    redis.call("RPUSH", call.obj:key("q"), ipcd.pack.nil_)
    return call.nothing.there
end)

-- The box `name` besides this one gets the value: of any tag, without a cluster.
ipcd.method("sample.pass", { changes = true }, function(call, name, value)
    local other = ipcd.find(name)
    if not other then
        return nil, "NOT_FOUND", name
    end
    redis.call("RPUSH", other:key("q"), value)
    ipcd.changed(other)
    return ipcd.pack.nil_
end)

-- Waits until ring, all at once; a channel for each key. Then it goes on waiting for a value of the
-- box `name`, if one is given.
ipcd.method("sample.wait", { waits = true }, function(call, key, timeout, name)
    if not call.waited then
        return ipcd.wait(call, "key" .. key, timeout, "TIMEOUT")
    end
    if call.timed_out then
        return nil, "TIMEOUT", "after " .. call.progress
    end
    if call.progress == "moved" then
        local value = redis.call("LPOP", call.woken_by:key("q"))
        return value or ipcd.wait(call)
    end
    if redis.call("EXISTS", call.obj:key("held")) == 0 then
        call.progress = call.progress .. "."
        return ipcd.wait(call)
    end
    if name ~= "" then
        call.progress = "moved"
        return ipcd.move(call, ipcd.find(name), "get")
    end
    return ipcd.pack.str(call.progress)
end)

ipcd.method("sample.ring", { changes = true }, function(call, key, for_good)
    if for_good == "1" then
        redis.call("HSET", call.obj:key("held"), "rung", ipcd.pack.nil_)
    end
    ipcd.changed(call.obj, "key" .. key)
    return ipcd.pack.nil_
end)

-- Waits, and only when it stands in line gives a value away.
ipcd.method("sample.swap", { waits = true }, function(call, value)
    if not call.waited then
        return ipcd.wait_again(call, "get", "", "EMPTY")
    end
    if call.progress == "" then
        call.progress = "given"
        redis.call("HSET", call.obj:key("held"), call.sid, value)
    end
    local got = redis.call("LPOP", call.obj:key("q"))
    return got or ipcd.wait(call)
end)

-- The pieces of MessagePack: what `piece` makes of its argument.
ipcd.method("pack.text", { bare = true }, function(_, piece, text)
    return ipcd.pack[piece](text or "")
end)

ipcd.method("pack.number", { bare = true }, function(_, piece, text)
    return ipcd.pack[piece](tonumber(text))
end)

-- An array or map head before that many nils.
ipcd.method("pack.head", { bare = true }, function(_, piece, count, nils)
    return ipcd.pack[piece](tonumber(count)) .. (ipcd.pack.nil_):rep(tonumber(nils))
end)

ipcd.method("pack.parse", { bare = true }, function(_, value)
    local kind, parsed = ipcd.pack.parse(ipcd.pack.canon(value))
    return cmsgpack.pack({ kind, parsed })
end)

ipcd.method("pack.tag", { bare = true }, function(_, name)
    return ipcd.pack.str(ipcd.tag(name))
end)

-- Another object goes by it, or no more.
ipcd.method("sample.depend", { changes = true }, function(call, by)
    ipcd.depend(call.obj, tonumber(by))
    return ipcd.pack.nil_
end)

ipcd.types.tin = {
    describe = function()
        return 0, ""
    end,
}

-- As little as a method can do: for cost.py.
ipcd.method("sample.push", { changes = true }, function(call, value)
    local obj = call.obj
    redis.call("RPUSH", obj:key("q"), value)
    ipcd.changed(obj)
    return ipcd.pack.nil_
end)

-- Takes `count` values at once, or waits for so many.
ipcd.method("sample.take", { waits = true }, function(call, count, timeout)
    local list = call.obj:key("q")
    if ipcd.is_behind(call, "get") or redis.call("LLEN", list) < tonumber(count) then
        return ipcd.wait(call, "get", timeout, "EMPTY")
    end
    local values = redis.call("LPOP", list, count)
    ipcd.changed(call.obj)
    return ipcd.pack.array(#values) .. table.concat(values)
end)

-- Changes the size, which is put off to the end of the batch.
ipcd.method("sample.resize", { changes = true }, function(call, size)
    call.obj:set("size", size)
    call.obj.unsaved = true
    ipcd.keep(call.obj, "kept", size)
    return ipcd.pack.nil_
end)

-- What has been kept since it was resized.
ipcd.method("sample.kept", {}, function(call)
    return ipcd.pack.str(call.obj.kept or "nothing")
end)
