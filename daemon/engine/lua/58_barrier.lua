-- barrier: a number of parties that wait for each other; daemon/objects/barrier.h has what that means.
--
-- Fields: `parties` and `timeout` (ms, or empty: without limit), the options; `arrived`, how many of
-- this `generation` have come and wait; `failed`, the last generation that failed; `broken`, "1" if it
-- is. A call that waits notes its arrival: the generation in which it came and its number in it. The
-- object does not know the calls that wait, so these ask with their arrivals what has become of them.
--
-- Tests: tests/engine/test_barrier.py.

local pack = ipcd.pack
local barrier = { channel = "parties", parties_most = 2147483647 }

-- What is not given is "", or, behind the last that is, nil.
local function is_given(value)
    return value ~= nil and value ~= ""
end

local function number(obj, field)
    return tonumber(obj.meta[field])
end

local function is_broken(obj)
    return obj.meta.broken == "1"
end

local function tell(obj, event, name, count)
    if obj.watched then
        ipcd.tell(obj, event, { pack.pair(name, pack.int(count)) })
    end
end

-- Those who wait fail; it is broken from now on, or as new.
local function fail_generation(obj, broken)
    local waiting = number(obj, "arrived")
    local is_change = waiting > 0 or broken ~= is_broken(obj)
    if not is_change then
        return
    end
    if waiting > 0 then
        local generation = number(obj, "generation")
        obj:set("failed", generation, "generation", generation + 1, "arrived", 0, "broken", broken and "1" or "")
    else
        obj:set("broken", broken and "1" or "")
    end
    tell(obj, broken and "break" or "reset", "waiting", waiting)
    ipcd.changed(obj)
end

-- What has become of those who came with an arrival: "waits", "passed" or "failed"; and their number.
local function outcome(obj, arrival)
    local generation, index = string.match(arrival, "^(%d+):(%d+)$")
    generation, index = tonumber(generation), tonumber(index)
    if generation == number(obj, "generation") then
        return "waits", index
    end
    return generation == number(obj, "failed") and "failed" or "passed", index
end

ipcd.types.barrier = {
    fields = { "parties", "timeout", "arrived", "generation", "failed", "broken" },
    parts = {},
    channels = { barrier.channel },
}

function ipcd.types.barrier.create(obj, parties, timeout)
    local count = tonumber(parties or "") or 0
    if count < 1 or count > barrier.parties_most then
        return nil, "BAD_REQUEST", string.format("barrier.open: a new barrier needs option parties, from 1 to %d",
                                                 barrier.parties_most)
    end
    obj:set("parties", parties, "timeout", timeout or "", "arrived", 0, "generation", 1, "failed", 0, "broken", "")
    return true
end

function ipcd.types.barrier.differs(obj, parties, timeout)
    if is_given(parties) and parties ~= obj.meta.parties then
        return "parties"
    end
    if is_given(timeout) and timeout ~= obj.meta.timeout then
        return "timeout"
    end
    return nil
end

function ipcd.types.barrier.describe(obj)
    local timeout = obj.meta.timeout
    return 3, pack.pair("parties", pack.int(number(obj, "parties"))) ..
               pack.pair("broken", pack.bool(is_broken(obj))) ..
               pack.pair("timeout", timeout == "" and pack.nil_ or pack.int_text(timeout))
end

-- One that waits goes away: the others would wait for it in vain.
function ipcd.types.barrier.wait_ended(obj, wait)
    if outcome(obj, wait.progress) == "waits" then
        fail_generation(obj, true)
    end
end

-- The last of the parties: lets all go.
local function pass(obj)
    local index = number(obj, "arrived")
    obj:set("generation", number(obj, "generation") + 1, "arrived", 0)
    tell(obj, "pass", "parties", number(obj, "parties"))
    ipcd.changed(obj)
    return pack.int(index)
end

local function begin_wait(call, timeout)
    local obj = call.obj
    if is_broken(obj) then
        return nil, "BROKEN"
    end
    local arrived = number(obj, "arrived")
    if arrived + 1 == number(obj, "parties") then
        return pass(obj)
    end
    call.progress = obj.meta.generation .. ":" .. arrived
    local waits, code = ipcd.wait(call, barrier.channel, is_given(timeout) and timeout or obj.meta.timeout, "BROKEN")
    if not waits then
        fail_generation(obj, true)
        return nil, code
    end
    obj:set("arrived", arrived + 1)
    tell(obj, "wait", "waiting", arrived + 1)
    return waits
end

ipcd.method("barrier.wait", { waits = true, changes = true }, function(call, timeout)
    if not call.waited then
        return begin_wait(call, timeout)
    end
    local state, index = outcome(call.obj, call.progress)
    if state == "passed" then
        return pack.int(index)
    end
    if state == "failed" then
        return nil, "BROKEN"
    end
    return ipcd.wait(call, barrier.channel, timeout or "", "BROKEN") -- which, if refused, wait_ended sees
end)

ipcd.method("barrier.reset", { changes = true }, function(call)
    fail_generation(call.obj, false)
    return pack.nil_
end)

ipcd.method("barrier.abort", { changes = true }, function(call)
    fail_generation(call.obj, true)
    return pack.nil_
end)

ipcd.method("barrier.state", {}, function(call)
    local obj = call.obj
    return pack.map(3) .. pack.pair("parties", pack.int(number(obj, "parties"))) ..
               pack.pair("waiting", pack.int(number(obj, "arrived"))) ..
               pack.pair("broken", pack.bool(is_broken(obj)))
end)
