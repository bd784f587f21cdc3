-- session: sessions that end, calls that give up waiting, the outbox, and the hosts' leases.
--
-- Tests: tests/engine/test_session.py, test_hosts.py.

-- The wait of that number of the batch's host, or nil: it has been served.
local function own_wait(number)
    return wait_read({ key = run.host .. "." .. number, home = run.prefix })
end

-- Gives up waiting, for nobody who would be told.
local function wait_drop(wait)
    local own = own_object(wait)
    ask_those_behind(wait)
    wait_remove(wait)
    wait_ended(wait, own, wait.record[WAIT_PROGRESS])
end

ipcd.method("wait.cancel", { changes = true, bare = true }, function(_, number)
    local wait = own_wait(number)
    if not wait then
        return nil, "NOT_FOUND"
    end
    wait_drop(wait)
    return ipcd.pack.nil_
end)

-- Its time is over: answers what the call answers, or that it waits without limit now.
ipcd.method("wait.timeout", { changes = true, bare = true }, function(call, number)
    local wait = own_wait(number)
    if not wait then
        return nil, "NOT_FOUND"
    end
    if wait.record[WAIT_TIMEOUT] == "" then
        call.wish = { timeout = "", stands_already = true }
        return WAIT
    end
    ask_those_behind(wait)
    local reply, last = wait_try(wait, nil, true)
    if not reply then -- it has moved on
        call.wish = { timeout = "", stands_already = true }
        return WAIT
    end
    local own = own_object(wait)
    wait_remove(wait)
    if reply:byte(1) == 33 then
        wait_ended(wait, own, last and last.progress or wait.record[WAIT_PROGRESS])
        local code, text = reply:match("^!(%S+) (.*)$")
        return nil, code, text
    end
    return reply:sub(2)
end)

-- The outbox.

local function outbox_of(host)
    return redis.call("LRANGE", run.prefix .. "out:" .. host, 0, -1)
end

ipcd.method("outbox.fetch", { changes = true, bare = true }, function()
    return cmsgpack.pack(outbox_of(run.host))
end)

-- A result that nobody is there to take any more.
ipcd.method("undeliver", { changes = true, bare = true }, function(_, number)
    local key = run.prefix .. "out:" .. run.host
    for i, entry in ipairs(outbox_of(run.host)) do
        local fields = cmsgpack.unpack(entry)
        if fields[2] == tonumber(number) then
            undo_run(fields[4])
            fields[4] = ""
            redis.call("LSET", key, i - 1, cmsgpack.pack(fields))
        end
    end
    return ipcd.pack.nil_
end)

-- The end of a session.

-- Who a session is, for those who look at what it has in this tag: pid, uid and client.
ipcd.method("session.info", { changes = true, bare = true }, function(call, pid, uid, client)
    local pair = ipcd.pack.pair
    local name = (client or "") == "" and ipcd.pack.nil_ or ipcd.pack.str(client)
    redis.call("HSET", run.prefix .. "s:" .. call.sid, "i", pair("pid", ipcd.pack.int_text(pid)) ..
        pair("uid", ipcd.pack.int_text(uid)) .. pair("client", name))
    return ipcd.pack.nil_
end)

local function by_number(a, b)
    return tonumber(a[1]) < tonumber(b[1])
end

-- What a session has here: numbers of its waits; {number, name} of what it has claims on, and open,
-- by number.
local function session_read(sid)
    local all = redis.call("HGETALL", run.prefix .. "s:" .. sid)
    local waits, claims, opens = {}, {}, {}
    for i = 1, #all, 2 do
        local kind, number = all[i]:sub(1, 1), all[i]:sub(2)
        if kind == "w" then
            waits[#waits + 1] = number
        elseif kind ~= "i" then
            local list = kind == "c" and claims or opens
            list[#list + 1] = { number, all[i + 1] }
        end
    end
    table.sort(waits, function(a, b) return tonumber(a) < tonumber(b) end)
    table.sort(claims, by_number)
    table.sort(opens, by_number)
    return waits, claims, opens
end

-- What its calls were served and its daemon had not looked at when it ended has not reached it:
-- entries of the outbox behind number `seen`.
local function undo_of_session(sid, host, seen)
    local key = run.prefix .. "out:" .. host
    local entries = outbox_of(host)
    for i = #entries, 1, -1 do
        local fields = cmsgpack.unpack(entries[i])
        if fields[1] > seen and fields[4] ~= "" and cmsgpack.unpack(fields[4])[5] == sid then
            undo_run(fields[4])
            fields[4] = ""
            redis.call("LSET", key, i - 1, cmsgpack.pack(fields))
        end
    end
end

local function session_end(sid, seen)
    local waits, claims, opens = session_read(sid)
    local host = sid:match("^(.*):")
    if seen then -- of a dead host, reap.host undoes them all, in their order
        undo_of_session(sid, host, seen)
    end
    for _, number in ipairs(waits) do
        local wait = wait_read({ key = host .. "." .. number, home = run.prefix })
        if wait then
            wait_drop(wait)
        end
    end
    for _, claim in ipairs(claims) do
        local obj = ipcd.find_number(run.prefix, claim[1], claim[2])
        if obj and ipcd.types[obj.type].abandon then
            ipcd.types[obj.type].abandon(obj, sid)
            ipcd.changed(obj)
        end
    end
    serve()
    for _, open_ in ipairs(opens) do
        local obj = ipcd.find_number(run.prefix, open_[1], open_[2])
        if obj then
            session_close(obj, sid)
        end
    end
    redis.call("DEL", run.prefix .. "s:" .. sid)
end

ipcd.method("session.end", { changes = true, bare = true }, function(call, number, seen)
    session_end(number and run.host .. ":" .. number or call.sid, tonumber(seen))
    return ipcd.pack.nil_
end)

-- The objects of a list of session_read that are there still.
local function objects_of(list)
    local objs = {}
    for _, entry in ipairs(list) do
        objs[#objs + 1] = ipcd.find_number(run.prefix, entry[1], entry[2])
    end
    return objs
end

local function pack_list(packed)
    return ipcd.pack.array(#packed) .. table.concat(packed)
end

local function pack_open(opens)
    local names = {}
    for i, obj in ipairs(objects_of(opens)) do
        names[i] = ipcd.pack.str(obj.name)
    end
    return pack_list(names)
end

-- What the session holds: [{object, type, since, …}…].
local function pack_session_holds(claimed, sid)
    local pair, str = ipcd.pack.pair, ipcd.pack.str
    local holds = {}
    for _, obj in ipairs(objects_of(claimed)) do
        local claims = ipcd.types[obj.type].claims
        for _, claim in ipairs(claims and claims(obj, sid) or {}) do
            if claim[1] == sid then
                holds[#holds + 1] = ipcd.pack.map(3 + claim[3]) .. pair("object", str(obj.name)) ..
                    pair("type", str(obj.type)) .. pair("since", ipcd.pack.time(claim[2])) ..
                    claim[4]
            end
        end
    end
    return pack_list(holds)
end

-- What its calls wait for: [{object, method, since_ms, timeout_ms}…].
local function pack_session_waits(waits, sid)
    local list = {}
    for _, number in ipairs(waits) do
        local wait = wait_read({ key = sid:match("^(.*):") .. "." .. number, home = run.prefix })
        if wait then
            each_object(wait, function(obj)
                list[#list + 1] = ipcd.pack.map(4) ..
                    ipcd.pack.pair("object", ipcd.pack.str(obj.name)) .. pack_wait(wait)
            end)
        end
    end
    return pack_list(list)
end

-- What a session has in this tag: {open: [name…], holds, waits}, as session.describe shows it.
ipcd.method("session.holding", { bare = true }, function(call, number)
    local sid = number and run.host .. ":" .. number or call.sid
    local waits, claims, opens = session_read(sid)
    return ipcd.pack.map(3) .. ipcd.pack.pair("open", pack_open(opens)) ..
        ipcd.pack.pair("holds", pack_session_holds(claims, sid)) ..
        ipcd.pack.pair("waits", pack_session_waits(waits, sid))
end)

-- Time.

-- Time passes for an object: finding it has let it. It may be gone by now.
ipcd.method("tick", { changes = true, bare = true }, function(call)
    ipcd.find(call.name)
    return ipcd.pack.nil_
end)
