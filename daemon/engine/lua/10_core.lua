-- core: the batch that is being run, and the objects that it is about.
--
-- Keys. A tag's keys begin with its prefix, "ipcd:REALM:{TAG}:". Of an object NAME there:
--   m:NAME       string, what is read with it: an array of version, uid, gid, mode, created (ms),
--                calls that wait on it, whether it is watched, when time changes it next (ms; 0:
--                never), sessions that have it open (of a scoped one), objects that go by it, and
--                the fields of its type in their order (false: not set), and, if its type has
--                figures, a str of these
--   W<channel>:NAME  zset, the waits on a channel in the order of their arrival; see 12_wait.lua
--   Wh:NAME, Wc:NAME  sets, the hosts whose calls wait on it; channels that the type does not list
--   x:NAME       set, the hosts that watch it
-- Of the tag itself:
--   n            hash, counters: v the last version given, w the last wait registered
--   f            hash, the name of each object (by its number) that has been renamed
--   wd           hash, the waits registered here: "HOST/EPOCH.WAIT" to what is known of one
-- Of a session or a host (a daemon's epoch) there:
--   s:SID        hash, "o"NUMBER, "c"NUMBER: the name of an object that it has open, or has claims
--                on; "w"WAIT: a wait of its; "i": who it is, three packed pairs
--   h:HOST       string, the last batch and its reply; see 80_batch.lua
--   hl:HOST      string, there as long as the lease that it tells; see 80_batch.lua
--   out:HOST, o:HOST  the outbox and the number of its last entry; see 12_wait.lua
--   hw:HOST      hash, the objects that it watches: number to name
--
-- An object's number is never given twice in a tag, and outlives a change of name. Its version is
-- "TYPE/LETTER NUMBER" (without the space; the letter is its lifetime's), with ".MORE" behind it
-- after a change of owner, mode or name: so who knows the version knows these.
--
-- Tests: tests/engine/.

-- The batch: host ("H/E"), prefix, now (ms; read when first asked for), objects (by name), timed (those of
-- them that had something due), changed (those whose waiters are to be asked), touched (those whose
-- m:NAME is to be written), read_name and read_raw (the object whose m:NAME has been read; false),
-- is_atomic, atomic (it is, and its versions are checked).
local run = { objects = {}, timed = {}, changed = {}, touched = {}, read_name = false }
local run_class = {}

function run_class.__index(_, field)
    if field ~= "now" then
        return nil
    end
    local time = redis.call("TIME")
    run.now = time[1] * 1000 + math.floor(time[2] / 1000)
    return run.now
end

-- What a handler answers that has to wait.
local WAIT = {}

-- Strings of argv as args of a handler: those that are not given at the end are "".
local ARGS_MOST = 24

local function padded(argv, from, to)
    local args = { unpack(argv, from, to) }
    for i = #args + 1, ARGS_MOST do
        args[i] = ""
    end
    return unpack(args)
end

-- Runs a method's handler; of the daemon's own methods args are left out at the end.
local function handle(method, call, argv, from, to)
    if method.bare then
        return method.handler(call, unpack(argv, from, to))
    end
    return method.handler(call, padded(argv, from, to))
end

-- Methods of objects.
local object = {}
local object_class = { __index = object }

local LIFETIMES = { n = "daemon", s = "scoped", p = "durable" }
local LIFETIME_LETTERS = { daemon = "n", scoped = "s", durable = "p" }

-- What is known of an object from batch to batch, by prefix and name: as it was read or written
-- last (`raw`), taken apart, its fields (`meta`, changed in place), its keys, and what its type keeps
-- (ipcd.keep). It counts only while the engine has the same bytes, and not after a batch that ended
-- before it wrote. All are forgotten when there are many.
local places, places_count = {}, 0
local PLACES_MOST = 2000

local function place_add(prefix, name, place)
    if places_count >= PLACES_MOST then
        places, places_count = {}, 0
    end
    place.prefix, place.name, place.keys = prefix, name, {}
    place.meta_key = prefix .. "m:" .. name
    place.type, place.letter, place.number = place.version:match("^([^/]*)/(.)([^.]*)")
    place.lifetime = LIFETIMES[place.letter]
    place.__index = place
    places[prefix] = places[prefix] or {}
    places[prefix][name] = place
    places_count = places_count + 1
    return setmetatable(place, object_class)
end

local CORE_FIELDS = 10

-- True if nobody waits on it or watches it, and time does not change it.
local function is_quiet(obj)
    return obj.waiting == 0 and not obj.watched and not obj.due
end

-- Takes the bytes of m:NAME apart.
local function place_read(prefix, name, raw)
    local values = cmsgpack.unpack(raw)
    local place = place_add(prefix, name, {
        raw = raw, version = values[1], uid = values[2], gid = values[3], mode = values[4],
        created = values[5], waiting = values[6], watched = values[7] == 1,
        due = values[8] ~= 0 and values[8] or nil, opens = values[9], dependents = values[10],
        meta = {},
    })
    local type_ = ipcd.types[place.type]
    local fields = type_.fields or {}
    for i = 1, #fields do
        place.meta[fields[i]] = values[CORE_FIELDS + i] or nil
    end
    place.is_quiet, place.packed = is_quiet(place), raw
    if type_.figures then
        place.packed = raw:sub(1, -type_.figures.size - 1)
        type_.figures.unpack(place.meta, values[CORE_FIELDS + #fields + 1])
    end
    return place
end

-- The key of a part of the object. No name of a part has a colon or begins with "W"; m, s, h, o, x,
-- n, f, wd, out, hl, hw are taken.
function object:key(part)
    local key = self.keys[part]
    if not key then
        key = self.prefix .. part .. ":" .. self.name
        if part:byte(1) ~= 87 then -- there may be many channels
            self.keys[part] = key
        end
    end
    return key
end

local function will_be_written(obj)
    if not obj.is_touched then
        obj.is_touched = true
        run.touched[#run.touched + 1] = obj
    end
end

-- What is read with the object has changed: it is written when the batch is over.
function object:touch()
    self.is_all_touched = true
    will_be_written(self)
end

-- The same, but nothing else has changed than the figures of its type.
function object:touch_figures()
    if not self.is_touched then
        will_be_written(self)
    end
end

-- Keeps what a type has made of the object's fields, as obj[name], for the batches to come too: as
-- long as nobody else has written the object. The type changes it together with the fields.
function ipcd.keep(obj, name, value)
    getmetatable(obj)[name] = value
end

-- Sets fields of its type; values are strings, or integers, which are strings then.
function object:set(...)
    local meta = self.meta
    for i = 1, select("#", ...), 2 do
        local field, value = select(i, ...)
        meta[field] = type(value) == "number" and string.format("%.17g", value) or value
    end
    self:touch()
end

function object:unset(...)
    local meta = self.meta
    for i = 1, select("#", ...) do
        meta[select(i, ...)] = nil
    end
    self:touch()
end

-- All of m:NAME but the figures; and what is noted in the object's place is as it is now.
local function pack_all(obj, place, type_)
    place.version, place.uid, place.gid, place.mode = obj.version, obj.uid, obj.gid, obj.mode
    place.waiting, place.watched, place.due = obj.waiting, obj.watched, obj.due or nil
    place.opens, place.dependents, place.is_quiet = obj.opens, obj.dependents, is_quiet(obj)
    local values, fields, meta = {}, type_.fields or {}, obj.meta
    for i = 1, #fields do
        values[i] = meta[fields[i]] or false
    end
    local count, head = CORE_FIELDS + #fields, ""
    if type_.figures then
        count, head = count + 1, "\217" .. string.char(type_.figures.size)
    end
    local packed = ipcd.pack.array(count) .. cmsgpack.pack(obj.version, obj.uid, obj.gid,
        obj.mode, obj.created, obj.waiting, obj.watched and 1 or 0, obj.due or 0, obj.opens,
        obj.dependents)
    if values[1] ~= nil then
        packed = packed .. cmsgpack.pack(unpack(values))
    end
    return packed .. head
end

-- What is to be written of an object that has changed, which is noted in its place.
local function object_pack(obj)
    local place, type_ = getmetatable(obj), ipcd.types[obj.type]
    local raw = place.packed
    if obj.is_all_touched or not raw then
        raw = pack_all(obj, place, type_)
        place.packed = raw
        obj.is_all_touched = false
    end
    if type_.figures then
        raw = raw .. type_.figures.pack(obj.meta)
    end
    obj.is_touched = false
    place.raw = raw
    return raw
end

-- Writes all that has changed, first what types have put off; and, if given, `value` to `key` with
-- it: one command.
local function save_all(key, value)
    for _, obj in next, run.objects do
        if obj.unsaved then
            obj.unsaved = false
            ipcd.types[obj.type].save(obj)
        end
    end
    local touched = run.touched
    if not touched[1] then
        if key then
            redis.call("SET", key, value)
        end
        return
    end
    run.touched = {}
    if key and not touched[2] and not touched[1].is_deleted then -- the most frequent case
        redis.call("MSET", key, value, touched[1].meta_key, object_pack(touched[1]))
        return
    end
    local writes = { key, value }
    for i = 1, #touched do
        local obj = touched[i]
        if not obj.is_deleted then
            writes[#writes + 1] = obj.meta_key
            writes[#writes + 1] = object_pack(obj)
        end
        if #writes >= 4000 then
            redis.call("MSET", unpack(writes))
            writes = {}
        end
    end
    if writes[1] then
        redis.call("MSET", unpack(writes))
    end
end

-- Declares a method of the protocol, or of the daemon's own. How: waits = true, it may wait;
-- changes = true, it may change something (else a batch of such ones is not noted, and run again
-- when it comes again). A method of a type, "TYPE.verb", is given an object of it.
-- handler(call, arg…) returns the result, packed; or nil, code, text; or what ipcd.wait returns.
function ipcd.method(name, how, handler)
    local owner = name:match("^([^.]*)%.")
    ipcd.methods[name] = {
        name = name, handler = handler, type = how.type or owner, waits = how.waits,
        changes = how.changes or how.waits, unchecked = how.unchecked, objects = how.objects,
        bare = how.bare,
    }
end

-- The hash tag of an object's name. Those that begin with % are the daemons' own, and a name that
-- marks such a one is taken whole.
function ipcd.tag(name)
    local open = name:find("{", 1, true)
    local close = open and name:find("}", open + 1, true)
    if close and close > open + 1 and name:byte(open + 1) ~= 37 then
        return name:sub(open + 1, close - 1)
    end
    return (name:gsub("[%%{}]", { ["%"] = "%25", ["{"] = "%7B", ["}"] = "%7D" }))
end

-- The prefix of a name's keys, or nil if they are in another slot than the batch's.
function ipcd.prefix(name)
    local realm = run.prefix:match("^(ipcd:[^{]*){")
    local prefix = realm .. "{" .. ipcd.tag(name) .. "}:"
    if prefix == run.prefix then
        return prefix
    end
    if ipcd.is_cluster == nil then
        local answer = redis.pcall("CLUSTER", "INFO")
        ipcd.is_cluster = type(answer) == "string"
    end
    return not ipcd.is_cluster and prefix or nil
end

-- A new object, which the batch knows from now on and will write.
function ipcd.object_new(prefix, name, version, uid, gid, mode)
    local place = place_add(prefix, name, {
        version = version, uid = uid, gid = gid, mode = mode, created = run.now, waiting = 0,
        watched = false, opens = 0, dependents = 0, meta = {},
    })
    local obj = setmetatable({}, place)
    run.objects[name] = obj
    obj:touch()
    return obj
end

-- Reads an object of a tag. nil: there is none.
local function object_load(prefix, name)
    local place = places[prefix]
    place = place and place[name]
    local raw
    if run.read_name == name then
        raw, run.read_name = run.read_raw, false
    else
        raw = redis.call("GET", place and place.meta_key or prefix .. "m:" .. name)
    end
    if not raw then
        return nil
    end
    if not place or place.raw ~= raw then
        place = place_read(prefix, name, raw)
    end
    local obj = setmetatable({}, place)
    run.objects[name] = obj
    if place.due then
        run.timed[#run.timed + 1] = obj
        ipcd.tick(obj)
    end
    return obj
end

-- The object of that name, or nil: there is none, or not in this slot. It is up to date with time.
function ipcd.find(name)
    local obj = run.objects[name]
    if obj then
        return obj
    end
    local prefix = ipcd.prefix(name)
    return prefix and object_load(prefix, name)
end

-- Lets time pass for an object that has something due.
function ipcd.tick(obj)
    if obj.due and obj.due <= run.now then
        ipcd.types[obj.type].tick(obj, run.now)
        ipcd.changed(obj)
    end
end

-- The object of that number, which was called `name` once; nil if it is gone. `prefix` is that of its
-- tag, if it is known.
function ipcd.find_number(prefix, number, name)
    local obj = run.objects[name] or ipcd.find(name)
    if obj and obj.number == number and (not prefix or obj.prefix == prefix) then
        return obj
    end
    prefix = prefix or ipcd.prefix(name)
    name = prefix and redis.call("HGET", prefix .. "f", number)
    obj = name and ipcd.find(name)
    return obj and obj.number == number and obj or nil
end

-- Says when time changes the object next: `due` in ms, nil for never.
function ipcd.set_due(obj, due)
    if due == (obj.due or nil) then
        return
    end
    local earlier = due and (not obj.due or due < obj.due)
    obj.due = due or false
    obj:touch()
    run.timed[#run.timed + 1] = obj
    if earlier and obj.waiting > 0 then
        ipcd.tell_due(obj)
    end
end

-- Those who wait on the object are to be asked again, when the call that is being run is done: the
-- first of each channel in order, until one goes on waiting. With a channel: all of that one.
function ipcd.changed(obj, channel)
    if obj.waiting == 0 then
        return
    end
    if channel then
        obj.ask_all = obj.ask_all or {}
        obj.ask_all[#obj.ask_all + 1] = channel
    end
    if not obj.is_changed then
        obj.is_changed = true
        run.changed[#run.changed + 1] = obj
    end
end

-- The next number of the tag: never given before, also if the engine has lost the last ones.
function ipcd.next_number(prefix)
    local key = prefix .. "n"
    local number = math.max(tonumber(redis.call("HGET", key, "v") or 0) + 1, run.now * 1000)
    local text = string.format("%.0f", number)
    redis.call("HSET", key, "v", text)
    return text
end

-- The version of a new object, or, with `more`, of one that has changed.
function ipcd.version(type_name, lifetime, number, more)
    local version = type_name .. "/" .. LIFETIME_LETTERS[lifetime] .. number
    return more and version .. "." .. more or version
end

-- The other object on which a caller of the object's methods needs the write bit as well, by
-- also(obj) of its type, as of a condition its lock; or nil.
local function other_of(obj)
    local also = ipcd.types[obj.type].also
    return also and also(obj)
end

-- The version against which rights are checked: that of the other object is a part of it.
function ipcd.version_of(obj)
    local other = other_of(obj)
    return other and obj.version .. "+" .. other.version or obj.version
end

-- What the daemon knows of an object to check rights: [type, uid, gid, mode, version, lifetime],
-- and if there is another one, of that [name, uid, gid, mode] behind it.
function ipcd.meta_of(obj)
    local other = other_of(obj)
    if not other then
        return cmsgpack.pack({ obj.type, obj.uid, obj.gid, obj.mode, obj.version, obj.lifetime })
    end
    return cmsgpack.pack({ obj.type, obj.uid, obj.gid, obj.mode, ipcd.version_of(obj), obj.lifetime,
        other.name, other.uid, other.gid, other.mode })
end

-- The same of one that TYPE.open would make for that uid and gid, and its version, "new+" and the
-- other's; nil if there is no other one.
function ipcd.meta_of_new(type_name, uid, gid, ...)
    local also = ipcd.types[type_name].also
    local other = also and also(nil, ...)
    if not other then
        return nil
    end
    local version = "new+" .. other.version
    return cmsgpack.pack({ type_name, tonumber(uid), tonumber(gid), 432, version, "daemon", other.name,
        other.uid, other.gid, other.mode }), version
end

-- Runs a command on a key with a list of any length. Returns the last reply, and their sum if they
-- are numbers.
function ipcd.redis_many(command, key, list)
    local reply, sum = nil, 0
    for from = 1, #list, 4000 do
        reply = redis.call(command, key, unpack(list, from, math.min(from + 3999, #list)))
        sum = sum + (tonumber(reply) or 0)
    end
    return reply, sum
end

-- How much one batch may do: about a second's, counted in elements that are looked at, as functions
-- cannot look at a clock.
ipcd.WORK_MOST = 1000000

-- What the call in hand does besides the little that each one does.
function ipcd.spend(work)
    run.work = run.work + work
end

-- Of a call that takes n elements of an object in hand, before it changes anything: refuses it, and
-- does not return, if more than `most` are too many for one call.
function ipcd.take_many(obj, n, most)
    if n > most then
        error({ too_large = string.format("%.0f values of \"%s\" are too many for one call, during " ..
            "which the engine does nothing else: %.0f are the most", n, obj.name, most) })
    end
    run.work = run.work + n * (ipcd.WORK_MOST / most)
end

-- Claims: what a session has of an object that is given back when it ends.

-- The session has claims on the object from now on; may be said again.
function ipcd.claim(obj, sid)
    redis.call("HSET", obj.prefix .. "s:" .. sid, "c" .. obj.number, obj.name)
end

-- It has none any more.
function ipcd.unclaim(obj, sid)
    redis.call("HDEL", obj.prefix .. "s:" .. sid, "c" .. obj.number)
end

-- Events.

-- Sends each host that watches the object a message.
function ipcd.publish(obj, message)
    message = cmsgpack.pack(message)
    for _, host in ipairs(redis.call("SMEMBERS", obj:key("x"))) do
        redis.call("SPUBLISH", obj.prefix .. "ch:" .. host, message)
    end
end

-- An event of the object; `pairs` is an array of pairs (ipcd.pack.pair), its details. Costs nothing
-- if nobody watches; obj.watched says so beforehand.
function ipcd.tell(obj, event, pairs_)
    if not obj.watched then
        return
    end
    ipcd.publish(obj, { "e", obj.name, event, ipcd.pack.map(#pairs_) .. table.concat(pairs_) })
end
