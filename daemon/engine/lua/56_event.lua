-- event: a flag that is set or clear, and a count of how often it was set, by which a waiter sees that
-- it was set while it waited, even if it has been cleared again since; see daemon/objects/event.h.
--
-- Fields: `set` ("1", or anything else: clear) and `sets`.
--
-- Tests: tests/engine/test_event.py.

local pack = ipcd.pack
local event = { channel = "waiters" }

ipcd.types.event = { fields = { "set", "sets" }, parts = {}, channels = { event.channel } }

function ipcd.types.event.create(obj)
    obj:set("set", "", "sets", "0")
    return true
end

function ipcd.types.event.differs()
    return nil
end

local function is_set(obj)
    return obj.meta.set == "1"
end

function ipcd.types.event.describe(obj)
    return 1, pack.pair("set", pack.bool(is_set(obj)))
end

ipcd.method("event.set", { changes = true }, function(call)
    local obj = call.obj
    if not is_set(obj) then
        obj:set("set", "1", "sets", string.format("%.0f", tonumber(obj.meta.sets) + 1))
        ipcd.tell(obj, "set", {})
        ipcd.changed(obj)
    end
    return pack.nil_
end)

ipcd.method("event.clear", { changes = true }, function(call)
    if is_set(call.obj) then
        call.obj:set("set", "")
        ipcd.tell(call.obj, "clear", {})
    end
    return pack.nil_
end)

ipcd.method("event.is_set", {}, function(call)
    return pack.bool(is_set(call.obj))
end)

-- A call that waits notes how often it had been set.
ipcd.method("event.wait", { waits = true }, function(call, timeout)
    local obj = call.obj
    if not call.waited then
        call.progress = obj.meta.sets
    end
    if is_set(obj) or obj.meta.sets ~= call.progress then
        return pack.bool(true)
    end
    local waits = ipcd.wait(call, event.channel, timeout or "", "TIMEOUT")
    return waits or pack.bool(false)
end)
