-- run: a batch of operations, from its strings to its replies.
--
-- README.md has the form of both. What a batch has changed is noted with its number and its reply in
-- the same step, so that one that comes again after a lost connection is answered and not run again.
-- A batch of calls that change nothing is not noted.
--
-- Tests: tests/engine/test_batch.py.

-- The call that comes for the first time: one table for all, as one is run after the other. What few
-- handlers ask for is made when they do.
local call_class = {}
local first_call = {}

function call_class.__index(call, field)
    local value
    if field == "sid" then
        value = run.host .. ":" .. call.argv[call.at + 3]
    elseif field == "session" then
        value = tonumber(call.argv[call.at + 3])
    elseif field == "progress" then
        value = ""
    elseif field == "name" then
        value = call.argv[call.at + 1]
    elseif field == "verb" then
        value = call.method.name
    elseif field == "wait" then
        value = run.atomic and "0" or call.argv[call.at + 4]
    end
    call[field] = value
    return value
end

first_call.waited, first_call.timed_out = false, false

-- Runs a method's handler for the call at argv[at], which comes for the first time and whose last
-- string is argv[last]. Returns the reply.
local function call_run(method, obj, objs, argv, at, last)
    local call = first_call
    call.method, call.obj, call.objs, call.now = method, obj, objs, run.now
    call.argv, call.at, call.last = argv, at, last
    call.sid, call.session, call.progress, call.name, call.verb, call.wait, call.wish, call.undo =
        nil, nil, nil, nil, nil, nil, nil, nil
    local result, code, text = method.handler(call, unpack(argv, at + OP_STRINGS, last))
    if result ~= WAIT then
        if result then
            return "=" .. result
        end
        return reply_of(result, code, text)
    end
    local wish = call.wish
    if wish.stands_already then
        return "~" .. wish.timeout
    end
    local wait = wait_register(call)
    if wish.again then
        local reply, again = wait_try(wait, obj, false)
        if reply then
            wait_finish(wait, reply, again)
        end
    end
    return "~" .. wish.timeout
end

-- True if the daemon has checked rights against what the object is now. In an atomic batch that was
-- looked at before it began.
local function is_checked(obj, version)
    return run.atomic or ipcd.version_of(obj) == version
end

-- The objects that a call names in one param, as OBJECTS: VERSION is an array of their versions.
-- Returns them; or nil and the reply.
local function find_objects(method, argv, at)
    local names = cmsgpack.unpack(argv[at + OP_STRINGS])
    local versions = argv[at + 2] == "" and {} or cmsgpack.unpack(argv[at + 2])
    local objs, metas, all_checked = {}, {}, true
    for i, name in ipairs(names) do
        local obj = ipcd.find(name)
        if not obj then
            return nil, "!NOT_FOUND there is no object \"" .. name .. "\""
        end
        if obj.type ~= method.type then
            return nil, "!WRONG_TYPE \"" .. name .. "\" is " .. article(obj.type) .. "; " ..
                method.name .. " needs " .. article(method.type)
        end
        objs[i] = obj
        metas[i] = cmsgpack.unpack(ipcd.meta_of(obj))
        all_checked = all_checked and is_checked(obj, versions[i])
    end
    if not all_checked then
        return nil, "?" .. cmsgpack.pack(metas)
    end
    return objs
end

-- The last string of the op at argv[at].
local function op_last(argv, at)
    return at + 5 + argv[at + 5]
end

-- Of an object that is to be made: nil; or "?" if it goes by another one, for which rights have not
-- been checked. Behind uid and gid there are six more params, and the options of the type.
local function check_new(method, argv, at)
    local first = at + OP_STRINGS
    if run.atomic or not ipcd.types[method.type].also then
        return nil
    end
    local meta, version = ipcd.meta_of_new(method.type, argv[first], argv[first + 1],
        unpack(argv, first + 8, op_last(argv, at)))
    return meta and version ~= argv[at + 2] and "?" .. meta or nil
end

-- The reply of the op at argv[at].
local function op_run(method, argv, at, last)
    if not method then
        return "!UNKNOWN_METHOD the engine's functions have no " .. argv[at]
    end
    local obj, objs, reply
    if method.objects then
        objs, reply = find_objects(method, argv, at)
    elseif not method.bare then
        local name = argv[at + 1]
        obj = run.objects[name] or object_load(run.prefix, name)
        if not obj then
            reply = not method.opens and "!NOT_FOUND " or check_new(method, argv, at)
        elseif obj.version ~= argv[at + 2] and not method.unchecked and
            not is_checked(obj, argv[at + 2]) then
            reply = "?" .. ipcd.meta_of(obj)
        elseif obj.type ~= method.type and method.type ~= "object" and not method.opens then
            reply = "!WRONG_TYPE "
        end
    end
    if reply then
        return reply
    end
    if run.changed[1] and not run.atomic then
        serve() -- time has passed: that was before
    end
    return call_run(method, obj, objs, argv, at, last)
end

-- Serves whatever happens.
local function serve_safely()
    local served, why = pcall(serve)
    if not served then
        run.changed = {}
        redis.log(redis.LOG_WARNING, "ipcd: serving failed: " .. tostring(why))
    end
end

-- Runs an op whatever happens: a fault in a handler is its answer, and the rest goes on. In an atomic
-- batch those who wait are served when all is done.
local function op_run_safely(method, argv, at, last)
    local fine, reply = pcall(op_run, method, argv, at, last)
    if not fine then
        local why = type(reply) == "table" and (reply.err or "?") or tostring(reply)
        reply = "!INTERNAL a fault of the functions' own: " .. why
    end
    if run.changed[1] and not run.atomic then
        serve_safely()
    end
    return reply
end

-- Of an atomic batch: whether rights have been checked for all that it names. If not, the replies:
-- "?" and the meta for each op of which they have not, "" for the others.
local function check_all(argv)
    local replies, all = { "" }, true
    local at = 2
    while at <= #argv do
        local method = ipcd.methods[argv[at]]
        local reply = ""
        if method and method.objects then
            local _, why = find_objects(method, argv, at)
            reply = why and why:byte(1) == 63 and why or ""
        elseif method and not method.bare and not method.unchecked then
            local obj = run.objects[argv[at + 1]] or
                object_load(run.prefix, argv[at + 1])
            if obj and not is_checked(obj, argv[at + 2]) then
                reply = "?" .. ipcd.meta_of(obj)
            elseif not obj and method.opens then
                reply = check_new(method, argv, at) or ""
            end
        end
        all = all and reply == ""
        replies[#replies + 1] = reply
        at = op_last(argv, at) + 1
    end
    return not all and replies or nil
end

-- Rows: calls of one method on one object that follow each other, with as many args each. A method
-- may have a function that runs a row of them with fewer commands than one by one,
--     row(obj, argv, first, size, n, replies)
-- The args of the first call begin at argv[first], those of each next one `size` strings behind; there
-- are n, 2 to ROW_MOST. It appends n replies and returns true; or it does nothing and returns false:
-- then they are run one by one. Nobody waits on the object then, nor watches it.
local ROW_MOST = 1000

-- Runs the row that begins at argv[at], if there is one. Returns where the next op is, else nil.
local function row_run(method, argv, at, replies)
    local verb, name, version, nargs = argv[at], argv[at + 1], argv[at + 2], argv[at + 5]
    local size = OP_STRINGS + nargs
    local behind, n = at + size, 1
    while argv[behind] == verb and argv[behind + 1] == name and argv[behind + 2] == version and
        argv[behind + 5] == nargs and n < ROW_MOST do
        behind, n = behind + size, n + 1
    end
    if n == 1 then
        return nil
    end
    local obj = run.objects[name] or object_load(run.prefix, name)
    if not obj or obj.version ~= version or obj.type ~= method.type or obj.waiting > 0 or
        obj.watched or run.changed[1] or
        not method.row(obj, argv, at + OP_STRINGS, size, n, replies) then
        return nil
    end
    return behind
end

-- When the replies are so many bytes a batch ends; the rest comes with the next one.
local REPLIES_MOST = 4 * 1024 * 1024

-- Runs all, or as many as have room for their replies. Returns these, before which there is room for
-- the status.
local function run_ops(argv)
    local replies = { "" }
    local at, count, room = 2, #argv, REPLIES_MOST
    while at <= count and (room > 0 or run.is_atomic) do
        local method = ipcd.methods[argv[at]]
        local n = #replies
        local behind = method and method.row and not run.is_atomic and
            row_run(method, argv, at, replies)
        if behind then
            at = behind
            for i = n + 1, #replies do
                room = room - #replies[i]
            end
        else
            local last = op_last(argv, at)
            local reply = op_run_safely(method, argv, at, last)
            replies[#replies + 1] = reply
            room = room - #reply
            if run.is_atomic and reply:byte(1) == 33 then
                break
            end
            at = last + 1
        end
    end
    if run.changed[1] then
        serve_safely()
    end
    return replies
end

-- True if one of the ops may change something.
local function may_change(argv)
    local at, count = 2, #argv
    while at <= count do
        local method = ipcd.methods[argv[at]]
        if method and method.changes then
            return true
        end
        at = op_last(argv, at) + 1
    end
    return false
end

-- "NOW DUE NAME": of the object of the batch that is due first; "NOW 0 " if none is.
local function status()
    local first
    for _, obj in ipairs(run.timed) do
        if obj.due and not obj.is_deleted and (not first or obj.due < first.due) then
            first = obj
        end
    end
    if not first then
        return run.now_text .. " 0 "
    end
    return run.now_text .. string.format(" %.0f ", first.due) .. first.name
end

-- Sets the time, by the clock of Redis or by hand.
local function set_time(now)
    if now ~= 0 then
        run.now, run.now_text = now, string.format("%.0f", now)
        return
    end
    local time = redis.call("TIME")
    local microseconds = time[2]
    if #microseconds < 6 then
        microseconds = ("%06d"):format(microseconds)
    end
    run.now_text = time[1] .. microseconds:sub(1, 3)
    run.now = run.now_text + 0
end

-- Runs a batch. Returns the replies; what has changed of objects is still to be written.
local function run_batch(argv)
    run.atomic = false
    local replies = run.is_atomic and check_all(argv)
    if not replies then
        run.atomic = run.is_atomic
        replies = run_ops(argv)
    end
    replies[1] = status()
    return replies
end

-- The same of one op, the most frequent batch.
local function run_single(argv)
    run.atomic = false
    local reply = op_run_safely(ipcd.methods[argv[2]], argv, 2, #argv)
    return { status(), reply }
end

-- The state of a host in a tag: the header of its last batch, and behind it the replies: "NOW 0 ",
-- LF, and the reply of the only op; or all of them packed.
local HEADER_VALUES = 8

local function state_of(header, replies)
    if #replies == 2 and not run.timed[1] then
        return header .. replies[1] .. "\n" .. replies[2]
    end
    return header .. cmsgpack.pack(replies)
end

-- The replies in a state.
local function replies_in(state)
    local head = cmsgpack.unpack_limit(state, HEADER_VALUES, 1)
    local rest = state:sub(head + 1)
    local status_, reply = rest:match("^(%d+ 0 )\n(.*)$")
    if status_ then
        return { status_, reply }
    end
    return cmsgpack.unpack(rest)
end

-- Of a batch that comes when the state is this: what it is answered if it is not the next one.
local function answer_old(state, seq, ack)
    local _, _, _, _, last, acknowledged = cmsgpack.unpack_limit(state, 5, 1)
    if seq > last then
        if ack > acknowledged then
            outbox_trim(ack)
        end
        return nil
    end
    if seq == last then
        return replies_in(state)
    end
    return redis.error_reply("STALE the batch " .. seq .. " is older than the last one")
end

-- Reads the state, and with it the object that the first op names.
local function read_state(key, name)
    if not name or name == "" then
        return redis.call("GET", key)
    end
    local place = places[run.prefix]
    place = place and place[name]
    local values = redis.call("MGET", key, place and place.meta_key or run.prefix .. "m:" .. name)
    run.read_name, run.read_raw = name, values[2]
    return values[1]
end

-- Runs a batch and notes it in the state, unless it has been run.
local function run_once(key, seq, ack, argv, is_single)
    local state = read_state(key, argv[3])
    local old = state and answer_old(state, seq, ack)
    if old then
        return old
    end
    local replies
    if is_single then
        replies = run_single(argv)
    else
        replies = run_batch(argv)
    end
    save_all(key, state_of(argv[1], replies))
    return replies
end

-- The names of hosts, "H/E", from batch to batch.
local hosts, hosts_count = {}, 0

local function host_name(host, epoch)
    local of_host = hosts[host]
    local name = of_host and of_host[epoch]
    if not name then
        if hosts_count == 1000 then
            hosts, hosts_count = {}, 0
        end
        name = host .. "/" .. string.format("%.0f", epoch)
        hosts[host] = hosts[host] or {}
        hosts[host][epoch] = name
        hosts_count = hosts_count + 1
    end
    return name
end

-- What an error may have left of the last batch goes. What is known of objects of which something
-- was not written goes, too.
local function forget_last()
    run.read_name = nil
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
end

-- The function. Errors of the whole batch are FENCED and STALE; nothing has been run then.
function ipcd.main(keys, argv)
    local _, host, epoch, wait_until, seq, ack, now, mode = cmsgpack.unpack_limit(argv[1], 7, 1)
    set_time(now)
    if wait_until ~= 0 and run.now > wait_until then
        return redis.error_reply("FENCED the lease of " .. host .. " ran out at " .. wait_until)
    end
    run.host = host_name(host, epoch)
    run.prefix = keys[1] .. ":"
    run.is_atomic = mode == "atomic"
    forget_last()
    local is_single = mode == "" and #argv == 7 + (argv[7] or 0)
    local changes
    if is_single then
        local method = ipcd.methods[argv[2]]
        changes = method and method.changes
    else
        changes = not argv[2] or may_change(argv)
    end
    if changes and epoch ~= 0 then
        return run_once(run.prefix .. "h:" .. run.host, seq, ack, argv, is_single)
    end
    local replies = is_single and run_single(argv) or run_batch(argv)
    save_all()
    return replies
end
