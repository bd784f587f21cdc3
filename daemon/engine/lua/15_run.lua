-- run: the calls of a batch, from their strings to their replies.
--
-- They come as runs: calls of one method on one object that follow each other, with as many args,
--     WHAT WHO arg…
-- WHAT says which method and object, and is the same string for all that are alike, so it is taken
-- apart once; WHO has the session and the number of each call. README.md has the form.
--
-- Tests: tests/engine/test_batch.py, test_rows.py.

-- What WHATs say: the method (nil: unknown), verb, name, version, nargs. All are forgotten when
-- there are many.
local whats, whats_count = {}, 0
local WHATS_MOST, WHAT_LONG = 2000, 1000

local function what_read(text)
    local verb, nargs, size, at = text:match("^(%S+) (%d+) (%d+) ()")
    local behind = at + tonumber(size)
    local what = {
        verb = verb, method = ipcd.methods[verb], nargs = tonumber(nargs),
        name = text:sub(at, behind - 1), version = text:sub(behind),
    }
    if #text < WHAT_LONG then
        if whats_count == WHATS_MOST then
            whats, whats_count = {}, 0
        end
        whats[text] = what
        whats_count = whats_count + 1
    end
    return what
end

-- How many calls a WHO is of, and the session and the number of the i-th.
local WHO_SIZE = 16

local function who_count(who)
    return #who / WHO_SIZE
end

local function who_session(who, i)
    return (struct.unpack(">I8", who, i * WHO_SIZE - 15))
end

local function who_wait(who, i)
    return string.format("%.0f", (struct.unpack(">I8", who, i * WHO_SIZE - 7)))
end

-- The call that comes for the first time: one table for all, as one is run after the other. What few
-- handlers ask for is made when they do.
local call_class = {}
local first_call = {}

function call_class.__index(call, field)
    local value
    if field == "sid" then
        value = run.host .. ":" .. string.format("%.0f", call.session)
    elseif field == "session" then
        value = who_session(call.who, call.i)
    elseif field == "progress" then
        value = ""
    elseif field == "name" then
        value = call.what.name
    elseif field == "verb" then
        value = call.what.verb
    elseif field == "wait" then
        value = run.atomic and "0" or who_wait(call.who, call.i)
    elseif field == "now" then
        return run.now
    end
    call[field] = value
    return value
end

first_call.waited, first_call.timed_out = false, false

-- Runs a method's handler for the i-th call of a run, which comes for the first time and whose args
-- begin at argv[first]. Returns the reply.
local function call_run(what, obj, objs, argv, first, who, i)
    local call, method = first_call, what.method
    call.what, call.method, call.obj, call.objs = what, method, obj, objs
    call.argv, call.first, call.last, call.who, call.i = argv, first, first + what.nargs - 1, who, i
    call.sid, call.session, call.progress, call.name, call.verb, call.wait, call.wish, call.undo =
        nil, nil, nil, nil, nil, nil, nil, nil
    local result, code, text = handle(method, call, argv, first, call.last)
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
local function find_objects(what, argv, first)
    local method = what.method
    local names = cmsgpack.unpack(argv[first])
    local versions = what.version == "" and {} or cmsgpack.unpack(what.version)
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

-- Of an object that is to be made: nil; or "?" if it goes by another one, for which rights have not
-- been checked. Behind uid and gid there are six more params, and the options of the type.
local function check_new(what, argv, first)
    local method = what.method
    if run.atomic or not ipcd.types[method.type].also then
        return nil
    end
    local meta, version = ipcd.meta_of_new(method.type, argv[first], argv[first + 1],
        padded(argv, first + 8, first + what.nargs - 1))
    return meta and version ~= what.version and "?" .. meta or nil
end

-- The object of a call that names one; or nil and perhaps the reply.
local function find_object(what, argv, first)
    local method = what.method
    local obj = run.objects[what.name] or object_load(run.prefix, what.name)
    if not obj then
        return nil, not method.opens and "!NOT_FOUND " or check_new(what, argv, first)
    elseif obj.version ~= what.version and not method.unchecked and
        not is_checked(obj, what.version) then
        return nil, "?" .. ipcd.meta_of(obj)
    elseif obj.type ~= method.type and method.type ~= "object" and not method.opens then
        return nil, "!WRONG_TYPE "
    end
    return obj
end

-- The reply of the i-th call of a run.
local function op_run(what, argv, first, who, i)
    local method = what.method
    if not method then
        return "!UNKNOWN_METHOD the engine's functions have no " .. what.verb
    end
    local obj, objs, reply
    if method.objects then
        objs, reply = find_objects(what, argv, first)
    elseif not method.bare then
        obj, reply = find_object(what, argv, first)
    end
    if reply then
        return reply
    end
    if run.changed[1] and not run.atomic then
        serve() -- time has passed: that was before
    end
    return call_run(what, obj, objs, argv, first, who, i)
end

-- Serves whatever happens.
local function serve_safely()
    local served, why = pcall(serve)
    if not served then
        run.changed = {}
        redis.log(redis.LOG_WARNING, "ipcd: serving failed: " .. tostring(why))
    end
end

local function fault(why)
    why = type(why) == "table" and (why.err or "?") or tostring(why)
    return "!INTERNAL a fault of the functions' own: " .. why
end

-- Runs a call whatever happens: a fault in a handler is its answer, and the rest goes on. In an
-- atomic batch those who wait are served when all is done.
local function op_run_safely(what, argv, first, who, i)
    local fine, reply = pcall(op_run, what, argv, first, who, i)
    if not fine and type(reply) == "table" and reply.too_large then
        reply = "!TOO_LARGE " .. what.method.name .. ": " .. reply.too_large
    elseif not fine then
        reply = fault(reply)
    end
    if run.changed[1] and not run.atomic then
        serve_safely()
    end
    return reply
end

-- Where the run behind that at argv[at] begins.
local function run_behind(what, argv, at)
    return at + 2 + who_count(argv[at + 1]) * what.nargs
end

-- Calls f(what, at) for each run until it returns something, which it returns then.
local function each_run(argv, f)
    local at, count = 2, #argv
    while at < count do
        local what = whats[argv[at]] or what_read(argv[at])
        local value = f(what, at)
        if value then
            return value
        end
        at = run_behind(what, argv, at)
    end
    return nil
end

-- Of an atomic batch: whether rights have been checked for all that it names. If not, the replies:
-- "?" and the meta for each call of which they have not, "" for the others.
local function check_all(argv)
    local replies, all = { "" }, true
    each_run(argv, function(what, at)
        local method, reply = what.method, ""
        if method and method.objects then
            local _, why = find_objects(what, argv, at + 2)
            reply = why and why:byte(1) == 63 and why or ""
        elseif method and not method.bare and not method.unchecked then
            local _, why = find_object(what, argv, at + 2)
            reply = why and why:byte(1) == 63 and why or ""
        end
        all = all and reply == ""
        replies[#replies + 1] = reply
    end)
    return not all and replies or nil
end

-- A method may have a function that does for a whole run, or one call, what is usual with as few
-- commands as can be,
--     row(obj, argv, first, nargs, n)
-- The args are n times nargs strings from argv[first] on. Nobody waits on the object then, nor
-- watches it. It returns the reply: of one call, a string; of more, an array of n replies, or of one
-- that all have, or of n + 2 strings: what is before and behind each reply, and what is between. And
-- true if figures of the object have changed; of what else is read with it nothing may change. Or it
-- does nothing and returns nil: then they are run one by one. `obj` may be what is known of the object
-- from batch to batch: nothing that is of this batch alone is to be left there.
local function row_run(what, argv, first, n)
    local method = what.method
    local obj = run.objects[what.name] or object_load(run.prefix, what.name)
    if not obj or obj.version ~= what.version or obj.type ~= method.type or obj.waiting > 0 or
        obj.watched or run.changed[1] then
        return nil
    end
    local reply, has_changed = method.row(obj, argv, first, what.nargs, n)
    if reply then
        what.place = getmetatable(obj)
    end
    if has_changed then
        obj:touch_figures()
    end
    return reply
end

local ROW_MOST = 1000

-- While a batch is run the node does nothing else, for nobody: not the leases either. So one that has
-- had much to do (ipcd.spend) does no more: the daemon sends the rest again, but of an atomic batch,
-- which stops.
local OP_WORK = 10

-- So does one with long replies: 4 MiB of them are all that a batch may have to do, 16 MiB an atomic.
local BYTE_WORK, BYTE_WORK_ATOMIC = ipcd.WORK_MOST / 4194304, ipcd.WORK_MOST / 16777216

local TOOK_LONG = "!TOO_LARGE the calls before this one took all the time that one atomic may " ..
    "take in the engine: the rest is for another one"

-- Runs the run at argv[at]; returns its reply.
local function run_run(what, argv, at)
    local who, method, nargs = argv[at + 1], what.method, what.nargs
    local n, first = who_count(who), at + 2
    if run.work > ipcd.WORK_MOST then
        return run.is_atomic and TOOK_LONG or n == 1 and "" or { "" }
    end
    run.work = run.work + OP_WORK
    if method and method.row and not run.is_atomic and n <= ROW_MOST then
        local fine, reply = pcall(row_run, what, argv, first, n)
        if not fine then
            return n == 1 and fault(reply) or { fault(reply) }
        elseif reply then
            return reply
        end
    end
    if n == 1 then
        local reply = op_run_safely(what, argv, first, who, 1)
        run.work = run.work + #reply * (run.is_atomic and BYTE_WORK_ATOMIC or BYTE_WORK)
        return reply
    end
    local replies = {}
    for i = 1, n do
        replies[i] = run.work > ipcd.WORK_MOST and "" or
            op_run_safely(what, argv, first + (i - 1) * nargs, who, i)
        run.work = run.work + OP_WORK + #replies[i] * BYTE_WORK
    end
    return replies
end

-- Runs all. Returns the replies, one of each run, before which there is room for the status.
local function run_runs(argv)
    local replies = { "" }
    each_run(argv, function(what, at)
        local reply = run_run(what, argv, at)
        replies[#replies + 1] = reply
        return run.is_atomic and reply:byte(1) == 33
    end)
    if run.changed[1] then
        serve_safely()
    end
    return replies
end
