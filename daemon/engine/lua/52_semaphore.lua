-- semaphore: a number of permits that can be taken and given back; daemon/objects/semaphore.h has what
-- that means.
--
-- Fields: `initial`, `value` (what can be had now) and `held` (the sum over those who hold some), all of
-- them 0 to 2^63-1 as decimal text, since they may be more than a number of Lua is exact for; `flags`
-- has "b" for bounded, "k" for on_disconnect "keep"; `order` counts its ties. A tie
-- (daemon/objects/tie.h) is there for each session that holds some or has it open, in the hash "ties":
-- its sid to "permits since order open". Who holds none has no claim.
--
-- Tests: tests/engine/test_semaphore.py.

local pack = ipcd.pack
local semaphore = { channel = "permits", most = "9223372036854775807", exact = 15, word = 4294967296 }

-- Arithmetic of decimal texts, none of which is negative or as much as 2^64. -1, 0 or 1.
function semaphore.compare(a, b)
    if #a ~= #b then
        return #a < #b and -1 or 1
    end
    return a == b and 0 or ipcd.number.compare_text(a, b)
end

-- a + sign * b
local function sum(a, b, sign)
    if #a <= semaphore.exact and #b <= semaphore.exact then
        return string.format("%.0f", tonumber(a) + sign * tonumber(b))
    end
    local a_hi, a_lo = ipcd.number.from_text(a)
    local b_hi, b_lo = ipcd.number.from_text(b)
    local hi, lo = a_hi + sign * b_hi, a_lo + sign * b_lo
    if lo >= semaphore.word then
        hi, lo = hi + 1, lo - semaphore.word
    elseif lo < 0 then
        hi, lo = hi - 1, lo + semaphore.word
    end
    return ipcd.number.to_text(hi, lo)
end

function semaphore.add(a, b)
    return sum(a, b, 1)
end

-- a - b, where b is not more.
function semaphore.subtract(a, b)
    return sum(a, b, -1)
end

function semaphore.least(a, b)
    return semaphore.compare(a, b) < 0 and a or b
end

local function has_flag(obj, letter)
    return string.find(obj.meta.flags, letter, 1, true) ~= nil
end

-- What sessions have of it.

local function tie_read(text)
    local permits, since, order, open = string.match(text or "", "^(%d+) (%d+) (%d+) (%d)$")
    return permits and { permits = permits, since = since, order = tonumber(order), is_open = open == "1" }
end

-- The tie of a session, or nil.
local function tie_of(obj, sid)
    return tie_read(redis.call("HGET", obj:key("ties"), sid))
end

-- A new one, behind all others; `order` of the object is to be set to its order then.
local function tie_new(obj)
    return { permits = "0", since = "0", order = tonumber(obj.meta.order) + 1, is_open = false }
end

-- Writes it down; one that says nothing goes.
local function tie_save(obj, sid, tie)
    if tie.permits == "0" and not tie.is_open then
        redis.call("HDEL", obj:key("ties"), sid)
    else
        redis.call("HSET", obj:key("ties"), sid,
                   string.format("%s %s %.0f %d", tie.permits, tie.since, tie.order, tie.is_open and 1 or 0))
    end
end

-- It holds that many fewer from now on.
local function drop_permits(obj, sid, tie, n)
    tie.permits = semaphore.subtract(tie.permits, n)
    if tie.permits == "0" then
        ipcd.unclaim(obj, sid)
    end
    tie_save(obj, sid, tie)
end

-- Those of the sessions that hold permits, with their sid, in order.
local function holders(obj)
    local list = {}
    local all = redis.call("HGETALL", obj:key("ties"))
    for i = 1, #all, 2 do
        local tie = tie_read(all[i + 1])
        if tie.permits ~= "0" then
            tie.sid = all[i]
            list[#list + 1] = tie
        end
    end
    table.sort(list, function(a, b)
        return a.order < b.order
    end)
    return list
end

-- `abandoned` is told only of a release.
local function tell(obj, event, n, abandoned)
    if not obj.watched then
        return
    end
    local pairs = { pack.pair("value", pack.int_text(obj.meta.value)), pack.pair("count", pack.int_text(n)) }
    if event == "release" then
        pairs[3] = pack.pair("abandoned", pack.bool(abandoned))
    end
    ipcd.tell(obj, event, pairs)
end

-- The type.

ipcd.types.semaphore = {
    fields = { "initial", "value", "held", "flags", "order" },
    parts = { "ties" },
    channels = { semaphore.channel },
}

-- What is not given is "", or, behind the last that is, nil.
local function is_given(value)
    return value ~= nil and value ~= ""
end

function ipcd.types.semaphore.create(obj, value, bounded, on_disconnect)
    local initial = is_given(value) and value or "1"
    local keeps = on_disconnect == "keep" or (not is_given(on_disconnect) and bounded ~= "1")
    obj:set("initial", initial, "value", initial, "held", "0", "order", "0", "flags",
            (bounded == "1" and "b" or "") .. (keeps and "k" or ""))
    return true
end

function ipcd.types.semaphore.differs(obj, value, bounded, on_disconnect)
    if is_given(value) and value ~= obj.meta.initial then
        return "value"
    end
    if is_given(bounded) and (bounded == "1") ~= has_flag(obj, "b") then
        return "bounded"
    end
    if is_given(on_disconnect) and (on_disconnect == "keep") ~= has_flag(obj, "k") then
        return "on_disconnect"
    end
    return nil
end

function ipcd.types.semaphore.describe(obj)
    local meta = obj.meta
    return 5, pack.pair("value", pack.int_text(meta.value)) .. pack.pair("initial", pack.int_text(meta.initial)) ..
               pack.pair("bounded", pack.bool(has_flag(obj, "b"))) ..
               pack.pair("on_disconnect", pack.str(has_flag(obj, "k") and "keep" or "release")) ..
               pack.pair("held", pack.int_text(meta.held))
end

function ipcd.types.semaphore.claims(obj)
    local list = {}
    for i, one in ipairs(holders(obj)) do
        list[i] = { one.sid, tonumber(one.since), 1, pack.pair("permits", pack.int_text(one.permits)) }
    end
    return list
end

function ipcd.types.semaphore.abandon(obj, sid)
    local tie = tie_of(obj, sid)
    if not tie or tie.permits == "0" then
        return
    end
    local permits = tie.permits
    drop_permits(obj, sid, tie, permits)
    local held = semaphore.subtract(obj.meta.held, permits)
    if has_flag(obj, "k") then
        obj:set("held", held)
        return
    end
    obj:set("held", held, "value", semaphore.add(obj.meta.value, permits))
    tell(obj, "release", permits, true)
    ipcd.changed(obj)
end

function ipcd.types.semaphore.deleted(obj)
    for _, sid in ipairs(redis.call("HKEYS", obj:key("ties"))) do
        ipcd.unclaim(obj, sid)
    end
end

function ipcd.types.semaphore.opened(obj, sid)
    local tie = tie_of(obj, sid)
    if not tie then
        tie = tie_new(obj)
        obj:set("order", tie.order)
    end
    tie.is_open = true
    tie_save(obj, sid, tie)
end

function ipcd.types.semaphore.closed(obj, sid)
    local tie = tie_of(obj, sid)
    if tie then
        tie.is_open = false
        tie_save(obj, sid, tie)
    end
end

-- The methods.

-- How many permits are meant, 1 or more; or nil and the refusal.
local function read_n(method, n)
    if n == "0" then
        return nil, "VALUE", method .. ": param n must be 1 or more, not 0"
    end
    return is_given(n) and n or "1"
end

local function take(call, obj, n)
    local meta = obj.meta
    local tie = tie_of(obj, call.sid) or tie_new(obj)
    if tie.permits == "0" then
        tie.since = string.format("%.0f", call.now)
        ipcd.claim(obj, call.sid)
    end
    tie.permits = semaphore.add(tie.permits, n)
    tie_save(obj, call.sid, tie)
    obj:set("value", semaphore.subtract(meta.value, n), "held", semaphore.add(meta.held, n), "order",
            math.max(tonumber(meta.order), tie.order))
    tell(obj, "acquire", n)
    return pack.int_text(obj.meta.value)
end

ipcd.method("semaphore.acquire", { waits = true, changes = true }, function(call, timeout, n)
    local obj = call.obj
    local code, text
    n, code, text = read_n("semaphore.acquire", n)
    if not n then
        return nil, code, text
    end
    if has_flag(obj, "b") and semaphore.compare(n, obj.meta.initial) > 0 then
        return nil, "VALUE",
               string.format('semaphore.acquire: "%s" never has more than %s permits, and %s were asked for',
                             obj.name, obj.meta.initial, n)
    end
    if semaphore.compare(n, obj.meta.value) > 0 or ipcd.is_behind(call, semaphore.channel) then
        return ipcd.wait(call, semaphore.channel, timeout or "", "TIMEOUT")
    end
    return take(call, obj, n)
end)

-- Takes what there is too much of a bounded semaphore off those who hold it.
local function take_off_others(obj, value, held)
    local all = semaphore.add(value, held)
    if semaphore.compare(all, obj.meta.initial) <= 0 then
        return held
    end
    local rest = semaphore.subtract(all, obj.meta.initial)
    for _, one in ipairs(holders(obj)) do
        if rest == "0" then
            break
        end
        local part = semaphore.least(one.permits, rest)
        drop_permits(obj, one.sid, one, part)
        held = semaphore.subtract(held, part)
        rest = semaphore.subtract(rest, part)
    end
    return held
end

-- True if so many more are too many: the code, and why.
local function is_too_much(obj, n, own)
    local meta = obj.meta
    if has_flag(obj, "b") then
        if semaphore.compare(semaphore.add(meta.value, n), meta.initial) <= 0 then
            return nil
        end
        return "VALUE", string.format('semaphore.release: "%s" was released too many times: it is bounded, ' ..
                                          'and has %s of %s permits', obj.name, meta.value, meta.initial)
    end
    local all = semaphore.add(semaphore.add(meta.value, meta.held), semaphore.subtract(n, own))
    if semaphore.compare(all, semaphore.most) <= 0 then
        return nil
    end
    return "RANGE", string.format("semaphore.release: %s more permits are more than an int64", n)
end

ipcd.method("semaphore.release", { changes = true }, function(call, n)
    local obj = call.obj
    local code, text
    n, code, text = read_n("semaphore.release", n)
    if not n then
        return nil, code, text
    end
    local tie = obj.meta.held ~= "0" and tie_of(obj, call.sid)
    local own = tie and semaphore.least(tie.permits, n) or "0"
    code, text = is_too_much(obj, n, own)
    if code then
        return nil, code, text
    end
    local value, held = semaphore.add(obj.meta.value, n), obj.meta.held
    if own ~= "0" then
        drop_permits(obj, call.sid, tie, own)
        held = semaphore.subtract(held, own)
    end
    if has_flag(obj, "b") then
        held = take_off_others(obj, value, held)
    end
    obj:set("value", value, "held", held)
    tell(obj, "release", n, false)
    ipcd.changed(obj)
    return pack.int_text(value)
end)

ipcd.method("semaphore.value", {}, function(call)
    return pack.int_text(call.obj.meta.value)
end)
