-- batch: one call of the function: its header, the lease, doing it once, and the reply.
--
-- HEADER is seq, ack, until and now (big-endian, 8 bytes each), "a" (atomic) or "-", and "HOST/EPOCH".
-- What a batch has changed is noted with its header and its reply, in h:HOST, in the same step, so
-- that one that comes again after a lost connection is answered and not run again. A batch of calls
-- that change nothing is not noted.
--
-- The fence: nothing is run when `until` is over by this node's clock. To ask for the time costs as
-- much as to push a value. So who was in time leaves hl:HOST, which Redis itself forgets a second
-- before the lease is over: while it is there, with the bytes that this process has written for this
-- `until`, there is time. A second, as a key may be moved to another node and back, and is then
-- forgotten that much later; and who gives back for a dead host deletes it first (26_host.lua).
--
-- Tests: tests/engine/test_batch.py.

local HEAD_FORMAT, HEAD_SIZE, HEAD_MODE = ">I8I8I8I8", 33, 33
local FENCE_MARGIN = 1000

-- What is known of hosts in tags, by the tag's prefix and the host; forgotten when there are many.
local tags, tags_count = {}, 0
local TAGS_MOST = 2000

local function tag_new(key)
    local tag = { prefix = key .. ":", hosts = {} }
    tags[key] = tag
    return tag
end

local function host_new(tag, name)
    if tags_count == TAGS_MOST then
        tags, tags_count = {}, 0
    end
    tags_count = tags_count + 1
    local host = {
        name = name, state_key = tag.prefix .. "h:" .. name, lease_key = tag.prefix .. "hl:" .. name,
        lease = "", wait_until = 0,
    }
    tag.hosts[name] = host
    return host
end

-- What no other process writes: a name of this one.
local process_name

local function process()
    if not process_name then
        process_name = redis.call("INFO", "server"):match("run_id:(%w+)")
    end
    return process_name
end

-- True if the host's lease is over. `lease` is what hl:HOST holds.
local function is_fenced(host, lease, wait_until, now)
    if wait_until == 0 then
        return false
    elseif now ~= 0 then
        return now > wait_until
    elseif lease == host.lease and wait_until == host.wait_until then
        return false
    elseif run.now > wait_until then
        return true
    end
    if wait_until - run.now > FENCE_MARGIN then
        host.lease = process() .. " " .. string.format("%.0f", wait_until)
        host.wait_until = wait_until
        redis.call("SET", host.lease_key, host.lease, "PXAT",
            string.format("%.0f", wait_until - FENCE_MARGIN))
    end
    return false
end

-- "NOW DUE NAME": of the object of the batch that is due first; "" if none is. In front of it "+" if
-- calls were put off.
local function status()
    local first
    for _, obj in ipairs(run.timed) do
        if obj.due and not obj.is_deleted and (not first or obj.due < first.due) then
            first = obj
        end
    end
    return first and string.format("%.0f %.0f ", run.now, first.due) .. first.name or ""
end

-- Runs a batch. Returns the reply; what has changed of objects is still to be written.
local function run_batch(argv)
    run.atomic = false
    local replies = run.is_atomic and check_all(argv)
    if not replies then
        run.atomic = run.is_atomic
        replies = run_runs(argv)
    end
    if run.timed[1] then
        replies[1] = status()
    end
    if run.work > ipcd.WORK_MOST then
        replies[1] = "+" .. replies[1]
    end
    return cmsgpack.pack(replies)
end

-- The same of one call, the most frequent batch.
local function run_single(what, argv)
    run.atomic = false
    local reply = run_run(what, argv, 2)
    if run.timed[1] then
        return cmsgpack.pack({ status(), reply })
    end
    return "\n" .. reply
end

-- Of a batch that comes when the state is this: what it is answered if it is not the next one.
local function answer_old(state, seq, ack)
    local last, acknowledged = struct.unpack(">I8I8", state)
    if seq > last then
        if ack > acknowledged then
            outbox_trim(ack)
        end
        return nil
    elseif seq == last then
        return state:sub(HEAD_SIZE + #run.host + 1)
    end
    return redis.error_reply("STALE the batch " .. seq .. " is older than the last one")
end

-- Reads, with one command, what a batch begins with: hl:HOST, m:NAME of the first object (nil: there
-- is none) and, if it is to be noted, h:HOST. Returns them.
local function read_first(tag, host, name, is_noted)
    local values
    if not name or name == "" then
        if is_noted then
            values = redis.call("MGET", host.lease_key, host.state_key)
            return values[1], nil, values[2]
        end
        return redis.call("GET", host.lease_key)
    end
    local place = places[tag.prefix]
    place = place and place[name]
    local meta_key = place and place.meta_key or tag.prefix .. "m:" .. name
    if is_noted then
        values = redis.call("MGET", host.lease_key, meta_key, host.state_key)
    else
        values = redis.call("MGET", host.lease_key, meta_key)
    end
    return values[1], values[2], values[3]
end

-- What an error may have left of the last batch goes. What is known of objects of which something
-- was not written goes, too.
local function forget_last()
    for _, obj in ipairs(run.touched) do
        getmetatable(obj).raw = nil
    end
    for name, obj in next, run.objects do
        if obj.unsaved then
            getmetatable(obj).raw = nil
        end
        run.objects[name] = nil
    end
    if run.timed[1] then
        run.timed = {}
    end
    if run.touched[1] then
        run.touched = {}
    end
    if run.changed[1] then
        run.changed = {}
    end
    run.read_name = false
end

local function may_change(what)
    return what.method and what.method.changes
end

-- The usual call is alone, comes from a host of which all is known, and is of a method with a way for
-- it (row, 15_run.lua), on an object that is quiet, and as it was when this process wrote or read it
-- last. Nothing is made for it but its reply. Returns that; or nil, and nothing has been done.
local function run_usual(place, what, argv)
    local fine, reply, has_changed = pcall(what.method.row, place, argv, 4, what.nargs, 1)
    if not fine then
        place.raw = nil
        return "\n" .. fault(reply)
    end
    return reply and "\n" .. reply, has_changed
end

-- Notes a usual call, as save_all does.
local function save_usual(place, has_changed, host, state)
    if not has_changed then
        redis.call("SET", host.state_key, state)
        return
    end
    local raw = place.packed .. ipcd.types[place.type].figures.pack(place.meta)
    place.raw = nil -- should it not be written
    redis.call("MSET", host.state_key, state, place.meta_key, raw)
    place.raw = raw
end

-- What a host's batch leaves: by that the next one is known to be the next one.
local STATE_LONG = 1000

local function note_state(host, state, seq, ack)
    host.state = #state < STATE_LONG and state or nil
    host.seq, host.ack = seq, ack
end

-- Runs any other batch, of which the lease and the state have been looked at.
local function run_any(first, is_single, argv, host, is_noted)
    local reply = is_single and run_single(first, argv) or run_batch(argv)
    if is_noted then
        local state = argv[1] .. reply
        save_all(host.state_key, state)
        return reply, state
    end
    save_all()
    return reply
end

-- The function. Errors of the whole batch are FENCED and STALE; nothing has been run then.
function ipcd.main(keys, argv)
    local header = argv[1]
    local seq, ack, wait_until, now = struct.unpack(HEAD_FORMAT, header)
    local tag, name = tags[keys[1]] or tag_new(keys[1]), header:sub(HEAD_SIZE + 1)
    local host = tag.hosts[name] or host_new(tag, name)
    local first = argv[2] and (whats[argv[2]] or what_read(argv[2]))
    local is_atomic = header:byte(HEAD_MODE) == 97
    local is_single = first and not is_atomic and #argv[3] == WHO_SIZE and #argv == 3 + first.nargs
    local is_noted = seq ~= 0 and
        (not first or may_change(first) or not is_single and each_run(argv, may_change))
    local lease, raw, state = read_first(tag, host, first and first.name, is_noted)

    local place = is_single and first.place
    if place and place.raw == raw and place.is_quiet and place.prefix == tag.prefix and
        place.version == first.version and
        lease == host.lease and wait_until == host.wait_until and now == 0 and
        (not is_noted or state == host.state and seq > host.seq and ack == host.ack) then
        local reply, has_changed = run_usual(place, first, argv)
        if reply then
            if is_noted then
                state = header .. reply
                save_usual(place, has_changed, host, state)
                note_state(host, state, seq, ack)
            end
            return reply
        end
    end

    forget_last()
    run.host, run.prefix, run.is_atomic = name, tag.prefix, is_atomic
    run.work = 0
    run.now = now ~= 0 and now or nil
    if raw ~= nil then
        run.read_name, run.read_raw = first.name, raw
    end
    if is_fenced(host, lease, wait_until, now) then
        return redis.error_reply("FENCED the lease of " .. name .. " ran out at " ..
            string.format("%.0f", wait_until))
    end
    local reply = state and answer_old(state, seq, ack)
    if not reply then
        reply, state = run_any(first, is_single, argv, host, is_noted)
        if is_noted then
            note_state(host, state, seq, ack)
        end
    end
    return reply
end
