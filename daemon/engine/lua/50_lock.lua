-- lock: a mutex with a name; and the mutex itself, which a condition of its own has too.
--
-- What it does is in daemon/objects/mutex.h. A mutex is fields of its object's hash: `depth` (how often
-- it is held, 0 or nothing: by nobody), and while it is held `holder` (the sid of the session), `owner`
-- (canonical MessagePack, or empty) and `since` (ms). `abandoned` is "1" from when a holder lost it
-- until the next is told. `flags` has a letter for each option: "r" recursive, "k" keep, "a" anyone.
-- While a session holds it, and is there, it has a claim on the object.
--
-- Those who want it wait on the object's channel "mutex", also the calls of conditions that go by the
-- lock. Which these are is in its hash "conditions": the number of each, and the name that it had.
--
-- Tests: tests/engine/test_lock.py.

local pack = ipcd.pack
local mutex = { channel = "mutex", owner_most = 255 }
ipcd.mutex = mutex

function mutex.fields(...)
    return { "depth", "holder", "owner", "since", "abandoned", "flags", ... }
end

function mutex.depth(obj)
    return tonumber(obj.meta.depth) or 0
end

local function has_flag(obj, letter)
    return string.find(obj.meta.flags or "", letter, 1, true) ~= nil
end

function mutex.held_by(obj, sid, owner)
    local meta = obj.meta
    return mutex.depth(obj) > 0 and meta.holder == sid and meta.owner == owner
end

-- An owner is told in a sentence only when its name is too long, as the daemon has checked its type.
function mutex.check_owner(method, owner)
    local len = 0
    local head = string.byte(owner, 1)
    if head == 0xda then
        len = struct.unpack(">I2", owner, 2)
    elseif head == 0xdb then
        len = struct.unpack(">I4", owner, 2)
    end
    if len > mutex.owner_most then
        return nil, "BAD_REQUEST", string.format("%s: param owner must have at most %d bytes, not %d",
                                                 method, mutex.owner_most, len)
    end
    return true
end

-- `abandoned` is told only of a release.
local function tell(obj, event, abandoned)
    if not obj.watched then
        return
    end
    local pairs = { pack.pair("session", pack.str(ipcd.shown(obj.meta.holder))),
                    pack.pair("depth", pack.int(mutex.depth(obj))) }
    if event == "release" then
        pairs[3] = pack.pair("abandoned", pack.bool(abandoned))
    end
    ipcd.tell(obj, event, pairs)
end

-- A free mutex, or one that the caller holds already, is held `depth` times from now on. `abandoned`
-- is what is to be told of it to the next: "" or, to leave it as it is, nil.
function mutex.take(call, obj, owner, depth, abandoned)
    local told = abandoned or obj.meta.abandoned or ""
    if mutex.depth(obj) == 0 then
        obj:set("depth", depth, "holder", call.sid, "owner", owner, "since", call.now,
                "abandoned", told)
        ipcd.claim(obj, call.sid)
    else
        obj:set("depth", depth, "abandoned", told)
    end
    tell(obj, "acquire")
end

local function release(obj, levels, abandoned)
    local depth = mutex.depth(obj) - levels
    if abandoned then
        obj:set("depth", depth, "abandoned", "1")
    else
        obj:set("depth", depth)
    end
    tell(obj, "release", abandoned)
    if depth == 0 then
        ipcd.unclaim(obj, obj.meta.holder)
        ipcd.changed(obj)
    end
end

-- A held mutex is held so many times less, at most as often as it is.
function mutex.give_up(obj, levels)
    release(obj, levels, false)
end

-- The session that has the claim ends.
function mutex.abandon(obj, sid)
    if has_flag(obj, "k") then
        ipcd.unclaim(obj, sid)
    elseif mutex.depth(obj) > 0 and obj.meta.holder == sid then
        release(obj, mutex.depth(obj), true)
    end
end

-- The object goes: nobody has a claim on it any more.
function mutex.deleted(obj)
    if mutex.depth(obj) > 0 then
        ipcd.unclaim(obj, obj.meta.holder)
    end
end

local function packed_owner(obj)
    local owner = obj.meta.owner
    return pack.pair("owner", owner == "" and pack.nil_ or owner)
end

local function packed_session(obj)
    return pack.pair("session", pack.str(ipcd.shown(obj.meta.holder)))
end

local function packed_depth(obj)
    return pack.pair("depth", pack.int(mutex.depth(obj)))
end

-- "depth", "holder" and "held_since": how many pairs, and they.
function mutex.describe(obj)
    local holder, since = pack.nil_, pack.nil_
    if mutex.depth(obj) > 0 then
        holder = pack.map(2) .. packed_session(obj) .. packed_owner(obj)
        since = pack.time(tonumber(obj.meta.since))
    end
    return 3, packed_depth(obj) .. pack.pair("holder", holder) .. pack.pair("held_since", since)
end

-- What is held of it: a list of one, or of none, as also if the session that held it is gone.
function mutex.claims(obj)
    local holder = obj.meta.holder
    if mutex.depth(obj) == 0 or redis.call("HEXISTS", obj.prefix .. "s:" .. holder, "c" .. obj.number) == 0 then
        return {}
    end
    return { { holder, tonumber(obj.meta.since), 2, packed_depth(obj) .. packed_owner(obj) } }
end

-- NOT_OWNER, with a sentence that says who holds it.
function mutex.refuse(call, method, obj)
    local of = obj.type == "lock" and "" or "of " -- a condition's own
    if mutex.depth(obj) == 0 then
        return nil, "NOT_OWNER", string.format('%s: nobody holds the lock %s"%s"', method, of, obj.name)
    end
    if obj.meta.holder == call.sid then
        return nil, "NOT_OWNER",
               string.format('%s: the caller\'s session holds the lock %s"%s", but with another owner',
                             method, of, obj.name)
    end
    return nil, "NOT_OWNER",
           string.format('%s: session %s holds the lock %s"%s", not the caller\'s, which is %s', method,
                         ipcd.shown(obj.meta.holder), of, obj.name, ipcd.shown(call.sid))
end

-- The whole of an acquire, a release and a break.
function mutex.acquire(call, method, obj, timeout, owner)
    owner = owner or ""
    local is_right, code, text = mutex.check_owner(method, owner)
    if not is_right then
        return nil, code, text
    end
    local depth = mutex.depth(obj)
    local is_own = mutex.held_by(obj, call.sid, owner)
    local is_open = depth == 0 or (is_own and has_flag(obj, "r"))
    -- Whoever holds a recursive lock goes ahead of those who wait for it.
    if not is_open or (not is_own and ipcd.is_behind(call, mutex.channel, obj)) then
        return ipcd.wait_any(call, { obj }, mutex.channel, timeout or "", "TIMEOUT")
    end
    local result = pack.map(2) .. pack.pair("depth", pack.int(depth + 1)) ..
                       pack.pair("abandoned", pack.bool(obj.meta.abandoned == "1"))
    mutex.take(call, obj, owner, depth + 1, "")
    return result
end

function mutex.release(call, method, obj, owner)
    owner = owner or ""
    local is_right, code, text = mutex.check_owner(method, owner)
    if not is_right then
        return nil, code, text
    end
    local may = mutex.held_by(obj, call.sid, owner)
    if has_flag(obj, "a") then
        may = mutex.depth(obj) > 0
    end
    if not may then
        return mutex.refuse(call, method, obj)
    end
    mutex.give_up(obj, 1)
    return pack.int(mutex.depth(obj))
end

function mutex.break_(obj)
    if mutex.depth(obj) == 0 then
        return pack.nil_
    end
    local result = pack.map(3) .. packed_session(obj) .. packed_depth(obj) .. packed_owner(obj)
    release(obj, mutex.depth(obj), true)
    return result
end

-- The lock.

local function word(obj, letter, with, without)
    return has_flag(obj, letter) and with or without
end

ipcd.types.lock = {
    fields = mutex.fields(),
    parts = { "conditions" },
    channels = { mutex.channel },
    abandon = mutex.abandon,
    claims = mutex.claims,
}

function ipcd.types.lock.create(obj, recursive, on_disconnect, release_by)
    obj:set("flags", (recursive == "1" and "r" or "") .. (on_disconnect == "keep" and "k" or "") ..
                (release_by == "anyone" and "a" or ""))
    return true
end

-- What is not given is "", or, behind the last that is, nil.
local function is_given(value)
    return value ~= nil and value ~= ""
end

function ipcd.types.lock.differs(obj, recursive, on_disconnect, release_by)
    if is_given(recursive) and recursive ~= word(obj, "r", "1", "0") then
        return "recursive"
    end
    if is_given(on_disconnect) and on_disconnect ~= word(obj, "k", "keep", "release") then
        return "on_disconnect"
    end
    if is_given(release_by) and release_by ~= word(obj, "a", "anyone", "owner") then
        return "release_by"
    end
    return nil
end

function ipcd.types.lock.describe(obj)
    local count, packed = mutex.describe(obj)
    return 4 + count, pack.pair("recursive", pack.bool(has_flag(obj, "r"))) ..
               pack.pair("on_disconnect", pack.str(word(obj, "k", "keep", "release"))) ..
               pack.pair("release_by", pack.str(word(obj, "a", "anyone", "owner"))) ..
               pack.pair("abandoned", pack.bool(obj.meta.abandoned == "1")) .. packed
end

-- Calls f(condition) for those that go by it.
local function each_condition(obj, f)
    local all = redis.call("HGETALL", obj:key("conditions"))
    for i = 1, #all, 2 do
        local condition = ipcd.find_number(obj.prefix, all[i], all[i + 1])
        if condition then
            f(condition)
        end
    end
end

function ipcd.types.lock.deleted(obj)
    each_condition(obj, function(condition)
        ipcd.types.condition.orphan(condition, obj)
    end)
    mutex.deleted(obj)
end

ipcd.method("lock.acquire", { waits = true, changes = true }, function(call, timeout, owner)
    return mutex.acquire(call, "lock.acquire", call.obj, timeout, owner)
end)

ipcd.method("lock.release", { changes = true }, function(call, owner)
    return mutex.release(call, "lock.release", call.obj, owner)
end)

ipcd.method("lock.break", { changes = true }, function(call)
    return mutex.break_(call.obj)
end)

ipcd.method("lock.locked", {}, function(call)
    return pack.bool(mutex.depth(call.obj) > 0)
end)
