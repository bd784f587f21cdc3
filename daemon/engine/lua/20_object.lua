-- object: what all types have in common: being opened, described, deleted, given away, watched.
--
-- A type, ipcd.types.NAME, is a table of:
--   fields      names of its meta fields, which are read with the object; new ones go to the end
--   figures     numbers that most calls change, packed apart: {size (of the bytes), pack(meta) gives
--               them, unpack(meta, bytes) sets them}; obj:touch_figures() says they have changed
--   parts       the parts of its keys (obj:key), deleted with it
--   channels    on which calls wait, in the order in which they are served
--   durable     true if its objects may have that lifetime
--   create(obj, option…)    sets up a new object: true; or nil, code, text, and nothing is left
--   differs(obj, option…)   the name of the first given option that is not the object's, or nil
--   describe(obj)           how many pairs, and the pairs, packed: its options and figures
--   claims(obj)             an array of {sid, since (ms), how many pairs, pairs}: who holds what
--   save(obj)               obj.unsaved was set: sets its fields, before they are written
--   tick(obj, now)          does what is due, and sets what is due next
--   abandon(obj, sid)       a session has ended: gives back what it has; may have nothing
--   opened(obj, sid), closed(obj, sid)  a session has it open; has it so no longer
--   also(obj), also(nil, option…)  another object on which a caller needs the write bit as well, of
--                           one that is there or would be made; or nil
--   wait_ended(obj, {progress, sid})  a call goes without what it waited for
--   undo(obj, blob, sid)    nobody took what ipcd.undo noted
--   deleted(obj)            it is being deleted: before its waits end
--   refuse_name(obj, name)  why it cannot be called that, or nil
-- All but fields and describe may be left out, and tick where nothing is ever due.
--
-- Tests: tests/engine/test_open.py, test_object.py.

local STANDARD_MODE = 432 -- 0660

-- The description, as object.describe and TYPE.open answer it.

local function bytes_of(obj)
    local bytes = 0
    save_all()
    for _, part in ipairs(ipcd.types[obj.type].parts or {}) do
        bytes = bytes + (redis.call("MEMORY", "USAGE", obj:key(part)) or 0)
    end
    return bytes
end

-- How many pairs, and the pairs.
local function describe(obj)
    local pair, int, str = ipcd.pack.pair, ipcd.pack.int, ipcd.pack.str
    local bytes = bytes_of(obj)
    local count, own = ipcd.types[obj.type].describe(obj)
    local common = {
        pair("name", str(obj.name)), pair("type", str(obj.type)),
        pair("owner", int(obj.uid)), pair("group", int(obj.gid)),
        pair("mode", int(obj.mode)), pair("lifetime", str(obj.lifetime)),
        pair("created", ipcd.pack.time(obj.created)), pair("waiting", int(obj.waiting)),
        pair("bytes", int(bytes)),
        pair("overhead", int(redis.call("MEMORY", "USAGE", obj.meta_key) or 0)),
    }
    return #common + count, table.concat(common) .. own
end

-- The meta in front of a description.
local function with_meta(obj, description)
    local meta = ipcd.meta_of(obj)
    return struct.pack(">I4", #meta) .. meta .. description
end

-- Scoped objects.

-- A scoped object that nobody has open and nothing goes by is deleted.
local function check_orphan(obj)
    if obj.lifetime == "scoped" and not obj.is_deleted and obj.opens == 0 and
        obj.dependents == 0 then
        ipcd.delete(obj)
    end
end

-- Another object goes by this one (1), or no more (-1): that keeps a scoped one.
function ipcd.depend(obj, by)
    obj.dependents = obj.dependents + by
    obj:touch()
    check_orphan(obj)
end

local function session_open(obj, sid)
    local is_new = redis.call("HSET", obj.prefix .. "s:" .. sid, "o" .. obj.number, obj.name) == 1
    if is_new and obj.lifetime == "scoped" then
        obj.opens = obj.opens + 1
        obj:touch()
    end
    local opened = is_new and ipcd.types[obj.type].opened
    if opened then
        opened(obj, sid)
    end
end

local function session_close(obj, sid)
    local was_open = redis.call("HDEL", obj.prefix .. "s:" .. sid, "o" .. obj.number) == 1
    local closed = was_open and ipcd.types[obj.type].closed
    if closed then
        closed(obj, sid)
    end
    if was_open and obj.lifetime == "scoped" then
        obj.opens = obj.opens - 1
        obj:touch()
        check_orphan(obj)
    end
end

-- Opening.

local function refuse_mismatch(obj, option)
    return nil, "MISMATCH", "\"" .. obj.name .. "\" is there with another " .. option ..
        "; object.describe shows its options"
end

-- What every TYPE.open is given: the options are "" where they are not given.
local function read_common(uid, gid, mode, lifetime, group, create, exclusive)
    return { uid = uid, gid = group ~= "" and group or gid, mode = mode, lifetime = lifetime,
        group = group, create = create ~= "0", exclusive = exclusive == "1" }
end

-- The object is there: may it be opened like this? True; or nil, code, text.
local function check_existing(obj, type_name, common, ...)
    if obj.type ~= type_name then
        return nil, "WRONG_TYPE", "\"" .. obj.name .. "\" is " .. article(obj.type) .. ", not " ..
            article(type_name)
    end
    if common.exclusive then
        return nil, "EXISTS", "\"" .. obj.name .. "\" is there already, and exclusive was asked for"
    end
    if common.lifetime ~= "" and obj.lifetime ~= common.lifetime then
        return refuse_mismatch(obj, "lifetime")
    end
    if common.mode ~= "" and obj.mode ~= tonumber(common.mode) then
        return refuse_mismatch(obj, "mode")
    end
    if common.group ~= "" and obj.gid ~= tonumber(common.group) then
        return refuse_mismatch(obj, "group")
    end
    local differs = ipcd.types[type_name].differs
    local option = differs and differs(obj, ...)
    if option then
        return refuse_mismatch(obj, option)
    end
    return true
end

-- Removes all keys of an object.
local function drop_keys(obj)
    local kind = ipcd.types[obj.type]
    local keys = { obj.meta_key, obj:key("x"), obj:key("Wh"), obj:key("Wc") }
    for _, part in ipairs(kind.parts or {}) do
        keys[#keys + 1] = obj:key(part)
    end
    for _, channel in ipairs(kind.channels or {}) do
        keys[#keys + 1] = obj:key("W" .. channel)
    end
    redis.call("UNLINK", unpack(keys))
end

-- A new object. Returns it; or nil, code, text.
local function create(name, type_name, common, ...)
    local kind = ipcd.types[type_name]
    if not common.create then
        return nil, "NOT_FOUND", "there is no object \"" .. name .. "\", and create was false"
    end
    if common.lifetime == "durable" and not kind.durable then
        return nil, "BAD_REQUEST", article(type_name) ..
            " cannot be durable: a queue, dict, namespace or list can"
    end
    local lifetime = common.lifetime ~= "" and common.lifetime or "daemon"
    local version = ipcd.version(type_name, lifetime, ipcd.next_number(run.prefix))
    local obj = ipcd.object_new(run.prefix, name, version, tonumber(common.uid),
        tonumber(common.gid), common.mode ~= "" and tonumber(common.mode) or STANDARD_MODE)
    if kind.create then
        local fine, code, text = kind.create(obj, ...)
        if not fine then
            drop_keys(obj)
            obj.is_deleted = true
            run.objects[name] = nil
            return nil, code, text
        end
    end
    return obj
end

-- TYPE.open
local function open(call, uid, gid, mode, lifetime, group, wants_create, exclusive, _, ...)
    local common = read_common(uid, gid, mode, lifetime, group, wants_create, exclusive)
    local obj = call.obj
    local fine, code, text
    if obj then
        fine, code, text = check_existing(obj, call.method.type, common, ...)
    else
        obj, code, text = create(call.name, call.method.type, common, ...)
        fine = obj
    end
    if not fine then
        return nil, code, text
    end
    session_open(obj, call.sid)
    local count, pairs_ = describe(obj)
    return with_meta(obj, ipcd.pack.map(count) .. pairs_)
end

-- Deleting.

-- The object is gone: who watches it is told, who waits on it gets DELETED. What sessions have of
-- it is known by its number, which nobody finds any more.
function ipcd.delete(obj)
    obj.is_deleted = true
    ipcd.tell(obj, "deleted", {})
    local kind = ipcd.types[obj.type]
    if kind.deleted then
        kind.deleted(obj)
    end
    ipcd.end_waits(obj)
    for _, host in ipairs(obj.watched and redis.call("SMEMBERS", obj:key("x")) or {}) do
        redis.call("HDEL", obj.prefix .. "hw:" .. host, obj.number)
    end
    drop_keys(obj)
    redis.call("HDEL", obj.prefix .. "f", obj.number)
    run.objects[obj.name] = nil
end

ipcd.method("object.delete", { changes = true }, function(call)
    ipcd.delete(call.obj)
    return ipcd.pack.nil_
end)

ipcd.method("object.close", { changes = true, unchecked = true }, function(call)
    session_close(call.obj, call.sid)
    return ipcd.pack.nil_
end)

-- Describing.

-- How people are shown a session: "HOST:NUMBER".
function ipcd.shown(sid)
    return (sid:gsub("/[^:]*", ""))
end

-- Who a session is, for people: how many pairs, and the pairs: session, and if its daemon has told
-- (session.info) pid, uid and client.
function ipcd.claimant(sid)
    local session = ipcd.pack.pair("session", ipcd.pack.str(ipcd.shown(sid)))
    local about = redis.call("HGET", run.prefix .. "s:" .. sid, "i")
    if about then
        return 4, session .. about
    end
    return 1, session
end

-- What is known of a wait, as three pairs.
local function pack_wait(wait)
    local pair, record = ipcd.pack.pair, wait.record
    local timeout = record[WAIT_TIMEOUT]
    return pair("method", ipcd.pack.str(record[WAIT_VERB])) ..
        pair("since_ms", ipcd.pack.int(run.now - record[WAIT_SINCE])) ..
        pair("timeout_ms", timeout == "" and ipcd.pack.nil_ or ipcd.pack.int_text(timeout))
end

-- Who waits on the object, as an array of maps. A session is "HOST:NUMBER" for people.
local function pack_waits(obj)
    local list = {}
    each_wait(obj, function(wait)
        local count, claimant = ipcd.claimant(wait.record[WAIT_SID])
        list[#list + 1] = ipcd.pack.map(count + 3) .. claimant .. pack_wait(wait)
    end)
    return ipcd.pack.array(#list) .. table.concat(list)
end

local function pack_holds(obj)
    local list = {}
    local claims = ipcd.types[obj.type].claims
    for _, claim in ipairs(claims and claims(obj) or {}) do
        local sid, since, count, pairs_ = unpack(claim)
        local about, claimant = ipcd.claimant(sid)
        list[#list + 1] = ipcd.pack.map(count + about + 1) .. claimant ..
            ipcd.pack.pair("since", ipcd.pack.time(since)) .. pairs_
    end
    return ipcd.pack.array(#list) .. table.concat(list)
end

ipcd.method("object.describe", { unchecked = true }, function(call, claims)
    local count, pairs_ = describe(call.obj)
    if claims == "1" then
        pairs_ = pairs_ .. ipcd.pack.pair("waits", pack_waits(call.obj)) ..
            ipcd.pack.pair("holds", pack_holds(call.obj))
        count = count + 2
    end
    return with_meta(call.obj, ipcd.pack.map(count) .. pairs_)
end)

-- Giving away and renaming. The hosts that watch the object are told what it is now, ["m", name,
-- meta], by which they know who may watch it still.

local function has_new_version(obj)
    obj.version = ipcd.version(obj.type, obj.lifetime, obj.number, ipcd.next_number(obj.prefix))
    obj:touch()
    if obj.watched then
        ipcd.publish(obj, { "m", obj.name, ipcd.meta_of(obj) })
    end
end

ipcd.method("object.chmod", { changes = true }, function(call, mode)
    call.obj.mode = tonumber(mode)
    has_new_version(call.obj)
    return ipcd.pack.nil_
end)

-- A uid or gid that is "" stays what it is.
ipcd.method("object.chown", { changes = true }, function(call, uid, gid)
    if uid ~= "" then
        call.obj.uid = tonumber(uid)
    end
    if gid ~= "" then
        call.obj.gid = tonumber(gid)
    end
    has_new_version(call.obj)
    return ipcd.pack.nil_
end)

local function rename_keys(obj, name)
    local kind = ipcd.types[obj.type]
    local parts = { "x", "Wh", "Wc", unpack(kind.parts or {}) }
    for _, channel in ipairs(kind.channels or {}) do
        parts[#parts + 1] = "W" .. channel
    end
    for _, channel in ipairs(redis.call("SMEMBERS", obj:key("Wc"))) do
        parts[#parts + 1] = "W" .. channel
    end
    for _, part in ipairs(parts) do
        if redis.call("EXISTS", obj:key(part)) == 1 then
            redis.call("RENAME", obj:key(part), obj.prefix .. part .. ":" .. name)
        end
    end
end

-- The new name has the same tag. What sessions, waits and undos have of the object finds it by its
-- number.
ipcd.method("object.rename", { changes = true }, function(call, name)
    local obj = call.obj
    if ipcd.prefix(name) ~= obj.prefix then
        return nil, "UNSUPPORTED", "object.rename: \"" .. name .. "\" has another hash tag than \"" ..
            obj.name .. "\", and would live elsewhere"
    end
    if ipcd.find(name) then
        return nil, "EXISTS", "object.rename: \"" .. name .. "\" is there already"
    end
    local refuse = ipcd.types[obj.type].refuse_name
    local why = refuse and refuse(obj, name)
    if why then
        return nil, "VALUE", "object.rename: with the name \"" .. name .. "\" " .. why
    end
    ipcd.tell(obj, "renamed", { ipcd.pack.pair("name", ipcd.pack.str(name)) })
    rename_keys(obj, name)
    redis.call("HSET", obj.prefix .. "f", obj.number, name)
    run.objects[obj.name] = nil
    run.objects[name] = obj
    redis.call("DEL", obj.meta_key)
    obj.name, obj.keys, obj.meta_key = name, {}, obj.prefix .. "m:" .. name
    has_new_version(obj)
    return ipcd.pack.nil_
end)

-- Watching: which hosts are told; which sessions of a host, and which events, the host knows.

ipcd.method("object.watch", { changes = true }, function(call)
    local obj = call.obj
    redis.call("SADD", obj:key("x"), run.host)
    redis.call("HSET", obj.prefix .. "hw:" .. run.host, obj.number, obj.name)
    obj.watched = true
    obj:touch()
    return ipcd.pack.nil_
end)

-- The host is told no more.
local function unwatch(obj, host)
    redis.call("SREM", obj:key("x"), host)
    redis.call("HDEL", obj.prefix .. "hw:" .. host, obj.number)
    if redis.call("EXISTS", obj:key("x")) == 0 then
        obj.watched = false
        obj:touch()
    end
end

ipcd.method("object.unwatch", { changes = true, unchecked = true }, function(call)
    unwatch(call.obj, run.host)
    return ipcd.pack.nil_
end)
